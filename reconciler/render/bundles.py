"""Bundles of trust anchors, in the inventory and by themselves: as lines of a table, as text and as JSON."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from reconciler.render.escape import inert, visible
from reconciler.render.inventory import InventoryRow, Place, PlaceState
from schemas.plan import Source
from schemas.scalars import format_instant

FORMAT_VERSION = "1.0"


@dataclass(frozen=True, slots=True)
class AnchorRow:
    """One anchor: what it is called, its SHA-256 in hex, and `state`: what becomes of it.

    `not_after` is None where only the ledger knows the anchor, by its fingerprint.
    """

    name: str
    sha256: str
    not_after: datetime | None
    state: str


@dataclass(frozen=True, slots=True)
class TrustPlace:
    """One bundle in one target: what is found there, and what was last read back there."""

    target: str
    object_name: str
    state: str
    detail: str = ""
    verified_at: datetime | None = None
    anchors: tuple[str, ...] = ()

    @property
    def spot(self) -> Place:
        """The place as one of the inventory's, which knows of no anchors."""
        state = PlaceState(self.state)
        return Place(
            self.target, state, self.detail, self.object_name, verified_at=self.verified_at
        )


@dataclass(frozen=True, slots=True)
class BundleRow:
    """One Bundle, wanted or not yet gone, with its state in one word."""

    name: str
    status: str
    anchors: tuple[AnchorRow, ...]
    places: tuple[TrustPlace, ...]
    labels: Mapping[str, str] = field(default_factory=dict)
    source: Source | None = None
    overlap: str = ""

    @property
    def address(self) -> str:
        """Its name in a plan."""
        return f"bundle/{self.name}"

    def line(self, now: datetime) -> InventoryRow:
        """Return it as a line of the inventory: it ends with the first of its anchors."""
        ends = [anchor.not_after for anchor in self.anchors if anchor.not_after]
        first = min(ends, default=None)
        return InventoryRow(
            name=self.name,
            address=self.address,
            issuer="",
            serial="",
            not_after=first,
            days_left=(first - now).days if first else None,
            key="",
            names=tuple(anchor.name for anchor in self.anchors),
            targets=tuple(place.target for place in self.places),
            status=self.status,
            labels=self.labels,
            source=self.source,
            places=tuple(place.spot for place in self.places),
        )


def with_bundles(
    rows: Sequence[InventoryRow], bundles: Sequence[BundleRow], now: datetime
) -> list[InventoryRow]:
    """Return the rows of an inventory, Bundles among them, by address."""
    return sorted((*rows, *(each.line(now) for each in bundles)), key=lambda row: row.address)


def bundle_data(row: BundleRow) -> dict[str, Any]:
    """Return a Bundle as JSON data: every field is there, null where there is nothing to say."""
    return {
        "name": row.name,
        "address": row.address,
        "status": row.status,
        "anchors": [
            {
                "name": anchor.name,
                "sha256": anchor.sha256,
                "not_after": _moment(anchor.not_after),
                "state": anchor.state,
            }
            for anchor in row.anchors
        ],
        "places": [
            {
                "target": place.target,
                "object_name": place.object_name,
                "state": place.state,
                "detail": place.detail or None,
                "anchors": list(place.anchors),
                "verified_at": _moment(place.verified_at),
            }
            for place in row.places
        ],
        "labels": dict(row.labels),
        "source": {"file": row.source.file, "line": row.source.line} if row.source else None,
    }


def render_bundle(row: BundleRow) -> str:
    """Return all about one Bundle as text."""
    return "".join(f"{inert(visible(line))}\n" for line in _lines(row))


def render_bundle_json(row: BundleRow) -> str:
    """Return all about one Bundle as one JSON object; a minor `format_version` only adds fields."""
    data = {"format_version": FORMAT_VERSION, "kind": "bundle", **bundle_data(row)}
    return json.dumps(data, indent=2) + "\n"


def _lines(row: BundleRow) -> Iterator[str]:
    yield row.address
    if row.source is None:
        yield "  no longer in the documents"
    else:
        yield f"  wanted                                     {row.source}"
        yield f"    overlap = {row.overlap}"
        yield from (f"    labels.{key} = {value}" for key, value in row.labels.items())
    yield "  anchors"
    yield from (f"    {_anchor(anchor)}" for anchor in row.anchors)
    yield "  found"
    yield from (f"    {_place(place)}" for place in row.places)


def _anchor(anchor: AnchorRow) -> str:
    until = f", until {format_instant(anchor.not_after)}" if anchor.not_after else ""
    return f"{anchor.name}  sha256 {anchor.sha256}{until}: {anchor.state}"


def _place(place: TrustPlace) -> str:
    seen = f"; read back at {format_instant(place.verified_at)}" if place.verified_at else ""
    detail = f" ({place.detail})" if place.detail else ""
    held = f", {_listed(place.anchors)}" if place.anchors else ""
    return f"{place.target} as {place.object_name}: {place.state}{detail}{held}{seen}"


def _listed(names: Sequence[str]) -> str:
    return f"with {', '.join(names)}"


def _moment(value: datetime | None) -> str | None:
    return format_instant(value) if value else None
