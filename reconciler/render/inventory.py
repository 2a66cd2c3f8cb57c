"""The inventory: every certificate there is, as a table, as JSON or as CSV."""

import csv
import io
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from reconciler.render.escape import inert, visible
from schemas.scalars import format_instant

FORMAT_VERSION = "1.0"
_FORMULA = ("=", "+", "-", "@")
"""What a spreadsheet takes for the start of a formula (OWASP, CSV injection)."""


@dataclass(frozen=True, slots=True)
class InventoryRow:
    """One certificate, CA certificates included. `days_left` counts whole days to `not_after`."""

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


_HEADINGS = ("ADDRESS", "STATUS", "DAYS", "EXPIRES", "ISSUER", "KEY", "NAMES", "TARGETS", "SERIAL")


def render_table(rows: Sequence[InventoryRow], *, width: int | None = None) -> str:
    """Return a table: plain columns without a width, wrapped within that of a terminal."""
    cells = [_cells(row) for row in rows]
    return _plain(cells) if width is None else _wrapped(cells, width)


def render_json(rows: Sequence[InventoryRow]) -> str:
    """Return the rows as one JSON object; a minor `format_version` only adds fields."""
    certificates = [_data(row) for row in rows]
    data = {
        "format_version": FORMAT_VERSION,
        "kind": "inventory",
        "certificates": certificates,
    }
    return json.dumps(data, indent=2) + "\n"


def render_csv(rows: Sequence[InventoryRow]) -> str:
    """Return the rows as CSV (RFC 4180); text that a spreadsheet would run gets an apostrophe."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(InventoryRow.__dataclass_fields__)
    for row in rows:
        writer.writerow([_csv_cell(value) for value in _data(row).values()])
    return out.getvalue()


def _data(row: InventoryRow) -> dict[str, str | int | list[str] | None]:
    return {
        "name": row.name,
        "address": row.address,
        "issuer": row.issuer,
        "serial": row.serial,
        "not_after": format_instant(row.not_after) if row.not_after else None,
        "days_left": row.days_left,
        "key": row.key,
        "names": list(row.names),
        "targets": list(row.targets),
        "status": row.status,
    }


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
        _several(row.names),
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
