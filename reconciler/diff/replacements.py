"""What takes the place of what is revoked, and who would be left with nothing that is believed."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from reconciler.address import place
from reconciler.diff.sides import unexpired
from reconciler.diff.standing import is_issued_there
from reconciler.diff.world import World
from reconciler.ledger.records import CertificateRecord, Issuance
from schemas.plan import Action, Change
from schemas.request import AuthorityRequest

Planned = Mapping[str, Sequence[Change]]
"""Changes by the certificate or authority they belong to."""

TAKES_AWAY = frozenset({Action.INSTALL, Action.REMOVE, Action.FORGET})
REPLACES = TAKES_AWAY | {Action.ISSUE}


@dataclass(frozen=True, slots=True)
class Share:
    """A certificate, and those of its serials that a revocation makes worthless.

    What is only `crossed` has a cross-certificate in its chain, and hangs by its own root all the same.
    """

    record: CertificateRecord
    serials: frozenset[str]
    crossed: bool = False

    @property
    def address(self) -> str:
        """The name of the certificate in a plan."""
        return f"certificate/{self.record.name}"


@dataclass(frozen=True, slots=True)
class Hanging:
    """What hangs by each serial that is to be revoked: itself for a leaf, all below it for a CA.

    `authorities` are the CAs that sign, by the serials that they hang by or are.
    """

    leaves: Mapping[str, Sequence[Share]] = field(default_factory=dict)
    authorities: Mapping[str, Sequence[str]] = field(default_factory=dict)


def hanging(world: World, revoked: Collection[Issuance]) -> Hanging:
    """Return what hangs by each of some serials, in one look at everything there is."""
    leaves = {i.serial for i in revoked if not isinstance(i.request, AuthorityRequest)}
    cas = {i.serial for i in revoked} - leaves
    if not leaves and not cas:
        return Hanging()
    shares: dict[str, list[Share]] = {}
    for _, record in sorted(world.records.items()):
        below: dict[str, set[str]] = {}
        for issuance in record.issuances:
            if issuance.serial in leaves:
                below.setdefault(issuance.serial, set()).add(issuance.serial)
            if cas and unexpired(issuance, world.now):
                for serial in _holding_up(world, issuance) & cas:
                    below.setdefault(serial, set()).add(issuance.serial)
        for serial, worthless in below.items():
            crossed = serial in world.leaving
            shares.setdefault(serial, []).append(Share(record, frozenset(worthless), crossed))
    return Hanging(shares, _authorities(world, cas))


def _holding_up(world: World, issuance: Issuance) -> frozenset[str]:
    """Return the serials of the CAs in a chain, a cross-certificate that is leaving among them."""
    above = world.above(issuance)
    found = world.ancestry(issuance) if world.leaving else None
    cross = found.cross(issuance) if found and found.crosses else None
    return above | {cross[0].serial} if cross else above


def _authorities(world: World, cas: Collection[str]) -> Mapping[str, Sequence[str]]:
    """Return the names of the CAs that sign now and hang by a serial, or are it."""
    found: dict[str, list[str]] = {}
    wanted = world.desired.authorities
    for name in sorted(wanted, key=lambda name: (wanted[name].depth, name)) if cas else ():
        signing = world.authority(name).issued(wanted[name].request.generation)
        if signing is None or wanted[name].retired:
            continue
        for serial in {signing.serial, *world.above(signing)}.intersection(cas):
            found.setdefault(serial, []).append(name)
    return found


def standing_in_the_way(world: World, issuance: Issuance, below: Hanging, planned: Planned) -> str:
    """Say what nothing takes the place of yet; empty when everything that is needed has been planned."""
    for name in below.authorities.get(issuance.serial, ()):
        if not _is_issued(planned.get(f"authority/{name}", ())):
            return _still_signs(world, name, issuance)
    obstacles = (
        why
        for share in below.leaves.get(issuance.serial, ())
        for why, _ in _obstacles(world, share, planned.get(share.address, ()))
    )
    return next(obstacles, "")


def taken_down(
    world: World, issuance: Issuance, below: Hanging, planned: Planned
) -> tuple[str, ...]:
    """Return the addresses of all that nothing takes the place of, each with the place that serves it."""
    found = {
        address
        for share in below.leaves.get(issuance.serial, ())
        for _, addresses in _obstacles(world, share, planned.get(share.address, ()))
        for address in addresses
    }
    return tuple(sorted(found))


def replacements(issuance: Issuance, below: Hanging, planned: Planned) -> Iterator[str]:
    """Yield what must be done first: all that takes the place of what becomes worthless."""
    for name in below.authorities.get(issuance.serial, ()):
        for step in planned.get(f"authority/{name}", ()):
            if step.action is Action.ISSUE:
                yield step.id
    for share in below.leaves.get(issuance.serial, ()):
        current = share.record.current
        whole = current is not None and current.serial in share.serials
        for step in planned.get(share.address, ()):
            mine = (step.before or {}).get("serial") in share.serials
            if step.action in REPLACES and (whole or mine):
                yield step.id


def _is_issued(steps: Sequence[Change]) -> bool:
    return any(step.action is Action.ISSUE for step in steps)


def _still_signs(world: World, name: str, issuance: Issuance) -> str:
    number = world.desired.authorities[name].request.generation
    signing = world.authority(name).issued(number)
    if signing is None or signing.serial != issuance.serial:
        return f"authority/{name} hangs by it, and nothing takes its place yet"
    if (issuance.request.issuer, issuance.request.issuer_generation) in world.given_up:
        return f"nothing takes the place of authority/{name} yet"
    return "it still issues: revoke its generation by authorityRef, raise it, or set retired: true"


def _obstacles(
    world: World, share: Share, steps: Sequence[Change]
) -> Iterator[tuple[str, Sequence[str]]]:
    """Yield why a certificate is not replaced everywhere, and the places that this is about."""
    places = _may_serve(world, share)
    for target in places:
        why = f"{target} may still serve it and could not be looked at"
        yield why, (f"{share.address}@{target}",)
    standing = [(t, s) for s in sorted(share.serials) for t in world.standing.get(s, ())]
    if why := _is_kept(world, share, steps):
        there = tuple(dict.fromkeys(f"{share.address}@{target}" for target, _ in standing))
        yield why, there or (() if places else (share.address,))
    for target, serial in standing:
        if share.crossed and not _has_cross(world, target, serial):
            continue
        if not any(_replaces(step, target, serial) for step in steps):
            why = f"{target} would go on serving {share.address}"
            yield why, (f"{share.address}@{target}",)


def _may_serve(world: World, share: Share) -> Sequence[str]:
    """Return the targets nobody can look at that may hold one of these, or anything issued since."""
    order = [issuance.serial for issuance in share.record.issuances]
    found = []
    for placement in share.record.placements:
        if world.observation(placement.target).status == "observed":
            continue
        known = placement.serial in order
        since = order[order.index(str(placement.serial)) :] if known else order
        if not share.serials.isdisjoint(since):
            found.append(placement.target)
    return found


def _has_cross(world: World, target: str, serial: str) -> bool:
    """Whether what stands in a target has another chain than it is to have, as far as anybody can tell."""
    found = world.standing_as(target, serial)
    if found is None or found.trust is None:
        return False
    return found.trust != world.trust(world.serials[serial][1])


def _is_kept(world: World, share: Share, steps: Sequence[Change]) -> str:
    """Say that nothing takes the place of the current certificate although something has to."""
    if share.crossed:
        return ""  # it is good without
    current, name = share.record.current, share.record.name
    wanted = world.desired.certificates.get(name)
    if wanted is None or current is None or current.serial not in share.serials:
        return ""
    if _is_issued(steps):
        return ""
    if world.desired.hosting(wanted):
        issued = is_issued_there(world, wanted)
        return "" if issued else f"{share.address} is not issued by its place yet"
    return f"nothing takes the place of {share.address} yet"


def _replaces(step: Change, target: str, serial: str) -> bool:
    """Whether a change takes a serial out of a target; a new object beside the old one does not."""
    taken = step.action in TAKES_AWAY and (step.before or {}).get("serial") == serial
    return taken and "replaces" not in (step.after or {}) and place(step.address) == target
