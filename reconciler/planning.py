"""From the three sides to a plan."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from reconciler import __version__
from reconciler.consequences import impacts
from reconciler.diff import World, diff
from reconciler.diff.issuers import issuer_reports
from reconciler.diff.quotas import budgets
from reconciler.limits import Refusal
from reconciler.moves import moves
from reconciler.proposal import proposed
from reconciler.selection import Selection, select
from reconciler.state import DesiredCertificate, Observation
from schemas.base import digest
from schemas.plan import Action, Budget, Change, Expiry, Plan, TargetReport

Lint = Callable[[World, Sequence[Change]], Mapping[str, Refusal]]
"""Returns what of changes must not be signed, by address, and why; nothing that the world has refused."""


def make_plan(
    world: World,
    selection: Selection | None = None,
    *,
    looks_ahead: bool = False,
    lint: Lint | None = None,
) -> Plan:
    """Return everything one apply would do, as far as it is selected.

    `looks_ahead` tells that the world is shown as of a moment that is still to come. `lint` looks at what
    would be signed: what it refuses is blocked.
    """
    chosen = selection or Selection()
    changes = select(proposed(world, diff(world)), chosen, world.desired)
    while lint and (refused := lint(world, changes)):  # each time it refuses what it did not before
        world = replace(world, refused={**world.refused, **refused})
        changes = select(proposed(world, diff(world)), chosen, world.desired)
    return Plan(
        certform_version=__version__,
        project=world.desired.project,
        lineage=world.ledger.lineage.id if world.ledger.tip else "",
        revision=world.desired.revision,
        base=world.base.revision if world.base else None,
        uncommitted=world.desired.uncommitted,
        ledger_tip=world.ledger.tip,
        created_at=world.now,
        looks_ahead=looks_ahead,
        selection=chosen.words(),
        targets=tuple(_reports(world, changes)),
        issuers=tuple(issuer_reports(world, changes)),
        changes=changes,
        certificates=len(world.desired.certificates),
        next_expiry=_next_expiry(world),
        impacts=impacts(world, changes) or None,
        moves=moves(world, changes),
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
        status="assumed" if observation.assumed else observation.status,
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


def pending(changes: Sequence[Change]) -> tuple[Change, ...]:
    """Return the changes that would do something."""
    return tuple(step for step in changes if step.action is not Action.BLOCKED)
