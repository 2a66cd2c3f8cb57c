"""CAs of ours, from the roots downwards: what each needs, and as what it signs once it has that."""

from collections.abc import Collection, Iterator

from reconciler.diagnostics import Diagnostic, warning
from reconciler.diff.changes import blocked, change
from reconciler.diff.crossings import crossing
from reconciler.diff.generations import Case, Steps, generation_steps
from reconciler.diff.prospects import Prospect, Prospects, is_sound
from reconciler.diff.sides import unexpired
from reconciler.diff.takeovers import is_taken_over_here, is_takeover, takeover_changes
from reconciler.diff.world import World
from reconciler.ledger.records import AuthorityRecord, Issuance, Status
from reconciler.state import DesiredAuthority
from schemas.plan import Action, Change, Reason
from schemas.request import AuthorityRequest


def prospects_of(world: World, leaving: Collection[str]) -> Prospects:
    """Return what becomes of every CA; `leaving` are the serials that are about to be revoked."""
    seen = Prospects(world, tuple(_left_behind(world)))
    for desired in sorted(world.desired.authorities.values(), key=lambda a: (a.depth, a.name)):
        taking = takeover_changes(world, desired)
        seen = seen.having(taking, None)
        if not desired.is_anchor or is_taken_over_here(world, desired):
            seen = _with(seen, desired, leaving)
        # what keeps it from being what it was says more than what keeps it from being changed
        seen = seen.having([step for step in taking if step.action is Action.BLOCKED], None)
    return seen


def _with(seen: Prospects, desired: DesiredAuthority, leaving: Collection[str]) -> Prospects:
    if is_taken_over_here(seen.world, desired):
        known = seen.having((), None, _taken_over(seen, desired))
    else:
        own = generation_steps(Case(seen, desired, desired.address, desired.request))
        known = seen.having(*own, signing=_prospect(seen, desired, own, leaving))
    known = known.having(*crossing(known, desired, leaving))
    if desired.standby is None or desired.retired:
        return known
    address = f"standby/{desired.name}-g{desired.standby.generation}"
    return known.having(*generation_steps(Case(known, desired, address, desired.standby)))


def _prospect(
    seen: Prospects, desired: DesiredAuthority, own: Steps, leaving: Collection[str]
) -> Prospect | None:
    """Return as what a CA signs: the generation that is wanted, or while that waits the one before it."""
    issued = seen.world.authority(desired.name).issued(desired.request.generation)
    sound = issued if is_sound(seen.world, issued) else None
    standing = _standing(seen.world, desired.name, sound) if sound else None
    errand = own[1]
    if errand is not None and any(step.action is Action.ISSUE for step in own[0]):
        line = ((desired.name, errand.request.generation), *seen.line(errand.request))
        renewal = standing is not None and standing.line == line
        return Prospect(errand.request, line, coming=True, renewal=renewal)
    if issued is not None and issued.status is Status.REVOKED:
        return _later(seen.world, desired)
    if standing is not None or issued is not None:
        return standing
    return _earlier(seen.world, desired, leaving)


def _taken_over(seen: Prospects, desired: DesiredAuthority) -> Prospect | None:
    """Return as what a CA signs that this plan takes over; None where something stands in the way."""
    adopted = any(is_takeover(step) and step.address == desired.address for step in seen.changes)
    line = ((desired.name, desired.request.generation), *seen.line(desired.request))
    return Prospect(desired.request, line, coming=True) if adopted else None


def _later(world: World, desired: DesiredAuthority) -> Prospect | None:
    """Return the newest generation after one that is revoked: what moved on for a Revocation stays there.

    That document may have gone since, and the Authority never said so itself.
    """
    record = world.authority(desired.name)
    for number in sorted(_later_generations(record, desired.request.generation), reverse=True):
        issued = record.issued(number)
        if issued is not None and is_sound(world, issued):
            return _standing(world, desired.name, issued)
    return None


def _earlier(world: World, desired: DesiredAuthority, leaving: Collection[str]) -> Prospect | None:
    """Return the newest generation before the wanted one that can sign and is not given up."""
    for issued in world.authority(desired.name).before(desired.request.generation):
        if is_sound(world, issued):
            left = issued.serial in leaving or world.is_given_up(desired.name, issued)
            return None if left else _standing(world, desired.name, issued)
    return None


def _standing(world: World, name: str, issued: Issuance) -> Prospect | None:
    request = issued.request
    if not isinstance(request, AuthorityRequest):
        return None
    return Prospect(request, ((name, request.generation), *world.line(issued)))


def _left_behind(world: World) -> Iterator[Change]:
    for name in sorted(world.ledger.authorities.keys() - world.desired.authorities.keys()):
        yield _unwanted(world, world.ledger.authorities[name])


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


def unasked_generations(world: World) -> Iterator[Diagnostic]:
    """Yield the later generations of CAs that could sign, and that no document asks for any more."""
    for desired in world.desired.authorities.values():
        record, number = world.authority(desired.name), desired.request.generation
        if (now := record.issued(number)) is None or now.status is Status.REVOKED:
            continue  # it may sign until there is that generation, or in its place
        for later in sorted(_later_generations(record, number)):
            issued, ready = record.issued(later), desired.standby
            asked = ready is not None and ready.generation == later
            if asked or not is_sound(world, issued) or (desired.name, later) in world.given_up:
                continue
            yield warning(
                f"{desired.address}: generation {later} is issued, and no document asks for it",
                desired.source,
                detail="Its key is kept, and what it signs is believed.",
                hint=f"revoke it (authorityRef: {desired.name}, generation: {later}), or keep it"
                " ready (standby: true)",
            )


def _later_generations(record: AuthorityRecord, number: int) -> frozenset[int]:
    return frozenset(i.generation for i in record.issuances if i.generation > number)


def _live_children(world: World, name: str) -> int:
    before = (past for (owner, _), past in world.ledger.past.items() if owner == name)
    return sum(len(past.unexpired(world.now)) for past in before) + sum(
        unexpired(issuance, world.now)
        for address, issuance in world.serials.values()
        if issuance.request.issuer == name and address != f"authority/{name}"
    )
