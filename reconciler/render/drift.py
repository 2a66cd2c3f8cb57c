"""Drift in words: its sums, as text for a terminal, and as JSON."""

import json
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any

import click

from reconciler.drifting import Difference, Drift, Kind
from reconciler.lifetimes import Lifetime
from reconciler.render.escape import flowing, inert, visible
from reconciler.render.summary import count, documents_of, in_days, matching
from reconciler.render.text import found
from schemas.scalars import format_instant

FORMAT_VERSION = "1.0"
MOST_EXPIRIES = 10
"""How many certificates are told that end next."""

TITLES: Mapping[Kind, str] = MappingProxyType(
    {
        Kind.OVERDUE: "Renewals that were missed",
        Kind.OUTSIDE: "Changed outside certform",
        Kind.BLOCKED: "Blocked",
        Kind.PENDING: "Wanted by the documents and not applied yet",
    }
)
_COUNTED: Mapping[Kind, str] = MappingProxyType(
    {
        Kind.OVERDUE: "overdue",
        Kind.OUTSIDE: "changed outside certform",
        Kind.BLOCKED: "blocked",
        Kind.PENDING: "not applied yet",
    }
)
_COLOURS: Mapping[Kind, str] = MappingProxyType(
    {
        Kind.OVERDUE: "bright_red",
        Kind.OUTSIDE: "magenta",
        Kind.BLOCKED: "bright_yellow",
        Kind.PENDING: "yellow",
    }
)


def counts(drift: Drift) -> str:
    """Return how many differences of each kind there are, and how many places were not looked at."""
    parts = [f"{len(rows):,} {_COUNTED[kind]}" for kind in Kind if (rows := drift.of(kind))]
    unread = f"{count(len(drift.unchecked), 'place')} could not be checked"
    return "; ".join(filter(None, (", ".join(parts), unread if drift.unchecked else "")))


def sentence(drift: Drift) -> str:
    """Return the one sentence that sums it up; it says nothing of what could not be looked at but that."""
    if drift.differences:
        return f"Drift: {counts(drift)}."
    if drift.unchecked:
        return f"Not known: {counts(drift)}. Nothing else differs."
    due = f" {count(drift.due, 'change')} due, and not late." if drift.due else ""
    return f"No drift. {matching(drift.plan)}{due}"


def render_drift_text(drift: Drift, *, colour: bool) -> str:
    """Return drift for people: what was looked at, each difference, what could not be checked, the sum."""
    sections = [_header(drift)]
    for kind in Kind:
        if rows := drift.of(kind):
            sections.append([_painted(f"{TITLES[kind]}:", kind, colour=colour)])
            sections.extend(list(_told(row)) for row in rows)
    if drift.unchecked:
        sections.append(_unchecked(drift, colour=colour))
    sections.append(_footer(drift, colour=colour))
    return "\n\n".join("\n".join(map(inert, lines)) for lines in sections) + "\n"


def render_drift_json(drift: Drift) -> str:
    """Return drift as one JSON object; a minor `format_version` only adds fields."""
    plan = drift.plan
    data = {
        "format_version": FORMAT_VERSION,
        "kind": "drift",
        "project": plan.project,
        "revision": plan.revision,
        "uncommitted": plan.uncommitted,
        "checked_at": format_instant(plan.created_at),
        "outcome": drift.outcome,
        "digest": drift.digest,
        "counts": {kind: len(drift.of(kind)) for kind in Kind},
        "differences": [_data(row) for row in drift.differences],
        "unchecked": [{"target": each.name, "detail": each.detail} for each in drift.unchecked],
        "not_here": list(drift.elsewhere),
        "due": drift.due,
        "expiries": [_expiry(life) for life in drift.lifetimes],
    }
    return json.dumps(data, indent=2) + "\n"


def _data(row: Difference) -> dict[str, Any]:
    source = row.source
    return {
        "kind": row.kind,
        "address": row.address,
        "target": row.target or None,
        "reason": row.reason,
        "expected": row.expected,
        "found": row.found,
        "source": source.model_dump() if source else None,
        "fingerprint": row.fingerprint,
        "adopt": row.adopt or None,
    }


def _expiry(life: Lifetime) -> dict[str, str | None]:
    return {
        "address": life.address,
        "issuer": life.issuer,
        "not_after": format_instant(life.not_after),
        "renews_at": format_instant(life.renews_at) if life.renews_at else None,
        "target": life.target or None,
    }


def _header(drift: Drift) -> list[str]:
    plan = drift.plan
    moment = f"{plan.created_at:%Y-%m-%d %H:%M} UTC"
    version, project = visible(plan.certform_version), visible(plan.project)
    lines = [f"certform {version}, project {project}, {documents_of(plan)}, {moment}"]
    width = max((len(visible(target.name)) for target in plan.targets), default=0)
    for target in plan.targets:
        said = target.model_copy(update={"detail": None, "budget": None})
        lines.append(f"  {visible(target.name):<{width}}   {found(said)}")
    return lines


def _told(row: Difference) -> Iterator[str]:
    where = f" in {visible(row.target)}" if row.target else ""
    source = f"  {visible(str(row.source))}" if row.source else ""
    yield f"  {visible(row.subject)}{where}{source}"
    if row.expected:
        yield f"      expected  {flowing(row.expected)}"
    if row.found:
        yield f"      found     {flowing(row.found)}"
    if row.adopt:
        yield f"      or keep it, with  adopt: {visible(row.adopt)}"


def _unchecked(drift: Drift, *, colour: bool) -> list[str]:
    lines = [_painted("Could not check:", Kind.BLOCKED, colour=colour)]
    return lines + [f"  {visible(each.name)}: {flowing(each.detail)}" for each in drift.unchecked]


def _footer(drift: Drift, *, colour: bool) -> list[str]:
    said = sentence(drift)
    lines = [click.style(said, bold=True) if colour else said]
    if drift.lifetimes:
        first, now = drift.lifetimes[0], drift.plan.created_at
        when = f"{first.not_after:%Y-%m-%d} ({in_days(first.not_after, now)})"
        lines.append(f"Next expiry: {visible(first.address)} on {when}.")
    return lines


def _painted(text: str, kind: Kind, *, colour: bool) -> str:
    return click.style(text, bold=True, fg=_COLOURS[kind]) if colour else text
