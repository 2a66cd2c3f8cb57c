"""What stands where: each certificate in each of its targets, held against what is wanted there. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import replace

from providers.base import NAME, HostingState, Installed
from reconciler.diff import World
from reconciler.diff.needs import need_of, occupied
from reconciler.ledger.records import CertificateRecord, Placement
from reconciler.render.inventory import Place, PlaceState
from reconciler.state import DesiredCertificate, DesiredInstall
from schemas.plan import Reason

_STATES = {
    Reason.OCCUPIED: PlaceState.OCCUPIED,
    Reason.SUPERSEDED: PlaceState.OUTDATED,
    Reason.CHAIN_CHANGED: PlaceState.OUTDATED,
    Reason.UNVERIFIED: PlaceState.PENDING,
}
"""What a need of an install means to a reader; any other is drift."""
_HOSTED = {
    HostingState.ACTIVE: PlaceState.OK,
    HostingState.PENDING: PlaceState.PENDING,
    HostingState.FAILED: PlaceState.FAILED,
}
_Verdict = tuple[PlaceState, str]


def places(world: World) -> Mapping[str, tuple[Place, ...]]:
    """Return by certificate what each of its targets holds, wanted places first, then what is left."""
    left = _left(world)
    found: dict[str, tuple[Place, ...]] = {}
    for name in world.records.keys() | world.desired.certificates.keys():
        record = world.records.get(name) or CertificateRecord(name=name)
        desired = world.desired.certificates.get(name)
        wanted = tuple(_wanted(world, desired, record)) if desired else ()
        found[name] = (*wanted, *_unseen(world, record), *left.get(name, ()))
    return found


def _wanted(
    world: World, desired: DesiredCertificate, record: CertificateRecord
) -> Iterator[Place]:
    for install in desired.installs:
        placement = record.placement(install.target, install.name)
        state, detail = _judged(world, desired, record, install)
        place = Place(install.target, state, detail, install.name)
        seen = world.observation(install.target).status == "observed"
        found = world.installed(install) if seen else None
        yield _verified(_holding(place, found) if found else place, placement)


def _judged(
    world: World, desired: DesiredCertificate, record: CertificateRecord, install: DesiredInstall
) -> _Verdict:
    observation = world.observation(install.target)
    if observation.assumed:
        return PlaceState.ASSUMED, observation.detail
    if observation.status != "observed":
        return PlaceState(observation.status), observation.detail
    found, placement = world.installed(install), record.placement(install.target, install.name)
    if found is None:
        return _absent(placement)
    if world.desired.hosting(desired):
        return _hosted(world, desired, install, found)
    if found.id in install.adopt and (placement is None or placement.serial is None):
        return _adopted(world, install, found)
    need = need_of(world, desired, record, install)
    if need is None:
        return PlaceState.OK, ""
    return _STATES.get(need.reason, PlaceState.DRIFT), need.message


def _absent(placement: Placement | None) -> _Verdict:
    """Tell what has vanished from what was never there."""
    if placement is None or (placement.serial is None and placement.object_id is None):
        return PlaceState.PENDING, "not installed yet"
    return PlaceState.MISSING, "it was there, and is gone"


def _hosted(
    world: World, desired: DesiredCertificate, install: DesiredInstall, found: Installed
) -> _Verdict:
    if taken := occupied(world, desired, install, found):
        return PlaceState.OCCUPIED, taken.message
    if found.hosting is None:
        return PlaceState.OUTDATED, "what is there was installed, not issued there"
    if found.incomplete:
        return PlaceState.DRIFT, "; ".join(found.incomplete)
    return _HOSTED[found.hosting.state], found.hosting.detail


def _adopted(world: World, install: DesiredInstall, found: Installed) -> _Verdict:
    if (install.target, found.id) in world.adopted:
        return PlaceState.ADOPTED, "somebody else's, taken over until it is due"
    return PlaceState.PENDING, "somebody else's, to be taken over"


def _holding(place: Place, found: Installed) -> Place:
    return replace(
        place,
        object_name=found.name,
        id=found.id,
        serial=found.serial or "",
        sha256=found.sha256 or "",
        not_after=found.not_after,
    )


def _verified(place: Place, placement: Placement | None) -> Place:
    if placement is None or placement.serial is None:
        return place
    return replace(place, verified_serial=placement.serial, verified_at=placement.verified_at)


def _unseen(world: World, record: CertificateRecord) -> Iterator[Place]:
    """Yield where a certificate is wanted no longer and nobody can tell whether it is gone."""
    for placement in record.placements:
        target = placement.target
        if (target, placement.object_name) in world.wanted_spots:
            continue
        observation = world.observation(target)
        if observation.status == "observed" and not observation.assumed:
            continue
        why = observation.detail if target in world.desired.targets else "its Target is gone"
        state = PlaceState.ASSUMED if observation.assumed else PlaceState(observation.status)
        detail = f"no longer wanted there; {why}" if why else "no longer wanted there"
        yield _verified(Place(target, state, detail, placement.object_name), placement)


def _left(world: World) -> Mapping[str, tuple[Place, ...]]:
    """Return by certificate the objects of ours that no document asks for."""
    index: dict[str, tuple[Place, ...]] = {}
    for target, observation in world.observed.targets.items():
        for found in () if observation.assumed else observation.installed.values():
            if found.owned_by(world.ledger.lineage.owner) and world.is_unwanted(target, found):
                place = Place(target, PlaceState.UNWANTED, "no longer wanted there")
                name = _name_of(world, target, found)
                index[name] = (*index.get(name, ()), _holding(place, found))
    return index


def _name_of(world: World, target: str, found: Installed) -> str:
    """Whose an object is: the ledger tells, or else its label."""
    if holder := world.hosted.get((target, found.id)):
        return holder
    known = world.serials.get(found.serial or "")
    return known[0].partition("/")[2] if known else found.labels.get(NAME, "")
