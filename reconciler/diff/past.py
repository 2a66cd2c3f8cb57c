"""Revoking what a CA issued before it was taken over: nobody here knows where that is, only its serial."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from reconciler.address import owner
from reconciler.chains import Generation
from reconciler.diagnostics import Diagnostic, warning
from reconciler.diff.changes import blocked, change, change_id
from reconciler.diff.takeovers import is_takeover, pasts
from reconciler.diff.world import World
from reconciler.ledger.publications import CrlKey
from reconciler.ledger.records import PastEntry
from reconciler.state import DesiredRevocation
from schemas.plan import Action, Change, Reason
from schemas.revocation import COMPROMISES, RevocationReason


@dataclass(frozen=True, slots=True)
class Past:
    """What CAs issued before that can be revoked yet, by CA and generation and then by serial."""

    open: Mapping[Generation, Mapping[str, PastEntry]]
    known: frozenset[str]
    """Every serial of those times, also what is revoked or expired."""

    @classmethod
    def of(cls, world: World) -> "Past":
        """Gather it from the ledger, and from what this plan takes over."""
        found = pasts(world)
        return cls(
            {
                key: {e.serial: e for e in entries if _open(e, world)}
                for key, entries in found.items()
            },
            frozenset(e.serial for entries in found.values() for e in entries),
        )


def past_address(generation: Generation, serial: str = "") -> str:
    """Return the name of what a CA issued before, or one serial of it, in a plan."""
    name, number = generation
    return f"past/{name}-g{number}" + (f"#{serial}" if serial else "")


def past_key(address: str) -> Generation:
    """Return the CA and generation in `past/legacy-g1#1002`."""
    name, _, number = address.partition("/")[2].partition("#")[0].rpartition("-g")
    return name, int(number)


def past_changes(world: World) -> Iterator[Change]:
    """Yield the revocations of what was issued before: by serial, or with its CA's whole generation."""
    if not world.ledger.past and not any(a.existing for a in world.desired.authorities.values()):
        return
    past = Past.of(world)
    named: set[tuple[Generation, str]] = set()
    for revocation in world.desired.revocations:
        for serial in revocation.serials:
            yield from _serial(world, past, revocation, serial, named)
    for revocation in world.desired.revocations:
        whole = (revocation.authority or "", revocation.generation or 0)
        left = sorted(s for s in past.open.get(whole, {}) if (whole, s) not in named)
        if left and revocation.generation is not None:
            yield _generation(whole, revocation, left)


def _open(entry: PastEntry, world: World) -> bool:
    ended = entry.not_after is not None and entry.not_after <= world.now
    return entry.revoked is None and not ended


def _serial(
    world: World,
    past: Past,
    revocation: DesiredRevocation,
    serial: str,
    named: set[tuple[Generation, str]],
) -> Iterator[Change]:
    """Yield the revocation of one serial; a CA of before may have given the same number as another one."""
    if serial in world.serials and revocation.authority is None:
        return
    found = [key for key, entries in past.open.items() if serial in entries]
    whose = [key for key in found if revocation.authority in (None, key[0])]
    if len(whose) > 1:
        names = " and ".join(f"authority/{name}" for name, _ in whose)
        message = f"{names} both issued serial {serial}: name one in authorityRef"
        address = f"revocation/{revocation.name}"
        yield blocked(address, Reason.REQUESTED, message, source=revocation.source)
    for key in whose if len(whose) == 1 else ():
        if (key, serial) not in named:
            named.add((key, serial))
            yield _one(key, past.open[key][serial], revocation)


def _one(key: Generation, entry: PastEntry, revocation: DesiredRevocation) -> Change:
    subject = f" of {entry.subject}" if entry.subject else ""
    return _revoke(
        past_address(key, entry.serial),
        key,
        revocation,
        f"revocation/{revocation.name}: {revocation.reason}{subject}, issued before the takeover",
        (entry.serial,),
        revocation.reason,
    )


def _generation(key: Generation, revocation: DesiredRevocation, serials: Sequence[str]) -> Change:
    many = f"{len(serials):,} certificates" if len(serials) > 1 else "one certificate"
    return _revoke(
        past_address(key),
        key,
        revocation,
        f"revocation/{revocation.name}: {many} issued before the takeover, superseded",
        serials,
        RevocationReason.SUPERSEDED,
    )


def _revoke(
    address: str,
    key: Generation,
    revocation: DesiredRevocation,
    message: str,
    serials: Sequence[str],
    reason: RevocationReason,
) -> Change:
    single = "#" in address  # else all of a generation, however much of it has ended by then
    lost = revocation.reason in COMPROMISES
    return change(
        address,
        Action.REVOKE,
        Reason.COMPROMISED if lost else Reason.REQUESTED,
        message,
        identity={**({"serials": list(serials)} if single else {}), "reason": reason},
        requires=(change_id(Action.ADOPT, f"authority/{key[0]}"),),
        source=revocation.source,
        before={"serial": serials[0]} if single else None,
        after={"reason": str(reason), "issuer": key[0], "serials": list(serials)},
    )


def past_told(changes: Iterable[Change]) -> Iterator[tuple[CrlKey, Change]]:
    """Yield the lists that have to tell of what these changes revoke, or bring as revoked."""
    for step in changes:
        if is_takeover(step) and (step.after or {}).get("revokes"):
            yield (owner(step.address), int((step.after or {})["generation"]), None), step
        if step.action is Action.REVOKE and step.address.startswith("past/"):
            yield (*past_key(step.address), None), step


def told_serials(step: Change) -> Sequence[str]:
    """Return the serials that such a change adds to a list."""
    after = step.after or {}
    return tuple(after.get("serials") or after.get("revokes") or ())


def past_warnings(world: World) -> Iterator[Diagnostic]:
    """Yield the serials that Revocations name and nobody knows."""
    named = {s for revocation in world.desired.revocations for s in revocation.serials}
    if named <= world.serials.keys():
        return
    known = Past.of(world).known | world.serials.keys()
    for revocation in world.desired.revocations:
        for serial in sorted(set(revocation.serials) - known):
            yield warning(
                f"serial {serial} is not in the ledger",
                revocation.source,
                hint="it expired, and the line can go; or it was never issued here",
            )
