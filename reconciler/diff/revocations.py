"""Which serials are to be revoked, and what must be seen working first."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from reconciler.description import names_of
from reconciler.diagnostics import Diagnostic, warning
from reconciler.diff.changes import blocked, change, seen
from reconciler.diff.compromise import is_compromise
from reconciler.diff.past import past_warnings
from reconciler.diff.replacements import (
    Hanging,
    Planned,
    hanging,
    replacements,
    standing_in_the_way,
    taken_down,
)
from reconciler.diff.world import World
from reconciler.ledger.records import CertificateRecord, Issuance, Status
from reconciler.state import DesiredRevocation
from schemas.certificate import OnRemove
from schemas.plan import Action, Change, Reason, Source
from schemas.request import AuthorityRequest, LeafRequest
from schemas.revocation import RevocationReason

OF_CAS_ALONE = "cACompromise is said of the certificate of a CA alone: a leaf's is keyCompromise"
_NAMED = 3
"""How many places an outage names before the rest is a number."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """One serial that should be revoked. `owner` is the address it was issued for.

    `immediate` tells that it waits for nothing that takes its place.
    """

    owner: str
    issuance: Issuance
    reason: RevocationReason
    why: Reason
    message: str
    by: str | None = None
    """The Revocation that asks for it."""
    source: Source | None = None
    immediate: bool = False

    @property
    def address(self) -> str:
        """The name of this serial in a plan."""
        return f"{self.owner}#{self.issuance.serial}"


def wanted_revocations(world: World) -> Mapping[str, Wanted]:
    """Return the serials to revoke, by serial: those of Revocations, then those of removed certificates.

    What a document names goes before what only hangs by a generation that another one names.
    """
    wanted: dict[str, Wanted] = {}
    for revocation in world.desired.revocations:
        for serial in () if _premature(world, revocation) else _serials(world, revocation):
            if serial in world.serials and _open(world, world.serials[serial][1]):
                wanted.setdefault(serial, _requested(world, revocation, serial))
    for serial, revocation, reason in _of_generations(world):
        wanted.setdefault(serial, _requested(world, revocation, serial, reason))
    for record in world.records.values():
        if record.name not in world.desired.certificates and record.on_remove is OnRemove.REVOKE:
            for issuance in record.issuances:
                if _open(world, issuance):
                    wanted.setdefault(issuance.serial, _removed(record, issuance))
    return wanted


def revocation_changes(
    world: World, wanted: Mapping[str, Wanted], planned: Planned
) -> Iterator[Change]:
    """Yield each revocation, after everything planned that replaces the serial."""
    for revocation in world.desired.revocations:
        if _premature(world, revocation):
            message = "issuedBefore is still to come: it would revoke every successor until then"
            address = f"revocation/{revocation.name}"
            yield blocked(address, Reason.REQUESTED, message, source=revocation.source)
    below = hanging(world, [item.issuance for item in wanted.values()])
    for item in wanted.values():
        if stands := _in_the_way(world, item, below, planned):
            yield blocked(item.address, Reason.BLOCKED_BY, stands, source=item.source)
        else:
            yield _revoke(world, item, below, planned)


def _premature(world: World, revocation: DesiredRevocation) -> bool:
    """Whether `issuedBefore` is still to come: it would revoke every successor until then."""
    return revocation.issued_before is not None and revocation.issued_before > world.now


def _serials(world: World, revocation: DesiredRevocation) -> Iterator[str]:
    yield from revocation.serials
    for name in revocation.certificates:
        for record in _called(world, name):
            for issuance in record.issuances:
                issued = issuance.issued_at or issuance.reserved_at
                if revocation.issued_before and issued < revocation.issued_before:
                    yield issuance.serial


def _called(world: World, name: str) -> Iterator[CertificateRecord]:
    """Yield what is known under a name; what was renamed since goes by what it is called now."""
    if name in world.records:
        yield world.records[name]
        return
    for heir in world.heirs.get(name, ()):
        if heir.name in world.records:
            yield world.records[heir.name]


def _of_generations(
    world: World,
) -> Iterator[tuple[str, DesiredRevocation, RevocationReason | None]]:
    """Yield the serials of each generation that is revoked, its own first, then those that it issued.

    The reason is None where it is the document's; what a CA issued is superseded with it.
    """
    named = {
        (r.authority, r.generation or 0): r
        for r in reversed(world.desired.revocations)
        if r.authority is not None
    }
    if not named:
        return
    below: list[tuple[str, DesiredRevocation, RevocationReason | None]] = []
    for serial, (owner, issuance) in world.serials.items():
        if not _open(world, issuance):
            continue
        request = issuance.request
        if isinstance(request, AuthorityRequest):
            own = named.get((owner.removeprefix("authority/"), request.generation))
            if own is not None:
                yield serial, own, None
                continue
        if by := named.get((str(request.issuer), request.issuer_generation or 0)):
            below.append((serial, by, RevocationReason.SUPERSEDED))
    yield from below


def _open(world: World, issuance: Issuance) -> bool:
    return issuance.status is Status.ISSUED and issuance.not_after > world.now


def _requested(
    world: World,
    revocation: DesiredRevocation,
    serial: str,
    reason: RevocationReason | None = None,
) -> Wanted:
    owner, issuance = world.serials[serial]
    message = f"revocation/{revocation.name}: {revocation.reason}"
    if reason is not None:
        message += f" of authority/{revocation.authority}, generation {revocation.generation}"
    return Wanted(
        owner,
        issuance,
        reason or revocation.reason,
        Reason.COMPROMISED if is_compromise(revocation) else Reason.REQUESTED,
        message,
        revocation.name,
        revocation.source,
        revocation.immediate,
    )


def _removed(record: CertificateRecord, issuance: Issuance) -> Wanted:
    return Wanted(
        f"certificate/{record.name}",
        issuance,
        RevocationReason.CESSATION_OF_OPERATION,
        Reason.REMOVED,
        "removed from the documents with onRemove: revoke",
    )


def _in_the_way(world: World, item: Wanted, below: Hanging, planned: Planned) -> str:
    """Say why the serial cannot be revoked yet, in words; empty when it can."""
    if stands := _unsound(world, item):
        return stands
    return "" if item.immediate else standing_in_the_way(world, item.issuance, below, planned)


def _unsound(world: World, item: Wanted) -> str:
    """Say why nobody can revoke a certificate for that reason; empty when somebody can.

    Another CA cannot be told to revoke what it issued if nobody knows how.
    """
    request = item.issuance.request
    if isinstance(request, LeafRequest) and item.reason is RevocationReason.CA_COMPROMISE:
        return OF_CAS_ALONE
    if request.issuer_id is None:
        return ""
    issuer = world.desired.issuers.get(str(request.issuer))
    if issuer is None or not issuer.spec.is_same_ca(request.issuer_id):
        ca = request.issuer_id.partition(" ")[0]
        return f"{ca} issued it, and no Issuer called {request.issuer} names that CA: bring it back"
    if not issuer.spec.capabilities.revokes:
        return f"the issuer {request.issuer} cannot revoke: do it at the CA itself"
    return ""


def _revoke(world: World, item: Wanted, below: Hanging, planned: Planned) -> Change:
    first = tuple(replacements(item.issuance, below, planned))
    outage = taken_down(world, item.issuance, below, planned) if item.immediate else ()
    return change(
        item.address,
        Action.REVOKE,
        item.why,
        f"{_outage(outage)}{item.message}",
        identity={
            "serial": item.issuance.serial,
            "reason": item.reason,
            **({"immediate": True} if item.immediate else {}),
        },
        requires=() if item.immediate else first,
        follows=first if item.immediate else (),
        source=item.source,
        before={
            **names_of(item.issuance.request),
            **seen(item.issuance),
        },
        after={
            "reason": str(item.reason),
            "issuer": item.issuance.request.issuer,
            **({"outage": list(outage)} if outage else {}),
        },
    )


def _outage(places: Sequence[str]) -> str:
    """Begin a message with whom a revocation takes down; empty where that is nobody."""
    if not places:
        return ""
    more = f" and {len(places) - _NAMED:,} more" if len(places) > _NAMED else ""
    return f"OUTAGE of {', '.join(places[:_NAMED])}{more}: "


def revocation_warnings(world: World, changes: Sequence[Change]) -> Iterator[Diagnostic]:
    """Yield what a Revocation will not achieve: serials nobody knows, and nobody who is told."""
    yield from past_warnings(world)
    yield from _unissued(world)
    yield from _outages(world, changes)
    revoked = [step for step in changes if step.action is Action.REVOKE]
    ours = [s for s in revoked if (s.after or {}).get("issuer") not in world.desired.issuers]
    if ours and world.desired.publish is None:
        yield warning(
            "nobody will hear of the revocation: the Project publishes no CRL",
            ours[0].source,
            hint="set spec.publish in certform.yaml; certificates issued from then on name the CRL",
        )


def _outages(world: World, changes: Sequence[Change]) -> Iterator[Diagnostic]:
    """Yield whom each Revocation takes down that waits for nothing, where it is written."""
    down: dict[str, set[str]] = {}
    for step in changes:
        for address in (step.after or {}).get("outage", ()) if step.action is Action.REVOKE else ():
            down.setdefault(str(step.source), set()).add(address)
    for revocation in world.desired.revocations:
        if places := sorted(down.get(str(revocation.source), ())):
            yield warning(
                f"{_outage(places)}revocation/{revocation.name} is immediate",
                revocation.source,
                detail="What is served there is revoked before anything takes its place.",
                hint="without `immediate` it is revoked as soon as it was replaced everywhere",
            )


def _unissued(world: World) -> Iterator[Diagnostic]:
    """Yield the generations to revoke that never were."""
    for revocation in world.desired.revocations:
        name, number = revocation.authority, revocation.generation
        if name is None or number is None or world.authority(name).generation(number):
            continue
        yield warning(
            f"authority/{name} has no generation {number} yet",
            revocation.source,
            hint="it is never issued while this document is there: was another one meant?",
        )
