"""From the three sides to a plan, and from a reviewed plan to what of it may be applied now."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from reconciler import __version__
from reconciler.diff import World, diff
from reconciler.diff.quotas import budgets
from reconciler.selection import Selection, select
from reconciler.state import DesiredCertificate, Observation
from schemas.base import digest
from schemas.plan import Action, Budget, Change, Expiry, Plan, TargetReport


def make_plan(
    world: World, selection: Selection | None = None, *, looks_ahead: bool = False
) -> Plan:
    """Return everything one apply would do, as far as it is selected.

    `looks_ahead` tells that the world is shown as of a moment that is still to come.
    """
    chosen = selection or Selection()
    changes = select(diff(world), chosen, world.desired)
    return Plan(
        certform_version=__version__,
        project=world.desired.project,
        lineage=world.ledger.lineage.id,
        revision=world.desired.revision,
        uncommitted=world.desired.uncommitted,
        ledger_tip=world.ledger.tip,
        created_at=world.now,
        looks_ahead=looks_ahead,
        selection=chosen.words(),
        targets=tuple(_reports(world, changes)),
        changes=changes,
        certificates=len(world.desired.certificates),
        next_expiry=_next_expiry(world),
        digest=digest([step.fingerprint for step in changes]),
    )


def _reports(world: World, changes: Sequence[Change]) -> Iterator[TargetReport]:
    costs = budgets(world, changes)
    for name, observation in sorted(world.observed.targets.items()):
        yield _report(world, name, observation, costs.get(name))


def _report(world: World, name: str, observation: Observation, cost: Budget | None) -> TargetReport:
    ours = sum(i.owned_by(world.ledger.lineage.owner) for i in observation.installed.values())
    return TargetReport(
        name=name,
        status=observation.status,
        certificates=ours,
        foreign=len(observation.installed) - ours,
        detail=observation.detail or None,
        budget=cost,
    )


def _next_expiry(world: World) -> Expiry | None:
    ends = [(end, c.name) for c in world.desired.certificates.values() if (end := _end(world, c))]
    if not ends:
        return None
    not_after, name = min(ends)
    return Expiry(address=f"certificate/{name}", not_after=not_after)


def _end(world: World, certificate: DesiredCertificate) -> datetime | None:
    """When a certificate ends: the ledger says so, or the place that issued it by itself."""
    if world.desired.hosting(certificate):
        there = [
            i.not_after for w in certificate.installs if (i := world.installed(w)) and i.hosting
        ]
        return min((end for end in there if end), default=None)
    record = world.records.get(certificate.name)
    return record.current.not_after if record and record.current else None


@dataclass(frozen=True, slots=True)
class Reviewed:
    """A saved plan against the world now.

    `allowed` is what was reviewed or comes with time; `unreviewed` is what is not; `settled` is
    what was reviewed and is no longer needed.
    """

    allowed: tuple[Change, ...]
    unreviewed: tuple[Change, ...]
    settled: tuple[Change, ...]


def compare(saved: Plan, fresh: Plan) -> Reviewed:
    """Sort the changes of a fresh plan by whether the saved one shows them, as they are."""
    known = {step.fingerprint: step for step in saved.changes}
    now = {step.fingerprint for step in fresh.changes}
    allowed: list[Change] = []
    unreviewed: list[Change] = []
    for step in fresh.changes:
        had = known.get(step.fingerprint)
        seen = had is not None and _shown(had) == _shown(step)
        fine = step.action is Action.BLOCKED or step.due or seen
        (allowed if fine else unreviewed).append(step)
    settled = tuple(
        step
        for step in saved.changes
        if step.fingerprint not in now and step.action is not Action.BLOCKED
    )
    return Reviewed(tuple(allowed), tuple(unreviewed), settled)


def _shown(step: Change) -> tuple[object, ...]:
    """What a reviewer goes by; a file that somebody edited may show it beside another's fingerprint."""
    return step.id, *_sides(step), step.fields


def _sides(step: Change) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the values before and after; what an issue or an install replaces comes with time."""
    lasting = step.action not in (Action.ISSUE, Action.INSTALL)
    return (step.before or {}) if lasting else {}, step.after or {}


def differences(saved: Plan, reviewed: Reviewed) -> Iterator[str]:
    """Yield in lines the changes that were not reviewed and what of each is new.

    An install that only follows an issue among them is left out.
    """
    before: dict[str, Change] = {step.id: step for step in saved.changes}
    shown: dict[str, str] = {step.fingerprint: step.id for step in saved.changes}
    unreviewed = {step.id for step in reviewed.unreviewed}
    for step in reviewed.unreviewed:
        if step.action is Action.INSTALL and not unreviewed.isdisjoint(step.requires):
            continue
        had = before.get(step.id)
        how = "not as it was in the plan" if had else f"not in the plan ({step.message})"
        if not had and (other := shown.get(step.fingerprint)):
            how = f"shown in the plan as {other.replace(':', ' ', 1)}"
        yield f"{step.action} {step.address}: {how}"
        yield from _what_differs(had, step) if had else ()


def _what_differs(had: Change, step: Change) -> Iterator[str]:
    """Yield the values that a change has now and had not when it was reviewed."""
    told = set[str]()
    for old, new in zip(
        (*_sides(had), *_fields(had)), (*_sides(step), *_fields(step)), strict=True
    ):
        for path in dict.fromkeys((*old, *new)):
            if old.get(path) != new.get(path) and path not in told:
                told.add(path)
                yield f"    {path} was {_json(old.get(path))}"
                yield f"    {' ' * len(path)}  is {_json(new.get(path))}"


def _fields(step: Change) -> tuple[dict[str, Any], dict[str, Any]]:
    before = {field.path: field.before for field in step.fields}
    return before, {field.path: field.after for field in step.fields}


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


def pending(changes: Sequence[Change]) -> tuple[Change, ...]:
    """Return the changes that would do something."""
    return tuple(step for step in changes if step.action is not Action.BLOCKED)
