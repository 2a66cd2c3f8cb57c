"""What stands in a target, or in the ledger, and is wanted there no longer."""

from collections.abc import Iterable, Iterator

from providers.base import NAME, Installed
from reconciler.address import spot
from reconciler.description import names_of
from reconciler.diff.changes import blocked, change, change_id
from reconciler.diff.revocations import Planned
from reconciler.diff.world import World
from reconciler.ledger.records import CertificateRecord, Placement
from reconciler.state import DesiredCertificate, DesiredInstall
from schemas.certificate import OnRemove
from schemas.plan import Action, Change, Reason
from schemas.scalars import format_instant


def removal_changes(world: World, planned: Planned) -> Iterator[Change]:
    """Yield the removal of our objects that no document asks for, and the placements left behind."""
    wanted = world.wanted_spots
    seen: set[tuple[str, str]] = set()
    for target, observation in world.observed.targets.items():
        for found in observation.installed.values():
            if not found.owned_by(world.ledger.lineage.owner):
                continue
            seen.add((target, found.name))
            if (target, found.name) not in wanted:
                yield _remove(world, target, found, planned)
    for record in world.records.values():
        for placement in record.placements:
            there = (placement.target, placement.object_name)
            if there not in wanted and there not in seen:
                yield from _left_behind(world, record, placement)


def _remove(world: World, target: str, found: Installed, planned: Planned) -> Change:
    label = found.labels.get(NAME, "")
    known = world.serials.get(found.serial or "")
    if known is None and (adopter := world.adopted.get((target, found.id))):
        return _give_back(world, adopter, target, found)
    if known is None:
        message = (
            f"{found.id} has our label, but the ledger does not know its serial: remove it by hand"
        )
        return blocked(spot(label, target, found.name), Reason.OCCUPIED, message)
    # the ledger tells whose it is: a rename may have got no further than the ledger
    name = known[0].partition("/")[2]
    desired = world.desired.certificates.get(name)
    address = spot(name, target, found.name)
    heirs = (desired,) if desired else world.heirs.get(name) or world.successors(known[1].request)
    if waiting := _not_ready(world, heirs, planned):
        return blocked(address, Reason.BLOCKED_BY, waiting)
    if found.used_by:
        users = ", ".join(found.used_by)
        return blocked(
            address, Reason.IN_USE, f"{found.id} is still used by {users}: move that first"
        )
    record = world.records.get(name)
    forget = desired is None and record is not None and record.on_remove is OnRemove.FORGET
    return change(
        address,
        Action.FORGET if forget else Action.REMOVE,
        Reason.WITHDRAWN if desired else Reason.ORPHANED,
        _unwanted(world, target, desired),
        identity={"serial": found.serial, "sha256": found.sha256, "name": found.name},
        requires=_installs(heirs),
        before={
            **names_of(known[1].request),
            "serial": found.serial,
            "not_after": format_instant(known[1].not_after),
            "sha256": found.sha256,
            "name": found.name,
        },
    )


def _unwanted(world: World, target: str, desired: DesiredCertificate | None) -> str:
    if desired is None:
        return "no longer in the documents"
    for install in desired.installs:
        stands = world.installed(install)
        if install.target == target and stands is not None:
            return f"{stands.id} took its place"
    return f"no longer wanted in {target}"


def _give_back(world: World, name: str, target: str, found: Installed) -> Change:
    """Forget what was adopted and never replaced: it was not ours to remove."""
    wanted = name in world.desired.certificates
    return change(
        spot(name, target, found.name),
        Action.FORGET,
        Reason.WITHDRAWN if wanted else Reason.ORPHANED,
        "it was adopted and is wanted no longer: it stays, without our labels",
        identity={"serial": found.serial, "sha256": found.sha256, "name": found.name},
        before={
            "serial": found.serial,
            "not_after": format_instant(found.not_after) if found.not_after else None,
            "sha256": found.sha256,
            "name": found.name,
        },
    )


def _installs(heirs: Iterable[DesiredCertificate]) -> tuple[str, ...]:
    """What must be verified first: the installs of the certificates that take this one's place."""
    return tuple(
        change_id(Action.INSTALL, f"{heir.address}@{install.target}")
        for heir in heirs
        for install in heir.installs
    )


def _not_ready(world: World, heirs: Iterable[DesiredCertificate], planned: Planned) -> str:
    """Say which certificate cannot take this one's place yet; empty when all can."""
    for heir in heirs:
        steps = planned.get(heir.address, ())
        if any(step.action is Action.BLOCKED for step in steps):
            return f"{heir.address} takes its place and is blocked"
        record = world.records.get(heir.name)
        renewed = any(step.action is Action.ISSUE for step in steps)
        for install in heir.installs:
            seen = world.observation(install.target).status == "observed"
            if not seen and (renewed or record is None or not _verified(record, install)):
                return f"{heir.address} takes its place, and is not yet seen working in {install.target}"
    return ""


def _verified(record: CertificateRecord, install: DesiredInstall) -> bool:
    """Whether the current certificate was seen working in a target that cannot be looked at now."""
    placement, current = record.placement(install.target, install.name), record.current
    return bool(placement and current and placement.serial == current.serial)


def _left_behind(world: World, record: CertificateRecord, placement: Placement) -> Iterator[Change]:
    """Yield what becomes of a placement whose object was not seen and is not wanted."""
    address = spot(record.name, placement.target, placement.object_name)
    if placement.target not in world.desired.targets:
        message = f"Target {placement.target} left the documents with this in it: bring it back"
        yield blocked(address, Reason.TARGET_GONE, message)
    elif world.observation(placement.target).status == "observed":
        yield change(
            address,
            Action.FORGET,
            Reason.ORPHANED,
            "gone already",
            identity={"gone": placement.object_name},
            before={"name": placement.object_name},
        )
