"""Leaf keys that the ledger still holds although nobody needs them any more."""

from collections.abc import Iterator

from reconciler.diff.changes import change
from reconciler.diff.replacements import Planned
from reconciler.diff.world import World
from reconciler.ledger.records import CertificateRecord, Issuance
from reconciler.schedule import is_awaited
from reconciler.state import DesiredCertificate
from schemas.certificate import Custody
from schemas.plan import Action, Change, Reason

ERASES = frozenset({Action.ISSUE, Action.INSTALL})
"""Changes that erase what they leave behind themselves."""


def key_changes(world: World, planned: Planned) -> Iterator[Change]:
    """Yield the erasure of keys that no change of their certificate would erase."""
    for record in world.records.values():
        held = [i for i in record.issuances if i.bundle in world.ledger.bundles]
        steps = planned.get(f"certificate/{record.name}", ()) if held else ()
        if not held or any(step.action in ERASES for step in steps):
            continue
        desired = world.desired.certificates.get(record.name)
        spent = sorted(i.serial for i in held if not _needed(world, desired, record, i))
        if spent:
            before = world.base.certificates.get(record.name) if world.base else desired
            due = not any(_needed(world, before, record, i) for i in held if i.serial in spent)
            yield _erase(record.name, spent, due=due)


def _needed(
    world: World, desired: DesiredCertificate | None, record: CertificateRecord, issuance: Issuance
) -> bool:
    """Whether a key will be installed, or is to be kept."""
    if desired is None or any(install.hosted for install in desired.installs):
        return False
    if issuance is record.pending:
        return is_awaited(issuance, desired.digest, world.now)
    if issuance is not record.current:
        return False
    places = [record.placement(install.target, install.name) for install in desired.installs]
    everywhere = all(place and place.serial == issuance.serial for place in places)
    return desired.custody is Custody.LEDGER or not places or not everywhere


def _erase(name: str, serials: list[str], *, due: bool) -> Change:
    return change(
        f"key/{name}",
        Action.FORGET,
        Reason.ORPHANED,
        "the ledger still keeps it, and nobody needs it any more",
        identity={"serials": serials},
        before={"serials": serials},
        due=due,
    )
