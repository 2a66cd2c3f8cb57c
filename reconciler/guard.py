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
    }
)
AHEAD = timedelta(days=400)
"""A ledger that nobody wrote for longer: more likely the clock is wrong."""
_RIGHT_CLOCK = "set the clock of this host; if it is right: --allow-mass-change"
_MEANT = "if that is meant, say so with --allow-mass-change"


def guard(
    changes: Sequence[Change],
    settings: GuardSettings,
    ledger: LedgerState,
    now: datetime,
    *,
    mass: bool = False,
) -> tuple[Diagnostic, ...]:
    """Return why the changes as a whole must not be made; `mass` allows any number of them.

    What is said of the clock comes first: a wrong one is why too much would be done.
    """
    total = sum(1 for record in ledger.certificates.values() if record.placements)
    return (*_clock(ledger, now, mass=mass), *(() if mass else _mass(changes, settings, total)))


def forewarned(
    changes: Sequence[Change], settings: GuardSettings, ledger: LedgerState, now: datetime
) -> tuple[Diagnostic, ...]:
    """Return what a plan says already of what its apply will refuse."""
    found = guard(changes, settings, ledger, now)
    return tuple(warning(f"apply will refuse this: {d.summary}", hint=d.hint) for d in found)


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


def _replaces(step: Change) -> bool:
    # what a place issues by itself is asked for by an install
    return step.action in (Action.ISSUE, Action.INSTALL) and step.reason in REPLACEMENTS


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
