"""What nobody manages, as a table or as JSON."""

import json
from datetime import datetime
from typing import Any

from reconciler.discovery import Discovery, Find
from reconciler.render.escape import inert, visible
from schemas.scalars import format_instant

FORMAT_VERSION = "1.0"
_HEADINGS = ("WHERE", "ID", "NAMES", "ISSUER", "NOT AFTER", "DAYS", "KEY", "OWNER")


def render_table(discovery: Discovery, now: datetime) -> str:
    """Return plain columns, a line for each certificate; nothing where there is none."""
    if not discovery.finds:
        return ""
    lines = [_HEADINGS, *(_cells(find, now) for find in discovery.finds)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(_HEADINGS))]
    padded = ("  ".join(c.ljust(w) for c, w in zip(line, widths, strict=True)) for line in lines)
    return "".join(f"{inert(line.rstrip())}\n" for line in padded)


def render_json(discovery: Discovery, now: datetime) -> str:
    """Return one JSON object; a minor `format_version` only adds fields."""
    data = {
        "format_version": FORMAT_VERSION,
        "kind": "discovery",
        "certificates": [_data(find, now) for find in discovery.finds],
        "unknown": [{"where": w, "detail": d} for w, d in discovery.unknown.items()],
        "not_here": [{"where": w, "detail": d} for w, d in discovery.elsewhere.items()],
    }
    return json.dumps(data, indent=2) + "\n"


def _cells(find: Find, now: datetime) -> tuple[str, ...]:
    names, told = find.names, find.content
    shown = f"{names[0]} and {len(names) - 1} more" if len(names) > 1 else "".join(names)
    cells = (
        find.where,
        find.id,
        shown,
        f"{told.issuer or ''}{' (by the place itself)' if find.hosted else ''}",
        f"{find.not_after:%Y-%m-%d}" if find.not_after else "",
        str((find.not_after - now).days) if find.not_after else "",
        str(told.key or ""),
        find.owner or "",
    )
    return tuple(visible(cell) for cell in cells)


def _data(find: Find, now: datetime) -> dict[str, Any]:
    told = find.content
    return {
        "where": find.where,
        "target": find.place,
        "id": find.id,
        "names": list(find.names),
        "issuer": told.issuer,
        "serial": find.serial,
        "sha256": find.sha256,
        "not_before": format_instant(told.not_before) if told.not_before else None,
        "not_after": format_instant(find.not_after) if find.not_after else None,
        "days_left": (find.not_after - now).days if find.not_after else None,
        "key": str(told.key) if told.key else None,
        "usages": list(told.usages),
        "owner": find.owner,
        "hosted": find.hosted,
        "used_by": list(find.used_by),
    }
