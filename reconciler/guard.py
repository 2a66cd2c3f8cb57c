"""Brakes: a plan that would remove, revoke or replace too much is refused, and so is a wrong clock."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta

from reconciler.diagnostics import Diagnostic, error, warning
from reconciler.ledger.records import LedgerState
from schemas.plan import Action, Change, Reason
from schemas.project import GuardSettings
from schemas.scalars import format_instant

CLOCK_TOLERANCE = timedelta(minutes=5)
REPLACEMENTS = frozenset(
    {
        Reason.SPEC_CHANGED,
        Reason.ISSUER_CHANGED,
        Reason.KEY_UNAVAILABLE,
        Reason.REVOKED,
        Reason.REQUESTED,
        Reason.COMPROMISED,
    }
)
_NAMED = 10
"""How many addresses are named before the rest is a number."""
AHEAD = timedelta(days=400)
"""A ledger that nobody wrote for longer: more likely the clock is wrong."""
_RIGHT_CLOCK = "set the clock of this host; if it is right: --allow-mass-change"
_MEANT = "if that is meant, say so with --allow-mass-change"
_REVIEW = "save the plan and apply it, or merge it"


def guard(
    changes: Sequence[Change],
    settings: GuardSettings,
    ledger: LedgerState,
    now: datetime,
    *,
    mass: bool = False,
    reviewed: bool = False,
) -> tuple[Diagnostic, ...]:
    """Return why the changes as a whole must not be made; `mass` allows any number of them.

    `reviewed` tells that somebody saw these very changes: then what a compromised CA key asks for does
    not count, and what is trusted may go. What is said of the clock comes first: a wrong one is why too
    much would be done.
    """
    total = sum(1 for record in ledger.certificates.values() if record.placements)
    counted = [step for step in changes if not (reviewed and step.reason is Reason.COMPROMISED)]
    return (
        *_clock(ledger, now, mass=mass),
        *(() if mass else _mass(counted, settings, total)),
        *(() if mass or reviewed else _trust(changes)),
    )


def forewarned(
    changes: Sequence[Change], settings: GuardSettings, ledger: LedgerState, now: datetime
) -> tuple[Diagnostic, ...]:
    """Return what a plan says already of what its apply will refuse, at all or unless it is reviewed."""
    never = guard(changes, settings, ledger, now, reviewed=True)
    refused = {found.summary for found in never}
    found = (
        *never,
        *(d for d in guard(changes, settings, ledger, now) if d.summary not in refused),
    )
    return tuple(
        warning(f"apply will refuse this: {d.summary}", hint=d.hint)
        if d.summary in refused
        else warning(f"apply will refuse this unless it is reviewed: {d.summary}", hint=_REVIEW)
        for d in found
    )


def _mass(changes: Sequence[Change], settings: GuardSettings, total: int) -> Iterator[Diagnostic]:
    if total < settings.from_:
        return
    limit = total * settings.max_change / 100
    for words, addresses in (
        ("expired by this clock", _owners(s for s in changes if s.reason is Reason.EXPIRED)),
        ("removed", _owners(s for s in changes if s.action in (Action.REMOVE, Action.FORGET))),
        ("revoked", _owners(s for s in changes if s.action is Action.REVOKE)),
        ("replaced", _owners(s for s in changes if _replaces(s))),
    ):
        if len(addresses) > limit:
            share = f"{len(addresses)} of {total} certificates would be {words}"
            hint = _RIGHT_CLOCK if "clock" in words else _MEANT
            yield error(f"{share}, more than {settings.max_change}%", hint=hint)


def _trust(changes: Sequence[Change]) -> Iterator[Diagnostic]:
    """Yield what nobody can trust any more afterwards, plainly; what time alone causes is no surprise."""
    for words, gone in (
        ("CA key would be dropped", _is_key),
        ("anchor would be withdrawn", _is_anchor),
        ("bundle would be taken away whole", _is_bundle),
    ):
        addresses = sorted({step.address for step in changes if gone(step) and not step.due})
        if addresses:
            said = f"{len(addresses)} {words if len(addresses) == 1 else _several(words)}"
            hint = f"{_REVIEW}; or {_MEANT}"
            yield error(f"{said}, and nobody reviewed that: {_listed(addresses)}", hint=hint)


def _is_key(step: Change) -> bool:
    return step.action is Action.FORGET and step.address.startswith("authority/")


def _is_anchor(step: Change) -> bool:
    return step.reason is Reason.ANCHOR_WITHDRAWN


def _is_bundle(step: Change) -> bool:
    whole = step.action in (Action.REMOVE, Action.FORGET) and "#" not in step.address
    return whole and step.address.startswith("bundle/")


def _several(words: str) -> str:
    return words.replace(" would", "s would", 1)


def _listed(addresses: Sequence[str]) -> str:
    more = f" and {len(addresses) - _NAMED} more" if len(addresses) > _NAMED else ""
    return f"{', '.join(addresses[:_NAMED])}{more}"


def _replaces(step: Change) -> bool:
    # what a place issues by itself is asked for by an install
    placed = step.action in (Action.ISSUE, Action.INSTALL) and step.reason in REPLACEMENTS
    return placed or (step.action is Action.ISSUE and step.reason is Reason.CHAIN_CHANGED)


def _owners(steps: Iterable[Change]) -> set[str]:
    addresses = (step.address.partition("@")[0].partition("#")[0] for step in steps)
    return {address for address in addresses if address.startswith("certificate/")}


def _clock(ledger: LedgerState, now: datetime, *, mass: bool) -> Iterator[Diagnostic]:
    told = (
        f"this clock says {format_instant(now)}, the ledger was last written at"
        f" {format_instant(ledger.tip_time)}"
    )
    if now + CLOCK_TOLERANCE < ledger.tip_time:
        hint = "set the clock of this host; if the other was wrong: certform ledger recover"
        yield error(told, hint=f"{hint} --accept-time")
    elif now > ledger.tip_time + AHEAD and not mass:
        yield error(told, hint=_RIGHT_CLOCK)
