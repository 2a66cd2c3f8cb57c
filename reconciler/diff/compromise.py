"""What a compromised CA key has issued anew: told apart, since nobody counts what has to be done in haste."""

from collections.abc import Iterator, Mapping, Sequence

from reconciler.diff.world import World
from reconciler.ledger.records import Issuance
from reconciler.state import DesiredRevocation
from schemas.plan import TIME_DRIVEN, Action, Change, Reason
from schemas.request import AuthorityRequest
from schemas.revocation import COMPROMISES

Compromised = Mapping[tuple[str, int], DesiredRevocation]
"""The generations of CAs whose key is in other hands, and the document that says so."""


def is_compromise(revocation: DesiredRevocation) -> bool:
    """Whether a document revokes a CA's generation since its key is in other hands."""
    return revocation.authority is not None and revocation.reason in COMPROMISES


def compromised(revocations: Sequence[DesiredRevocation]) -> Compromised:
    """Return the generations of CAs whose key is in other hands, as documents say."""
    return {
        (str(revocation.authority), revocation.generation or 0): revocation
        for revocation in revocations
        if is_compromise(revocation)
    }


def marked(world: World, changes: Sequence[Change]) -> list[Change]:
    """Return changes with the reason `Compromised` where a compromised key has something issued anew."""
    known = compromised(world.desired.revocations)
    if not known:
        return list(changes)
    serials = dict(_serials(world, known))
    return [
        _marked(step, revocation)
        if _may_be_caused(step) and (revocation := _cause(world, step, known, serials))
        else step
        for step in changes
    ]


def _serials(world: World, known: Compromised) -> Iterator[tuple[str, DesiredRevocation]]:
    """Yield the serials of the CA certificates of compromised generations."""
    for (name, number), revocation in known.items():
        for issuance in world.authority(name).issuances:
            request = issuance.request
            if isinstance(request, AuthorityRequest) and request.generation == number:
                yield issuance.serial, revocation


def _may_be_caused(step: Change) -> bool:
    """Whether a change issues, and not only since its time has come, or an earlier run was cut short."""
    return step.action is Action.ISSUE and step.reason not in TIME_DRIVEN


def _cause(
    world: World, step: Change, known: Compromised, serials: Mapping[str, DesiredRevocation]
) -> DesiredRevocation | None:
    kind, _, name = step.address.partition("/")
    if kind == "certificate":
        record = world.records.get(name)
        current = record.current if record else None
        if found := _hung_by(world, current, known, serials):
            return found
        return _crossed_by(world, current, known) if _is_keyless(step) else None
    desired = world.desired.authorities.get(name) if kind == "authority" else None
    if desired is None:
        return None
    number = desired.request.generation
    issued = world.authority(name).issued(number)
    if issued is None:
        before = next(world.authority(name).before(number), None)
        return known.get((name, before.generation)) if before else None
    return _hung_by(world, issued, known, serials)


def _hung_by(
    world: World,
    issuance: Issuance | None,
    known: Compromised,
    serials: Mapping[str, DesiredRevocation],
) -> DesiredRevocation | None:
    """Return the document that says that what a certificate hangs by is compromised."""
    if issuance is None:
        return None
    issuer = (str(issuance.request.issuer), issuance.request.issuer_generation or 0)
    above = (serials[serial] for serial in world.above(issuance) if serial in serials)
    return known.get(issuer) or next(above, None)


def _is_keyless(step: Change) -> bool:
    """Whether a certificate is issued anew since its chain is another one, and its key was not kept."""
    return step.reason is Reason.KEY_UNAVAILABLE


def _crossed_by(
    world: World, issuance: Issuance | None, known: Compromised
) -> DesiredRevocation | None:
    """Return the document that took the cross-certificate away that a chain ended in."""
    line = world.line(issuance) if issuance is not None else ()
    if not line:
        return None
    root, number = line[-1]
    crossing = world.authority(root).crossing(number)
    return known.get((root, crossing.request.issuer_generation or 0)) if crossing else None


def _marked(step: Change, revocation: DesiredRevocation) -> Change:
    cause = f"revocation/{revocation.name}"
    message = step.message if cause in step.message else f"{cause}: {step.message}"
    return step.model_copy(update={"reason": Reason.COMPROMISED, "message": message})
