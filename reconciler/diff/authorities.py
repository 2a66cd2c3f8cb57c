"""CAs of ours: issued once a generation; what cannot be changed in place says so."""

from collections.abc import Iterator

from reconciler.checks import Finding
from reconciler.custody import key_holder
from reconciler.description import describe_authority
from reconciler.diff.changes import blocked, change, change_id
from reconciler.diff.sides import unexpired
from reconciler.diff.world import World
from reconciler.ledger.records import AuthorityRecord, Issuance, Status
from reconciler.schedule import is_ahead
from reconciler.state import DesiredAuthority
from schemas.plan import Action, Change, Reason
from schemas.scalars import format_instant

NEW_ROOT = "add a new Authority and move its children there"


def authority_changes(world: World) -> Iterator[Change]:
    """Yield what every CA needs, and what stands in the way of those that left the documents."""
    coming: set[str] = set()
    for desired in sorted(world.desired.authorities.values(), key=lambda a: a.depth):
        for step in _wanted(world, desired, frozenset(coming)):
            if step.action is Action.ISSUE:
                coming.add(step.address)
            yield step
    for name in world.ledger.authorities.keys() - world.desired.authorities.keys():
        yield _unwanted(world, world.ledger.authorities[name])


def _wanted(world: World, desired: DesiredAuthority, coming: frozenset[str]) -> Iterator[Change]:
    record = world.authority(desired.name)
    found = record.generation(desired.request.generation)
    if found is None or found.status is Status.RESERVED:
        if stands := world.unready(desired.request, coming) or _lacks_key(world, desired):
            yield blocked(desired.address, Reason.BLOCKED_BY, stands, source=desired.source)
            return
        yield from _issue(desired, record, found)
    elif stuck := _stuck(world, desired, found):
        yield blocked(desired.address, stuck.reason, stuck.message, source=desired.source)


def _lacks_key(world: World, desired: DesiredAuthority) -> str:
    holder = "" if desired.retired else key_holder(world.ledger.authorities, desired)
    hint = "make a new one, and name it in privateKey.custody"
    return f"its key is that of {holder}: {hint}" if holder else ""


def _issue(
    desired: DesiredAuthority, record: AuthorityRecord, reserved: Issuance | None
) -> Iterator[Change]:
    if desired.retired:
        return
    if record.issuances and reserved is None and desired.request.issuer is None:
        message = f"a root is never replaced in place: {NEW_ROOT}"
        yield blocked(desired.address, Reason.SPEC_CHANGED, message, source=desired.source)
        return
    parent = desired.request.issuer
    begun = reserved is not None and reserved.digest == desired.digest
    yield change(
        desired.address,
        Action.ISSUE,
        Reason.RESUMING if begun else Reason.NOT_FOUND,
        "reserved, not yet issued" if begun else "no certificate yet",
        identity={"after": desired.digest, "recipients": [r.to_json() for r in desired.recipients]},
        requires=(change_id(Action.ISSUE, f"authority/{parent}"),) if parent else (),
        source=desired.source,
        after=describe_authority(desired.request),
        due=begun,
    )


def _stuck(world: World, desired: DesiredAuthority, found: Issuance) -> Finding | None:
    """Say why a CA certificate that exists is not the one wanted; only a new generation helps."""
    raise_it = f"set generation: {desired.request.generation + 1}"
    if desired.request.issuer is None:
        raise_it = NEW_ROOT
    if found.status is Status.REVOKED:
        return Finding(Reason.REVOKED, f"this generation is revoked: {raise_it}")
    if found.not_after <= world.now:
        return Finding(Reason.EXPIRED, f"expired at {format_instant(found.not_after)}: {raise_it}")
    if is_ahead(found.not_before, world.now):
        starts = format_instant(found.not_before)
        return Finding(Reason.NOT_YET_VALID, f"not valid before {starts}: wait, or {raise_it}")
    if found.request != desired.request:
        return Finding(
            Reason.SPEC_CHANGED,
            f"a CA certificate is never changed in place: {raise_it}, or undo the edit",
        )
    return None


def _unwanted(world: World, record: AuthorityRecord) -> Change:
    address = f"authority/{record.name}"
    if live := _live_children(world, record.name):
        message = f"{live} of its certificates are still valid: bring it back with `retired: true`"
        return blocked(address, Reason.ORPHANED, message)
    if any(unexpired(issuance, world.now) for issuance in record.issuances):
        message = "its own certificate is still valid: bring it back with `retired: true`"
        return blocked(address, Reason.ORPHANED, message)
    return change(
        address,
        Action.FORGET,
        Reason.ORPHANED,
        "no longer wanted, expired, and nothing it issued is still valid; its key is dropped from the ledger",
        identity={"serials": [issuance.serial for issuance in record.issuances]},
        due=world.base is None or record.name not in world.base.authorities,
    )


def _live_children(world: World, name: str) -> int:
    return sum(
        unexpired(issuance, world.now)
        for _, issuance in world.serials.values()
        if issuance.request.issuer == name
    )
