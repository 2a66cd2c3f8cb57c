"""What hangs by one generation of a root: certificates in use, and the CAs that would sign more of them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from reconciler.address import place
from reconciler.chains import Generation
from reconciler.diff.sides import unexpired
from reconciler.diff.world import World
from reconciler.ledger.records import CertificateRecord, Issuance, Placement, Status
from reconciler.state import DesiredAuthority
from schemas.plan import Action, Change
from schemas.request import AuthorityRequest

_TAKES_AWAY = frozenset({Action.INSTALL, Action.REMOVE, Action.FORGET})


@dataclass(frozen=True, slots=True)
class Use:
    """One certificate in use, `serial` of `address`, in a target or, with None, wherever it is needed next.

    It is not `seen` where nobody can look: then no change of this run replaces it. `name` is what it was
    called where it stands no more: until what stands there now is verified, it may be put back.
    """

    address: str
    serial: str
    target: str | None = None
    seen: bool = True
    name: str | None = None

    @property
    def where(self) -> str:
        """What it is called where people read."""
        return f"{self.address}@{self.target}" if self.target else self.address


def uses(world: World, root: Generation) -> Iterator[Use]:
    """Yield what hangs by a generation of a root: what is placed, what stands, and what signs still more."""
    serials = _serials(world, root)
    for record in world.records.values():
        yield from _leaf_uses(world, record, serials)
    for desired in world.desired.authorities.values():
        signing = None if desired.retired else _signing(world, desired)
        if signing is not None and not serials.isdisjoint(world.above(signing)):
            yield Use(desired.address, signing.serial)


def _serials(world: World, root: Generation) -> frozenset[str]:
    return frozenset(
        issuance.serial
        for issuance in world.authority(root[0]).issuances
        if isinstance(issuance.request, AuthorityRequest)
        and issuance.request.issuer is None
        and issuance.request.generation == root[1]
    )


def _leaf_uses(world: World, record: CertificateRecord, roots: frozenset[str]) -> Iterator[Use]:
    hung = {
        issuance.serial
        for issuance in record.issuances
        if unexpired(issuance, world.now) and not roots.isdisjoint(world.above(issuance))
    }
    if not hung:
        return
    address, current = f"certificate/{record.name}", record.current
    found = {(serial, target) for serial in hung for target in world.standing.get(serial, ())}
    yield from (Use(address, serial, target) for serial, target in sorted(found))
    for placement in record.placements:
        seen = world.observation(placement.target).status == "observed"
        may = (placement.serial,) if seen else _since(record, placement)
        for serial in may:
            if serial in hung and (serial, placement.target) not in found:
                name = placement.object_name if seen else None
                yield Use(address, str(serial), placement.target, seen, name)
    if current and current.serial in hung and record.name in world.desired.certificates:
        yield Use(address, current.serial)


def _since(record: CertificateRecord, placement: Placement) -> Sequence[str]:
    """The serials that a place may hold which nobody can look at: the one verified last, or any since."""
    order = [issuance.serial for issuance in record.issuances]
    known = placement.serial in order
    return order[order.index(str(placement.serial)) :] if known else order


def _signing(world: World, desired: DesiredAuthority) -> Issuance | None:
    """What an intermediate signs under now: its newest generation, up to the wanted one, that can."""
    if desired.depth == 0:
        return None
    record = world.authority(desired.name)
    every = record.before(desired.request.generation + 1)
    sound = (i for i in every if i.status is Status.ISSUED and i.not_after > world.now)
    return next(sound, None)


def replacing(use: Use, planned: Mapping[str, Sequence[Change]]) -> tuple[str, ...]:
    """Return the changes that take a certificate out of use, by those of its owner; empty where none does."""
    steps = planned.get(use.address, ())
    if use.target is None:
        return tuple(step.id for step in steps if step.action is Action.ISSUE)
    if not use.seen:
        return ()
    there = (s for s in steps if s.action in _TAKES_AWAY and place(s.address) == use.target)
    return tuple(
        step.id for step in there if "replaces" not in (step.after or {}) and _takes_away(step, use)
    )


def _takes_away(step: Change, use: Use) -> bool:
    """Whether a change in the same place is of that certificate, or verifies what stands there instead."""
    after = step.after or {}
    verified = use.name is not None and step.action is Action.INSTALL and after["name"] == use.name
    return verified or (step.before or {}).get("serial") in (None, use.serial)
