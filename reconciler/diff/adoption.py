"""What somebody else installed and a document takes over: adopted as it is, replaced when that is due."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum

from providers.base import NAME, OWNER, Installed
from reconciler.address import spot
from reconciler.checks import Finding
from reconciler.diff.changes import blocked, change, seen
from reconciler.diff.world import World
from reconciler.ledger.records import CertificateRecord
from reconciler.state import DesiredCertificate, DesiredInstall
from schemas.plan import Action, Change, Reason

STOPS = frozenset({Reason.OCCUPIED, Reason.BLOCKED_BY})
"""Why nothing is installed in a place, apart from what concerns the certificate as a whole."""


class _Nobody(Enum):
    """Nobody can tell: a place that may hold the object could not be looked at."""

    KNOWS = 0


_Verdict = Installed | Finding | _Nobody | None
"""The object that stands for a certificate of ours, what is wrong, or that the place is like any other."""


@dataclass(frozen=True, slots=True)
class Adoption:
    """How far a certificate's `adopt` entries have come.

    `objects` stand for the certificate, by install, until one of ours takes their place. `stops` say
    what is wrong with an entry. `changes` take over what is not yet ours. `undecided` tells that an
    entry's object could not be looked for.
    """

    objects: Mapping[DesiredInstall, Installed] = field(default_factory=dict)
    stops: Mapping[DesiredInstall, Finding] = field(default_factory=dict)
    changes: tuple[Change, ...] = ()
    undecided: bool = False

    @property
    def holds_back(self) -> bool:
        """Whether nothing must be issued yet: what is to be taken over was not found, or not looked for."""
        return self.undecided or bool(self.stops)

    def need(self, install: DesiredInstall, record: CertificateRecord) -> Finding | None:
        """What an install that adoption decides about needs; nothing while nothing of ours was issued."""
        if install in self.stops:
            return self.stops[install]
        if record.current is None:
            return None
        return Finding(Reason.SUPERSEDED, "the adopted certificate is still there")

    def decides(self, install: DesiredInstall) -> bool:
        """Whether an install is not like any other."""
        return bool(install.adopt) and (install in self.objects or install in self.stops)

    def stand_ins(self, desired: DesiredCertificate) -> tuple[Installed, ...]:
        """What stands for a certificate of ours, if nothing is missing anywhere."""
        whole = all(install in self.objects for install in desired.installs)
        return tuple(self.objects.values()) if whole else ()


def adoption(world: World, desired: DesiredCertificate, record: CertificateRecord) -> Adoption:
    """Return what becomes of a certificate's `adopt` entries."""
    verdicts = {i: _verdict(world, desired, record, i) for i in desired.installs if i.adopt}
    if not verdicts:
        return Adoption()
    objects = {i: found for i, found in verdicts.items() if isinstance(found, Installed)}
    return Adoption(
        objects,
        {i: why for i, why in verdicts.items() if isinstance(why, Finding)},
        tuple(_changes(world, desired, record, objects)),
        any(verdict is _Nobody.KNOWS for verdict in verdicts.values()),
    )


def _verdict(
    world: World, desired: DesiredCertificate, record: CertificateRecord, install: DesiredInstall
) -> _Verdict:
    if _is_over(record, install):
        return None
    if world.observation(install.target).status != "observed":
        return _Nobody.KNOWS
    found = world.adoptable(install)
    if not found:
        return _missing(world, desired, install)
    if len(found) > 1:
        return Finding(
            Reason.OCCUPIED, f"{found[0].id} and {found[1].id} are both there: adopt one of them"
        )
    stands = world.installed(install)
    if stands is not None and stands.id != found[0].id:
        return Finding(Reason.OCCUPIED, f"{stands.id} is there for it already: leave out `adopt`")
    if why := _refused(world, desired, install, found[0]):
        return Finding(Reason.OCCUPIED, why)
    ours = found[0].serial in {issuance.serial for issuance in record.issuances}
    return None if ours else found[0]


def _is_over(record: CertificateRecord, install: DesiredInstall) -> bool:
    """Whether a certificate of ours was seen working there: from then on the place is like any other."""
    placement = record.placement(install.target, install.name)
    return placement is not None and placement.serial is not None


def _missing(world: World, desired: DesiredCertificate, install: DesiredInstall) -> _Verdict:
    """Judge a place that holds none of the objects: they may be in other places of its target."""
    for id_ in install.adopt:
        places = [i for i in desired.installs if id_ in i.adopt]
        if any(found.id == id_ for i in places for found in world.adoptable(i)):
            continue
        if any(world.observation(i.target).status != "observed" for i in places):
            return _Nobody.KNOWS
        where = ", ".join(i.target for i in places)
        if any(world.observation(i.target).assumed for i in places):
            hint = "adopt it by a change of its own, once the Target is merged"
            return Finding(Reason.BLOCKED_BY, f"nobody looked for {id_} in {where}: {hint}")
        hint = "correct `adopt`, or leave it out to have a certificate issued"
        return Finding(Reason.BLOCKED_BY, f"{id_} is not in {where}: {hint}")
    return None


def _refused(
    world: World, desired: DesiredCertificate, install: DesiredInstall, found: Installed
) -> str:
    """Say why an object cannot be taken over; empty when it can, or was."""
    owner, name = found.labels.get(OWNER), found.labels.get(NAME)
    if owner == world.ledger.lineage.owner:
        taken = name not in (desired.name, *desired.formerly)
        return f"{found.id} holds certificate/{name}" if taken else ""
    if owner is not None:
        return (
            f"{found.id} belongs to another certform, {owner}: it has to be forgotten there first"
        )
    if found.hosting is not None:
        return f"{found.id} is issued and renewed by the place itself: no other can take its place"
    if found.name not in (install.name, found.id):
        return f"{found.id} is called {found.name} there: write `objectName: {found.name}`"
    return ""


def _changes(
    world: World,
    desired: DesiredCertificate,
    record: CertificateRecord,
    objects: Mapping[DesiredInstall, Installed],
) -> Iterator[Change]:
    for install, found in objects.items():
        placement = record.placement(install.target, install.name)
        known = placement is not None and placement.object_id == found.id
        if not known or not found.owned_by(world.ledger.lineage.owner):
            yield _adopt(world, desired, install, found)
    for install in desired.installs:
        if _is_over(record, install):
            yield from _late(world, desired, install)


def _late(world: World, desired: DesiredCertificate, install: DesiredInstall) -> Iterator[Change]:
    """Tell of what cannot be taken over any more; it stands in the way of nothing."""
    stands = world.installed(install)
    for found in world.adoptable(install):
        ours = found.owned_by(world.ledger.lineage.owner)
        if stands is not None and stands.id != found.id and not ours:
            where = spot(desired.name, install.target, found.name)
            message = f"{stands.id} is there for it already: leave {found.id} out of `adopt`"
            yield blocked(where, Reason.OCCUPIED, message, source=desired.source)


def _adopt(
    world: World, desired: DesiredCertificate, install: DesiredInstall, found: Installed
) -> Change:
    return change(
        f"{desired.address}@{install.target}",
        Action.ADOPT,
        Reason.REQUESTED,
        "key unknown until the next renewal",
        identity={
            "id": found.id,
            "serial": found.serial,
            "sha256": found.sha256,
            "name": install.name,
            "labels": {**desired.labels, **world.desired.targets[install.target].spec.tags},
            "onRemove": desired.on_remove,
        },
        source=desired.source,
        before=seen(found),
        after={"id": found.id, "name": install.name},
    )
