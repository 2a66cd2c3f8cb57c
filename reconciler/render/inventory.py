"""The inventory: every certificate there is, as a table, as JSON or as CSV."""

import csv
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from reconciler.ledger.issuing import Advised
from reconciler.render.escape import inert, visible
from schemas.plan import Source, TargetReport
from schemas.scalars import format_instant

FORMAT_VERSION = "1.3"
_FORMULA = ("=", "+", "-", "@")
"""What a spreadsheet takes for the start of a formula (OWASP, CSV injection)."""


class PlaceState(StrEnum):
    """How one certificate was found in one target; docs/inventory.md says what each means."""

    OK = "ok"
    ADOPTED = "adopted"
    PENDING = "pending"
    OUTDATED = "outdated"
    DRIFT = "drift"
    MISSING = "missing"
    OCCUPIED = "occupied"
    FOREIGN = "foreign"
    FAILED = "failed"
    UNWANTED = "unwanted"
    UNKNOWN = "unknown"
    ASSUMED = "assumed"
    NOT_HERE = "not-here"


@dataclass(frozen=True, slots=True)
class Place:
    """One certificate in one target: what stands there, and whether it is what should.

    `object_name` is what it is called there, `id` the place's own identity of what was found. `serial`,
    `sha256` (hex) and `not_after` are of what was found; where nobody could look, or nothing is there,
    they are empty. `verified_serial` is what was last seen working there, at `verified_at`.
    """

    target: str
    state: PlaceState
    detail: str = ""
    object_name: str = ""
    id: str = ""
    serial: str = ""
    sha256: str = ""
    not_after: datetime | None = None
    verified_serial: str = ""
    verified_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class InventoryRow:
    """One certificate, CA certificates included. `days_left` counts whole days to `not_after`.

    `generation` is a CA's own, `issuer_generation` that of the CA above; both are None where there is
    none. `renewal` is when it falls due, `window` when its CA asks for that, if it does; `crl_until` when
    the last CRL that a CA signed is over; `past` counts what it issued before it was taken over and is not
    expired.
    """

    name: str
    address: str
    issuer: str
    serial: str
    not_after: datetime | None
    days_left: int | None
    key: str
    names: tuple[str, ...]
    targets: tuple[str, ...]
    status: str
    not_before: datetime | None = None
    sha256: str = ""
    generation: int | None = None
    issuer_generation: int | None = None
    renewal: datetime | None = None
    crl_until: datetime | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    source: Source | None = None
    places: tuple[Place, ...] = ()
    past: int = 0
    window: Advised | None = None


_COLUMNS = (
    "name",
    "address",
    "issuer",
    "serial",
    "not_after",
    "days_left",
    "key",
    "names",
    "targets",
    "status",
)
"""The columns of CSV: those of its first version, since who reads it may go by their number."""
_HEADINGS = ("ADDRESS", "STATUS", "DAYS", "EXPIRES", "ISSUER", "KEY", "NAMES", "TARGETS", "SERIAL")


def render_table(rows: Sequence[InventoryRow], *, width: int | None = None) -> str:
    """Return a table: plain columns without a width, wrapped within that of a terminal."""
    cells = [_cells(row) for row in rows]
    return _plain(cells) if width is None else _wrapped(cells, width)


def render_json(
    rows: Sequence[InventoryRow],
    targets: Sequence[TargetReport] = (),
    bundles: Sequence[Mapping[str, Any]] = (),
) -> str:
    """Return the rows as one JSON object; a minor `format_version` only adds fields."""
    data = {
        "format_version": FORMAT_VERSION,
        "kind": "inventory",
        "targets": [
            {"name": each.name, "status": each.status, "detail": each.detail} for each in targets
        ],
        "certificates": [row_data(row) for row in rows],
        "bundles": list(bundles),
    }
    return json.dumps(data, indent=2) + "\n"


def render_csv(rows: Sequence[InventoryRow]) -> str:
    """Return the rows as CSV (RFC 4180); text that a spreadsheet would run gets an apostrophe."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(_COLUMNS)
    for row in rows:
        data = row_data(row)
        writer.writerow([_csv_cell(data[column]) for column in _COLUMNS])
    return out.getvalue()


def row_data(row: InventoryRow) -> dict[str, Any]:
    """Return a row as JSON data: every field is there, null where there is nothing to say."""
    return {
        "name": row.name,
        "address": row.address,
        "issuer": row.issuer,
        "serial": row.serial,
        "not_after": _moment(row.not_after),
        "days_left": row.days_left,
        "key": row.key,
        "names": list(row.names),
        "targets": list(row.targets),
        "status": row.status,
        "not_before": _moment(row.not_before),
        "sha256": row.sha256,
        "generation": row.generation,
        "issuer_generation": row.issuer_generation,
        "renewal": _moment(row.renewal),
        "crl_until": _moment(row.crl_until),
        "labels": dict(row.labels),
        "source": {"file": row.source.file, "line": row.source.line} if row.source else None,
        "places": [_place_data(place) for place in row.places],
        "past": row.past,
        "renewal_window": window_data(row.window),
    }


def window_data(window: Advised | None) -> dict[str, Any] | None:
    """Return when a CA wants a certificate renewed (RFC 9773) as JSON data; None where it did not say."""
    if window is None:
        return None
    return {
        "start": _moment(window.start),
        "end": _moment(window.end),
        "explanation": window.explanation,
    }


def _place_data(place: Place) -> dict[str, Any]:
    return {
        "target": place.target,
        "state": str(place.state),
        "detail": place.detail,
        "object_name": place.object_name,
        "id": place.id,
        "serial": place.serial,
        "sha256": place.sha256,
        "not_after": _moment(place.not_after),
        "verified_serial": place.verified_serial,
        "verified_at": _moment(place.verified_at),
    }


def _moment(value: datetime | None) -> str | None:
    return format_instant(value) if value else None


def _csv_cell(value: str | int | list[str] | None) -> str | int | None:
    if value is None or isinstance(value, int):
        return value
    text = visible(" ".join(value) if isinstance(value, list) else value)
    return f"'{text}" if text.startswith(_FORMULA) else text


def _cells(row: InventoryRow) -> tuple[str, ...]:
    cells = (
        row.address,
        row.status,
        "" if row.days_left is None else str(row.days_left),
        f"{row.not_after:%Y-%m-%d}" if row.not_after else "",
        row.issuer,
        row.key,
        _several(row.names) + (f" (+{row.past:,} of before)" if row.past else ""),
        ", ".join(row.targets),
        row.serial,
    )
    return tuple(visible(cell) for cell in cells)


def _several(names: Sequence[str]) -> str:
    return f"{names[0]} and {len(names) - 1} more" if len(names) > 1 else "".join(names)


def _plain(cells: Sequence[Sequence[str]]) -> str:
    lines = [_HEADINGS, *cells]
    widths = [max(len(line[column]) for line in lines) for column in range(len(_HEADINGS))]
    padded = ("  ".join(c.ljust(w) for c, w in zip(line, widths, strict=True)) for line in lines)
    return "".join(f"{inert(line.rstrip())}\n" for line in padded)


def _wrapped(cells: Sequence[Sequence[str]], width: int) -> str:
    from rich.console import Console  # noqa: PLC0415  rich is slow to import and seldom needed
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    table = Table(*_HEADINGS, box=None, pad_edge=False, header_style="")
    for line in cells:
        table.add_row(*(Text(cell) for cell in line))
    out = io.StringIO()
    Console(file=out, width=width, color_system=None, highlight=False).print(table)
    return "".join(f"{inert(line.rstrip())}\n" for line in out.getvalue().splitlines())
