"""What the page shows, as JSON: the plan and the rows of the inventory, and nothing else."""

import json
from collections.abc import Sequence
from typing import Any

from reconciler.render.escape import visible
from reconciler.render.inventory import InventoryRow, row_data
from schemas.plan import Change, Plan, TargetReport
from schemas.scalars import format_instant

FORMAT_VERSION = "1.0"
_STATES = ("out of date", "unknown", "not yet in")
"""States of which the inventory names a reason, or a place, behind these words."""
_ACTIVE = {ord(c): f"\\u{ord(c):04x}" for c in "<>&"}
"""What could end a script element, or begin a comment in one, is spelt out as JSON may."""


def page_data(plan: Plan, rows: Sequence[InventoryRow], blob_url: str = "") -> dict[str, Any]:
    """Return the data of the page, empty values left out; a minor `format_version` only adds fields."""
    data = {
        "format_version": FORMAT_VERSION,
        "kind": "inventory-page",
        "certform_version": plan.certform_version,
        "project": plan.project,
        "revision": plan.revision,
        "uncommitted": plan.uncommitted,
        "made_at": format_instant(plan.created_at),
        "blob_url": blob_url,
        "selection": list(plan.selection),
        "targets": [_target(report) for report in plan.targets],
        "certificates": [_certificate(row) for row in rows],
        "changes": [_change(step) for step in plan.changes],
    }
    return {key: _shown(value) for key, value in data.items()}


def embedded(data: dict[str, Any]) -> str:
    """Return JSON that may stand in a script element as it is: ASCII, without a tag or a comment."""
    return json.dumps(data, separators=(",", ":")).translate(_ACTIVE)


def _certificate(row: InventoryRow) -> dict[str, Any]:
    data = row_data(row)
    del data["targets"], data["days_left"]  # the places tell more, and days pass
    state = next((each for each in _STATES if row.status.startswith(each)), row.status)
    places = [_place(place, row) for place in data["places"]]
    return {**data, "state": state, "places": places}


def _place(place: dict[str, Any], row: InventoryRow) -> dict[str, Any]:
    """Leave out what is as the certificate's own: of ten thousand certificates that is most of it."""
    own = {"serial": row.serial, "sha256": row.sha256}
    same = {name: place[name] for name in own} == own and bool(row.sha256 or row.serial)
    kept = {name: each for name, each in place.items() if not (same and name in own)}
    if kept["verified_serial"] == row.serial:
        del kept["verified_serial"]
    if kept["object_name"] == row.name:
        del kept["object_name"]
    return {**kept, "same": same}


def _target(report: TargetReport) -> dict[str, Any]:
    return {
        "name": report.name,
        "status": report.status,
        "certificates": report.certificates,
        "foreign": report.foreign,
        "detail": report.detail,
    }


def _change(step: Change) -> dict[str, Any]:
    return {
        "address": step.address,
        "action": str(step.action),
        "reason": str(step.reason),
        "message": step.message,
        "due": step.due,
        "outside": step.outside,
    }


def _shown(value: Any) -> Any:
    """Return data with nothing in it that hides or reorders text, and without what says nothing."""
    if isinstance(value, str):
        return visible(value)
    if isinstance(value, dict):
        shown = {visible(key): _shown(each) for key, each in value.items()}
        return {key: each for key, each in shown.items() if _says_something(each)}
    return [_shown(each) for each in value] if isinstance(value, list) else value


def _says_something(value: Any) -> bool:
    return bool(value) or (value == 0 and value is not False)
