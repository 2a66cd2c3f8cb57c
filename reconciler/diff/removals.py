"""What stands in a target, or in the ledger, and is wanted there no longer."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from providers.base import NAME, Installed
from reconciler.address import owner, place, spot
from reconciler.description import names_of
from reconciler.diff.changes import blocked, change, change_id, seen
from reconciler.diff.replacements import Planned
from reconciler.diff.standing import is_issued_there
from reconciler.diff.world import World
from reconciler.ledger.records import CertificateRecord, Issuance, Placement
from reconciler.state import DesiredCertificate, DesiredInstall
from schemas.certificate import OnRemove
from schemas.plan import Action, Change, Reason
from schemas.scalars import format_instant


def removal_changes(world: World, planned: Planned) -> Iterator[Change]:
    """Yield the removal of our objects that no document asks for, and the placements left behind."""
    wanted = world.wanted_spots
    there: set[tuple[str, str]] = set()
    for target, observation in world.observed.targets.items():
        for found in observation.installed.values():
            if not found.owned_by(world.ledger.lineage.owner):
                continue
            # what was superseded goes by its identity
            there |= {(target, found.name), (target, found.id)}
            if world.is_unwanted(target, found):
                yield _remove(world, target, found, planned)
    for record in world.records.values():
        for placement in record.placements:
            where = (placement.target, placement.object_name)
            if where not in wanted and where not in there:
                yield from _left_behind(world, record, placement)


def superseded_changes(world: World, planned: Planned) -> Iterator[Change]:
    """Yield the removal of what this plan puts a new object beside, unless something uses it.

    What a place is only asked to issue takes nobody's place before it has.
    """
    for steps in planned.values():
        for step in steps:
            after = step.after or {}
            beside = step.action is Action.INSTALL and "replaces" in after
            if beside and not after.get("usedBy") and not after.get("issuedThere"):
                yield from _superseded(world, step, str(after["replaces"]))


def _superseded(world: World, step: Change, id_: str) -> Iterator[Change]:
    target = place(step.address)
    there = world.observation(target).installed.values()
    found = next(each for each in there if each.id == id_)
    known = world.serials.get(found.serial or "")
    if known is None or found.hosting is not None:
        return
    leaving = _Leaving(owner(step.address), target, found, known[1])
    yield change(
        spot(leaving.name, target, found.id),
        Action.REMOVE,
        Reason.SUPERSEDED,
        "a new object takes its place",
        identity=leaving.identity(),
        requires=(step.id,),
        before={**leaving.before(), "supersededBy": step.address},
        due=step.due,
        outside=step.outside,
    )


def _remove(world: World, target: str, found: Installed, planned: Planned) -> Change:
    label = found.labels.get(NAME, "")
    known = world.serials.get(found.serial or "")
    if found.hosting is not None and (holder := world.hosted.get((target, found.id))):
        return _take_away(world, _Leaving(holder, target, found), planned)
    if known is None and (adopter := world.adopted.get((target, found.id))):
        return _give_back(world, adopter, target, found)
    if known is None:
        message = (
            f"{found.id} has our label, but the ledger does not know its serial: remove it by hand"
        )
        return blocked(spot(label, target, found.name), Reason.OCCUPIED, message)
    # the ledger tells whose it is: a rename may have got no further than the ledger
    name = known[0].partition("/")[2]
    return _take_away(world, _Leaving(name, target, found, known[1]), planned)


@dataclass(frozen=True, slots=True)
class _Leaving:
    """An object of a certificate that is to go; `issuance` is None for what its place issued by itself."""

    name: str
    target: str
    found: Installed
    issuance: Issuance | None = None

    def heirs(self, world: World) -> tuple[DesiredCertificate, ...]:
        """Who is to take its place: the certificate itself, its new name, or who speaks for its names."""
        desired = world.desired.certificates.get(self.name)
        if desired is not None:
            return (desired,)
        if self.issuance is None:
            return world.heirs.get(self.name) or world.speaking_for(self.found.content)
        return world.heirs.get(self.name) or world.successors(self.issuance.request)

    def identity(self) -> dict[str, object]:
        """What tells it from another: a place that issues by itself renews, and only the identity stays."""
        if self.issuance is None:
            return {"id": self.found.id, "name": self.found.name}
        return {
            "serial": self.found.serial,
            "sha256": self.found.sha256,
            "name": self.found.name,
        }

    def before(self) -> dict[str, object]:
        """What a reader knows it by."""
        found, issuance = self.found, self.issuance
        if issuance is not None:
            names, end = names_of(issuance.request), format_instant(issuance.not_after)
            apart = {} if found.name == self.name else {"id": found.id}
            return {**names, **seen(found), "not_after": end, "name": found.name, **apart}
        said = {"dnsNames": list(found.content.dns_names if found.content else ())}
        return {**said, **seen(found), "name": found.name, "id": found.id}


def _take_away(world: World, leaving: _Leaving, planned: Planned) -> Change:
    name, target, found = leaving.name, leaving.target, leaving.found
    desired, heirs = world.desired.certificates.get(name), leaving.heirs(world)
    # where a successor goes by another name, only its identity tells the old object from the place
    stays = (target, found.name) in world.wanted_spots
    address = spot(name, target, found.id if stays else found.name)
    if waiting := _not_ready(world, heirs, planned):
        steps = [step for heir in heirs for step in planned.get(heir.address, ())]
        patience = any(step.reason is Reason.PENDING for step in steps)
        return blocked(address, Reason.PENDING if patience else Reason.BLOCKED_BY, waiting)
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
        identity=leaving.identity(),
        requires=_installs(heirs),
        before=leaving.before(),
    )


def _unwanted(world: World, target: str, desired: DesiredCertificate | None) -> str:
    if desired is None:
        return "no longer in the documents"
    for install in desired.installs:
        stands = world.installed(install)
        if install.target == target and stands is not None:
            return "another object took its place"
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
        before={**seen(found), "name": found.name, "id": found.id},
    )


def _installs(heirs: Iterable[DesiredCertificate]) -> tuple[str, ...]:
    """What must be done first: the certificates that take this one's place are installed, or adopted."""
    return tuple(
        change_id(action, f"{heir.address}@{install.target}")
        for heir in heirs
        for install in heir.installs
        for action in (Action.INSTALL, Action.ADOPT)
    )


def _not_ready(world: World, heirs: Iterable[DesiredCertificate], planned: Planned) -> str:
    """Say which certificate cannot take this one's place yet; empty when all can."""
    for heir in heirs:
        steps = planned.get(heir.address, ())
        if any(step.action is Action.BLOCKED for step in steps):
            return f"{heir.address} takes its place and is blocked"
        if world.desired.hosting(heir) and not is_issued_there(world, heir):
            return f"{heir.address} takes its place, and is not issued there yet"
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
        there = placement.object_name in world.observation(placement.target).installed
        yield change(
            address,
            Action.FORGET,
            Reason.ORPHANED,
            "what is there is no longer ours, and stays" if there else "gone already",
            identity={"gone": placement.object_name},
            before={"name": placement.object_name},
        )
