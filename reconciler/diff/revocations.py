"""Which serials are to be revoked, and what must be seen working first."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from reconciler.address import place
from reconciler.description import names_of
from reconciler.diagnostics import Diagnostic, warning
from reconciler.diff.changes import blocked, change, seen
from reconciler.diff.sides import unexpired
from reconciler.diff.standing import is_issued_there
from reconciler.diff.world import World
from reconciler.ledger.records import CertificateRecord, Issuance, Status
from reconciler.state import DesiredRevocation
from schemas.certificate import OnRemove
from schemas.plan import Action, Change, Reason, Source
from schemas.request import AuthorityRequest, LeafRequest
from schemas.revocation import RevocationReason

Planned = Mapping[str, Sequence[Change]]
"""Changes by the certificate or authority they belong to."""

TAKES_AWAY = frozenset({Action.INSTALL, Action.REMOVE, Action.FORGET})
REPLACES = TAKES_AWAY | {Action.ISSUE}


@dataclass(frozen=True, slots=True)
class Wanted:
    """One serial that should be revoked. `owner` is the address it was issued for."""

    owner: str
    issuance: Issuance
    reason: RevocationReason
    why: Reason
    message: str
    by: str | None = None
    """The Revocation that asks for it."""
    source: Source | None = None

    @property
    def address(self) -> str:
        """The name of this serial in a plan."""
        return f"{self.owner}#{self.issuance.serial}"


def wanted_revocations(world: World) -> Mapping[str, Wanted]:
    """Return the serials to revoke, by serial: those of Revocations, then those of removed certificates."""
    wanted: dict[str, Wanted] = {}
    for revocation in world.desired.revocations:
        for serial in () if _premature(world, revocation) else _serials(world, revocation):
            if serial in world.serials and _open(world, world.serials[serial][1]):
                wanted.setdefault(serial, _requested(world, revocation, serial))
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
    for item in wanted.values():
        if stands := _in_the_way(world, item, planned):
            yield blocked(item.address, Reason.BLOCKED_BY, stands, source=item.source)
        else:
            yield _revoke(world, item, planned)


def _premature(world: World, revocation: DesiredRevocation) -> bool:
    """Whether `issuedBefore` is still to come: it would revoke every successor until then."""
    return revocation.issued_before is not None and revocation.issued_before > world.now


def _serials(world: World, revocation: DesiredRevocation) -> Iterator[str]:
    yield from revocation.serials
    for name in revocation.certificates:
        record = world.records.get(name)
        for issuance in record.issuances if record else ():
            issued = issuance.issued_at or issuance.reserved_at
            if revocation.issued_before and issued < revocation.issued_before:
                yield issuance.serial


def _open(world: World, issuance: Issuance) -> bool:
    return issuance.status is Status.ISSUED and issuance.not_after > world.now


def _requested(world: World, revocation: DesiredRevocation, serial: str) -> Wanted:
    owner, issuance = world.serials[serial]
    message = f"revocation/{revocation.name}: {revocation.reason}"
    return Wanted(
        owner,
        issuance,
        revocation.reason,
        Reason.REQUESTED,
        message,
        revocation.name,
        revocation.source,
    )


def _removed(record: CertificateRecord, issuance: Issuance) -> Wanted:
    return Wanted(
        f"certificate/{record.name}",
        issuance,
        RevocationReason.CESSATION_OF_OPERATION,
        Reason.REMOVED,
        "removed from the documents with onRemove: revoke",
    )


def _in_the_way(world: World, item: Wanted, planned: Planned) -> str:
    """Say why the serial cannot be revoked yet, in words; empty when it can."""
    if stands := _still_issues(world, item) or _unrevokable(world, item):
        return stands
    for record, serials in _affected(world, item):
        steps = planned.get(f"certificate/{record.name}", ())
        stands = _may_be_served(world, record, serials)
        if stands := stands or _is_kept(world, record, serials, steps):
            return stands
        for serial in serials:
            for target in world.standing.get(serial, ()):
                if not any(_replaces(step, target, serial) for step in steps):
                    return f"{target} would go on serving certificate/{record.name}"
    return ""


def _unrevokable(world: World, item: Wanted) -> str:
    """Say why another CA cannot be told to revoke what it issued; empty when it can, or is ours."""
    request = item.issuance.request
    if not isinstance(request, LeafRequest) or request.issuer_id is None:
        return ""
    issuer = world.desired.issuers.get(request.issuer)
    if issuer is None or not issuer.spec.is_same_ca(request.issuer_id):
        ca = request.issuer_id.partition(" ")[0]
        return f"{ca} issued it, and no Issuer called {request.issuer} names that CA: bring it back"
    if not issuer.spec.capabilities.revokes:
        return f"the issuer {request.issuer} cannot revoke: do it at the CA itself"
    return ""


def _still_issues(world: World, item: Wanted) -> str:
    if not isinstance(item.issuance.request, AuthorityRequest):
        return ""
    name = item.owner.removeprefix("authority/")
    desired = world.desired.authorities.get(name)
    current = world.authority(name).generation(desired.request.generation) if desired else None
    if desired and not desired.retired and current is item.issuance:
        return "it still issues: raise its generation, or set retired: true, first"
    return ""


def _affected(world: World, item: Wanted) -> Iterator[tuple[CertificateRecord, frozenset[str]]]:
    """Yield the certificates that a revocation makes worthless, with the serials it does that to."""
    if not isinstance(item.issuance.request, AuthorityRequest):
        yield (
            world.records[item.owner.removeprefix("certificate/")],
            frozenset({item.issuance.serial}),
        )
        return
    for record in world.records.values():
        below = frozenset(
            issuance.serial
            for issuance in record.issuances
            if unexpired(issuance, world.now) and item.issuance.serial in world.above(issuance)
        )
        if below:
            yield record, below


def _may_be_served(world: World, record: CertificateRecord, serials: frozenset[str]) -> str:
    """Name a target nobody can look at that may hold one of these, or anything issued since."""
    order = [issuance.serial for issuance in record.issuances]
    for placement in record.placements:
        if world.observation(placement.target).status == "observed":
            continue
        known = placement.serial in order
        since = order[order.index(str(placement.serial)) :] if known else order
        if not serials.isdisjoint(since):
            return f"{placement.target} may still serve it and could not be looked at"
    return ""


def _is_kept(
    world: World, record: CertificateRecord, serials: frozenset[str], steps: Sequence[Change]
) -> str:
    """Say that nothing takes the place of the current certificate although something has to."""
    current = record.current
    wanted = record.name in world.desired.certificates
    if not wanted or current is None or current.serial not in serials:
        return ""
    if any(step.action is Action.ISSUE for step in steps):
        return ""
    if world.desired.hosting(world.desired.certificates[record.name]):
        issued = is_issued_there(world, world.desired.certificates[record.name])
        return "" if issued else f"certificate/{record.name} is not issued by its place yet"
    return f"nothing takes the place of certificate/{record.name} yet"


def _replaces(step: Change, target: str, serial: str) -> bool:
    """Whether a change takes a serial out of a target; a new object beside the old one does not."""
    taken = step.action in TAKES_AWAY and (step.before or {}).get("serial") == serial
    return taken and "replaces" not in (step.after or {}) and place(step.address) == target


def _revoke(world: World, item: Wanted, planned: Planned) -> Change:
    return change(
        item.address,
        Action.REVOKE,
        item.why,
        item.message,
        identity={"serial": item.issuance.serial, "reason": item.reason},
        requires=tuple(_first(world, item, planned)),
        source=item.source,
        before={
            **names_of(item.issuance.request),
            **seen(item.issuance),
        },
        after={"reason": str(item.reason), "issuer": item.issuance.request.issuer},
    )


def _first(world: World, item: Wanted, planned: Planned) -> Iterator[str]:
    """Yield what must be done first: all that takes the place of what becomes worthless."""
    for record, serials in _affected(world, item):
        current = record.current
        whole = current is not None and current.serial in serials
        for step in planned.get(f"certificate/{record.name}", ()):
            mine = (step.before or {}).get("serial") in serials
            if step.action in REPLACES and (whole or mine):
                yield step.id


def revocation_warnings(world: World, changes: Sequence[Change]) -> Iterator[Diagnostic]:
    """Yield what a Revocation will not achieve: serials nobody knows, and nobody who is told."""
    for revocation in world.desired.revocations:
        for serial in sorted(set(revocation.serials) - world.serials.keys()):
            yield warning(
                f"serial {serial} is not in the ledger",
                revocation.source,
                hint="it expired, and the line can go; or it was never issued here",
            )
    revoked = [step for step in changes if step.action is Action.REVOKE]
    ours = [s for s in revoked if (s.after or {}).get("issuer") not in world.desired.issuers]
    if ours and world.desired.publish is None:
        yield warning(
            "nobody will hear of the revocation: the Project publishes no CRL",
            ours[0].source,
            hint="set spec.publish in certform.yaml; certificates issued from then on name the CRL",
        )
