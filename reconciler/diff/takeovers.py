"""CAs that existed before: recorded once, with what they issued; later files of theirs are added to that."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from reconciler.address import owner
from reconciler.checks import Finding
from reconciler.custody import key_holder
from reconciler.description import describe_authority
from reconciler.diff.changes import blocked, change, change_id
from reconciler.diff.world import World
from reconciler.ledger.records import Issuance, PastEntry, PastRecord, Status
from reconciler.schedule import is_ahead
from reconciler.state import DesiredAuthority
from reconciler.takeover import Takeover
from schemas.custody import Kept
from schemas.plan import Action, Change, Reason
from schemas.request import AuthorityRequest
from schemas.scalars import format_instant

_OF_CAS = ("authority", "standby", "cross")


@dataclass(frozen=True, slots=True)
class Counted:
    """What of a CA's past still matters: certificates that are not expired, and how many are revoked."""

    certificates: int
    revoked: int

    @classmethod
    def of(cls, entries: Iterable[PastEntry]) -> "Counted":
        """Count entries."""
        listed = tuple(entries)
        return cls(len(listed), sum(1 for entry in listed if entry.revoked))


def takeover_changes(world: World, desired: DesiredAuthority) -> tuple[Change, ...]:
    """Return what is to be recorded of a CA that existed before, or why it cannot be."""
    return tuple(_takeover(world, desired, desired.existing)) if desired.existing else ()


def _takeover(world: World, desired: DesiredAuthority, existing: Takeover) -> Iterator[Change]:
    known = _recorded(world, desired.name, existing.generation)
    stands = _unusable(world, desired, existing) if not known else _of_another(existing, known)
    if stands:
        yield blocked(desired.address, stands.reason, stands.message, source=desired.source)
        return
    past = world.ledger.past.get((desired.name, existing.generation))
    new = untold(existing, past, world.now)
    if not known or new or _is_below(existing, past):
        yield _adopt(desired, existing, world.now, new if known else None)


def is_untaken(world: World, desired: DesiredAuthority) -> bool:
    """Whether a generation of a CA existed before, and is not recorded yet."""
    existing = desired.existing
    return existing is not None and not _recorded(world, desired.name, existing.generation)


def is_taken_over_here(world: World, desired: DesiredAuthority) -> bool:
    """Whether that is the generation that is to issue."""
    existing, wanted = desired.existing, desired.request.generation
    issues = existing is not None and existing.generation == wanted
    return issues and is_untaken(world, desired)


def after_takeovers(changes: Iterable[Change]) -> list[Change]:
    """Return changes; what requires that a CA is issued requires as well that it is taken over."""
    listed = list(changes)
    adopted = {step.address for step in listed if is_takeover(step)}
    if not adopted:
        return listed
    return [_after(step, adopted) for step in listed]


def is_takeover(step: Change) -> bool:
    """Whether a change records a CA that existed before."""
    return step.action is Action.ADOPT and step.address.startswith("authority/")


def untold(existing: Takeover, past: PastRecord | None, now: datetime) -> tuple[PastEntry, ...]:
    """Return what of the files still matters and is not in a record, or not as revoked."""
    known = {entry.serial: entry for entry in past.entries} if past else {}
    return tuple(
        entry
        for entry in existing.past
        if _matters(entry, now) and _is_news(entry, known.get(entry.serial))
    )


def _matters(entry: PastEntry, now: datetime) -> bool:
    """Whether anybody may still ask for it."""
    return entry.not_after is None or entry.not_after > now


def _is_news(entry: PastEntry, known: PastEntry | None) -> bool:
    return known is None or (entry.revoked is not None and known.revoked is None)


def _is_below(existing: Takeover, past: PastRecord | None) -> bool:
    """Whether the files have a CRL with a higher number than is recorded."""
    return past is not None and (existing.number or 0) > (past.number or 0)


def _recorded(world: World, name: str, generation: int) -> tuple[Issuance, ...]:
    return tuple(
        issuance
        for issuance in world.authority(name).issuances
        if isinstance(issuance.request, AuthorityRequest)
        and issuance.request.generation == generation
        and issuance.status is not Status.ABANDONED
    )


def _of_another(existing: Takeover, known: Sequence[Issuance]) -> Finding | None:
    if any(issuance.sha256 == existing.sha256 for issuance in known):
        return None
    had = known[-1]
    message = (
        f"generation {existing.generation} is another certificate in the ledger (serial {had.serial}):"
        " name that one's, or another generation"
    )
    return Finding(Reason.SPEC_CHANGED, message)


