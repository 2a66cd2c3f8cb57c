"""Cross-certificates: a root's new generation, signed by the one before for whoever knows only that."""

from collections.abc import Collection, Iterator, Mapping
from typing import TypeGuard

from reconciler.chains import beyond
from reconciler.checks import Finding
from reconciler.custody import signs_offline
from reconciler.description import describe_authority
from reconciler.diff.changes import blocked, change, change_id, seen
from reconciler.diff.dues import is_renewed_anyway
from reconciler.diff.generations import CEREMONY, NOTHING, Steps
from reconciler.diff.hanging import uses
from reconciler.diff.prospects import Errand, Prospects, is_sound
from reconciler.diff.withholding import hindrance
from reconciler.diff.world import World
from reconciler.ledger.records import Issuance, Status
from reconciler.schedule import is_resumable, renewal_time
from reconciler.state import DesiredAuthority
from schemas.base import digest
from schemas.plan import Action, Reason
from schemas.request import AuthorityRequest


def crossing(above: Prospects, desired: DesiredAuthority, leaving: Collection[str]) -> Steps:
    """Return the cross-certificate of a root, by a generation before that can sign."""
    number, root = desired.request.generation, above.signing.get(desired.name)
    wanted = desired.crossed and not desired.retired and desired.request.issuer is None
    if not wanted or root is None or root.request.generation != number:
        return NOTHING
    older = _older(above.world, desired, leaving)
    if older is None:
        return NOTHING
    request = root.request.model_copy(
        update={"issuer": desired.name, "issuer_generation": older.generation}
    )
    errand = Errand(f"cross/{desired.name}-g{number}", desired.name, request, _digest(request))
    why = _why(above, desired, errand, older)
    return _issue(above, desired, errand, older, why) if why else NOTHING


def _older(world: World, desired: DesiredAuthority, leaving: Collection[str]) -> Issuance | None:
    """The generation that signs, of those before that can and are not given up.

    The one that did; else the newest that something hangs by, or else the newest.
    """
    name, number = desired.name, desired.request.generation
    record = world.authority(name)
    sound = {
        issued.generation: issued
        for issued in record.before(number)
        if issued.serial not in leaving
        and not world.is_given_up(name, issued)
        and is_sound(world, issued)
    }
    last = record.crossing(number)
    if last is not None and last.request.issuer_generation in sound:
        return sound[last.request.issuer_generation]
    used = (n for n in sound if any(True for _ in uses(world, (name, n))))
    found = next(used, next(iter(sound), None))
    return None if found is None else sound[found]


def _is_begun(reserved: Issuance | None) -> TypeGuard[Issuance]:
    return reserved is not None and reserved.status is Status.RESERVED


def _digest(request: AuthorityRequest) -> str:
    return digest(request.to_json())


def _why(
    above: Prospects, desired: DesiredAuthority, errand: Errand, older: Issuance
) -> Finding | None:
    world, number = above.world, errand.request.generation
    record = world.authority(desired.name)
    reserved, crossed = record.crossing(number), record.crossed(number)
    if _is_begun(reserved) and is_resumable(reserved, errand.digest, world.now):
        return Finding(Reason.RESUMING, "reserved, not yet issued")
    if crossed is None:
        message = f"generation {errand.signer[1]} vouches for it, where it is not known yet"
        return Finding(Reason.CROSS_SIGNED, message)
    if crossed.status is Status.REVOKED or renewal_time(crossed, desired.renew_before) > world.now:
        return None
    own = record.issued(number)
    if own is None or min(own.not_after, older.not_after) <= crossed.not_after:
        return None
    return Finding(Reason.RENEWING, f"{(crossed.not_after - world.now).days} days left")


def _is_due(
    world: World, desired: DesiredAuthority, crossed: Issuance | None, why: Finding
) -> bool:
    """Whether time alone asks for it, where it was asked for before: what was begun is gone on with."""
    if why.reason is Reason.RESUMING or crossed is None:
        return why.reason is Reason.RESUMING
    former = world.base.authorities.get(desired.name) if world.base else desired
    return former is not None and former.crossed and is_renewed_anyway(world, desired, crossed)


def _issue(
    above: Prospects, desired: DesiredAuthority, errand: Errand, older: Issuance, why: Finding
) -> Steps:
    world = above.world
    if found := hindrance(world, desired, errand.address):
        return (found,), None
    if isinstance(older.request, AuthorityRequest):
        crowded = _crowded(world.desired.authorities, desired.name, older.request)
        for reason in (*beyond(errand.request, (older.request,)), *crowded):
            step = blocked(errand.address, Reason.BLOCKED_BY, reason, source=desired.source)
            return (step,), None
    if signs_offline(*errand.signer, world.ledger.authorities, world.desired.authorities):
        message = f"{why.message}: {CEREMONY}"
        step = blocked(errand.address, Reason.CEREMONY, message, source=desired.source)
        return (step,), errand
    crossed = world.authority(desired.name).crossed(errand.request.generation)
    step = change(
        errand.address,
        Action.ISSUE,
        why.reason,
        why.message,
        identity={"after": errand.digest},
        requires=(change_id(Action.ISSUE, desired.address),),
        source=desired.source,
        before=seen(crossed) if crossed else None,
        after=describe_authority(errand.request),
        due=_is_due(world, desired, crossed, why),
    )
    return (step,), errand


def _crowded(
    authorities: Mapping[str, DesiredAuthority], root: str, older: AuthorityRequest
) -> Iterator[str]:
    """Yield each CA that no chain would lead to from the older root: the cross-certificate is one CA more."""
    for name, ca in sorted(authorities.items()):
        top = ca
        while above := authorities.get(top.request.issuer or ""):
            top = above
        below = ca.depth + 1
        if top.name == root and older.path_length is not None and below > older.path_length:
            limit = f"its pathLength {older.path_length} leaves no room for {name}"
            yield f"{limit} below a cross-certificate ({older.common_name})"
