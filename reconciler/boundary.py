"""The trust boundary: who may be spoken to, as the base says, before anything that is proposed is believed.

Pure. Documents that are proposed say what is wanted; whom certform asks, and as whom, they say only once
that was reviewed.
"""

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime

from reconciler.diff.connections import connection_changes, is_elsewhere, publishes_elsewhere
from reconciler.ledger.records import LedgerState, Lineage
from reconciler.state import Assumed, Desired, DesiredIssuer, DesiredTarget, Observation
from schemas.project import LedgerSettings

UNTRUSTED = "not looked at: nothing says yet who may be asked"
NEW = "new here, not looked at"
MOVED = "another place than before, not looked at"


@dataclass(frozen=True, slots=True)
class Boundary:
    """What may be spoken to, and how.

    `reached` are the documents at hand with the targets that may be looked at, each as it may be
    reached, and the directory that may be read. `ledger` is None where none may be read.
    """

    reached: Desired
    ledger: LedgerSettings | None
    assumed: Assumed


def draw(
    desired: Desired, base: Desired | None, approved: Collection[str] = frozenset()
) -> Boundary:
    """Return whom a run may speak to; without a base, everybody the documents name.

    `approved` are fingerprints: a change of who is spoken to that is among them is in force.
    """
    if base is None:
        return Boundary(desired, desired.ledger, Assumed())
    held = {c.address for c in connection_changes(desired, base) if c.fingerprint not in approved}
    project = f"project/{desired.project}" in held
    ledger = base.ledger if project else desired.ledger
    known = ledger.public_key is not None
    targets = {
        name: _reached(target, base) if f"target/{name}" in held else target
        for name, target in desired.targets.items()
        if known and not (f"target/{name}" in held and is_elsewhere(target, base))
    }
    unread = project and publishes_elsewhere(desired, base)
    return Boundary(
        replace(desired, targets=targets, publish=None if unread else desired.publish),
        ledger if known else None,
        Assumed(
            {
                name: _empty(name, base if known else None)
                for name in desired.targets
                if name not in targets
            },
            {} if unread or not known else None,
        ),
    )


def reached_issuers(desired: Desired, base: Desired | None) -> tuple[DesiredIssuer, ...]:
    """Return the CAs of others that may be asked for advice, as the base has them: none new, none moved."""
    if base is None:
        return tuple(desired.issuers.values())
    held = {change.address for change in connection_changes(desired, base)}
    known = (name for name in desired.issuers if name in base.issuers)
    return tuple(base.issuers[name] for name in known if f"issuer/{name}" not in held)


def _reached(target: DesiredTarget, base: Desired) -> DesiredTarget:
    return replace(target, spec=target.spec.reached_as(base.targets[target.name].spec))


def _empty(name: str, base: Desired | None) -> Observation:
    if base is None:
        return Observation("observed", detail=UNTRUSTED, assumed=True)
    return Observation("observed", detail=MOVED if name in base.targets else NEW, assumed=True)


def without(reached: Desired, assumed: Assumed) -> Desired:
    """Return documents without the targets that nobody looks at."""
    seen = {n: target for n, target in reached.targets.items() if n not in assumed.targets}
    return replace(reached, targets=seen)


def unread_ledger(project: str, now: datetime) -> LedgerState:
    """Return the ledger where none may be read: nothing was issued, and it is nobody's."""
    lineage = Lineage(
        id="0" * 16,
        project=project,
        created_at=now,
        public_key=f"ssh-ed25519 {'A' * 68}",
        leaf_recipient=f"age1{'q' * 58}",
    )
    return LedgerState(
        tip="",
        lineage=lineage,
        authorities={},
        certificates={},
        crls={},
        bundles=frozenset(),
        tip_time=now,
    )