def _unusable(world: World, desired: DesiredAuthority, existing: Takeover) -> Finding | None:
    """Say why a CA cannot be taken over now."""
    if existing.not_after <= world.now:
        ended = format_instant(existing.not_after)
        return Finding(Reason.EXPIRED, f"it expired at {ended}: nothing can be issued under it")
    if is_ahead(existing.not_before, world.now):
        starts = format_instant(existing.not_before)
        return Finding(Reason.NOT_YET_VALID, f"it is not valid before {starts}")
    if holder := key_holder(world.ledger.authorities, desired, existing.spki):
        return Finding(Reason.BLOCKED_BY, f"its key is that of {holder}")
    if (taken := world.serials.get(existing.serial)) is not None:
        message = f"its serial number {existing.serial} is that of {taken[0]}, too"
        return Finding(Reason.BLOCKED_BY, f"{message}: the ledger tells certificates apart by it")
    return None


def _adopt(
    desired: DesiredAuthority, existing: Takeover, now: datetime, more: tuple[PastEntry, ...] | None
) -> Change:
    """Return the change that records it; `more` is what later files tell, None of what was not there yet."""
    parent = existing.request.issuer
    whole = Counted.of(entry for entry in existing.past if _matters(entry, now))
    message = _first(existing, whole)
    if more is not None:
        message = f"its files tell more: {_worded(Counted.of(more))}"
    return change(
        desired.address,
        Action.ADOPT,
        Reason.TAKEN_OVER,
        message,
        identity={"certificate": existing.sha256, "files": existing.evidence},
        requires=(change_id(Action.ADOPT, f"authority/{parent}"),) if parent else (),
        source=desired.source,
        after={
            **describe_authority(existing.request),
            "name": existing.subject,
            "serial": existing.serial,
            "notAfter": format_instant(existing.not_after),
            "certificates": whole.certificates,
            "revoked": whole.revoked,
            **({} if existing.number is None else {"crlNumber": existing.number}),
            **({"revokes": [e.serial for e in more if e.revoked]} if more else {}),
        },
    )


def _first(existing: Takeover, whole: Counted) -> str:
    return f"existed before, SHA-256 {existing.sha256}; {_worded(whole)}; {_outlook(existing)}"


def _worded(counted: Counted) -> str:
    if not counted.certificates:
        return "nothing is known of what it issued"
    revoked = f"{counted.revoked:,} of them revoked" if counted.revoked else "none of them revoked"
    return f"{counted.certificates:,} certificates that it issued, {revoked}"


def _outlook(existing: Takeover) -> str:
    """Say what becomes of its CRL, and that nobody proves a key that is not at hand."""
    if existing.custody is Kept.NONE:
        return "it is an anchor, and signs nothing here"
    above = "" if existing.number is None else f" with numbers above {existing.number}"
    proof = "; nobody proves its key, which is offline" if existing.custody is Kept.OFFLINE else ""
    return f"certform goes on with its CRLs{above}{proof}"


def _after(step: Change, adopted: set[str]) -> Change:
    above = {address for address in adopted if change_id(Action.ISSUE, address) in step.requires}
    own = f"authority/{owner(step.address).partition('#')[0]}"
    if step.action is Action.ISSUE and step.address.partition("/")[0] in _OF_CAS:
        above |= adopted & {own, re.sub("-g[0-9]+$", "", own)}
    more = tuple(change_id(Action.ADOPT, address) for address in sorted(above))
    return step.model_copy(update={"requires": (*step.requires, *more)}) if more else step


def existing_path(world: World, name: str, generation: int) -> tuple[bytes, ...]:
    """Return the certificates (DER) of a CA that existed before and of those above it; empty for others."""
    desired = world.desired.authorities.get(name)
    existing = desired.existing if desired else None
    if existing is None or existing.generation != generation:
        return ()
    request = existing.request
    if request.issuer is None:
        return (existing.certificate,)
    above = existing_path(world, request.issuer, request.issuer_generation or 0)
    return (existing.certificate, *above) if above else ()


def pasts(world: World) -> Mapping[tuple[str, int], tuple[PastEntry, ...]]:
    """Return what each CA issued before, as the ledger has it and as a takeover in this plan brings it."""
    known = {key: record.entries for key, record in world.ledger.past.items()}
    for desired in world.desired.authorities.values():
        existing = desired.existing
        if existing is None:
            continue
        key = (desired.name, existing.generation)
        had = {entry.serial for entry in known.get(key, ())}
        new = (entry for entry in existing.past if entry.serial not in had)
        known[key] = (*known.get(key, ()), *new)
    return known
