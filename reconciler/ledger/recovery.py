"""`certform ledger recover`: from all a clone knows of the ledger, the newest that holds.

Three tips can be known: the one at the ledger's place, one in this repository while the place is a
remote, and the last one this clone accepted. Of each, what is signed and linear counts. When one of
them follows all others it becomes the ledger again. When they have parted, a person must choose,
with `--accept TIP`, and the choice is itself recorded in the ledger. A tip whose time is ahead of
every clock can be accepted too, with `--accept-time`, and that is recorded as well.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from reconciler.errors import LedgerRefused
from reconciler.guard import CLOCK_TOLERANCE
from reconciler.ledger import bundles, history
from reconciler.ledger.contract import Wave
from reconciler.ledger.journal import Access, begin
from reconciler.ledger.lock import Tenure, hold
from reconciler.ledger.reader import current_tips, signed_commit
from reconciler.ledger.refs import KEYS, Tips
from reconciler.ledger.store import Store, open_store
from schemas.project import LedgerSettings
from schemas.scalars import format_instant


@dataclass(frozen=True, slots=True)
class Decisions:
    """What a person decided: the full id of the tip to go on from, and that the clock here is right."""

    tip: str | None = None
    time: bool = False


_NOTHING_DECIDED = Decisions()


@dataclass(frozen=True, slots=True)
class _Choice:
    """The tip to go on from, and those given up for it."""

    tip: str
    parted: tuple[str, ...]


def recover(
    repository: Path,
    settings: LedgerSettings,
    access: Access,
    decisions: Decisions = _NOTHING_DECIDED,
) -> tuple[str, ...]:
    """Bring the ledger back to the newest tip known that holds; return in sentences what was done.

    Raises `LedgerRefused` when there is nothing to recover from or a decision is needed.
    """
    if settings.public_key is None:
        raise LedgerRefused("the Project names no ledger", hint="certform init")
    place = open_store(repository, settings)
    # What cannot be recovered is refused before anything is written to the ledger's place.
    _choose(place, settings.public_key, current_tips(place), decisions.tip)
    with hold(place, access.clock, access.patience, access.author.command) as tenure:
        # Others may have written until now: only what is there under the lock counts.
        choice = _choose(place, settings.public_key, tenure.lock.tips, decisions.tip)
        done = [
            *_restore(tenure, settings, access, choice, decisions),
            *_withdraw_local(place, choice.tip),
        ]
    found = history.verify(place, choice.tip, settings.public_key)
    problems = (f"commit {finding.tip} {finding.problem}" for finding in found)
    return (*(done or [f"the ledger ({place.place}) is in order at {choice.tip}"]), *problems)


def _choose(place: Store, public_key: str, tips: Tips, accept: str | None) -> _Choice:
    sound = _sound(place, tips, public_key)
    chosen = _newest(place, sound) if accept is None else accept
    if chosen not in sound:
        raise LedgerRefused(f"{chosen} is none of: {', '.join(sorted(sound)) or 'nothing'}")
    parted = (tip for tip in sorted(sound) if not place.is_ancestor(tip, chosen))
    return _Choice(chosen, tuple(parted))


def _sound(place: Store, tips: Tips, public_key: str) -> frozenset[str]:
    known = {tips.ledger, place.local().ledger, place.seen()} - {None}
    sound = (history.sound_tips(place, str(tip), public_key) for tip in known)
    return frozenset[str]().union(*sound)


def _newest(place: Store, sound: frozenset[str]) -> str:
    for tip in sorted(sound):
        if all(place.is_ancestor(other, tip) for other in sound):
            return tip
    if not sound:
        raise LedgerRefused(
            f"nothing is left here of the ledger ({place.place})",
            hint="look for another clone: its refs/heads or refs/certform/seen may have it",
        )
    raise LedgerRefused(
        f"the ledger has parted: {' and '.join(sorted(sound))} do not follow each other",
        hint="compare them with `git log`, then: certform ledger recover --accept TIP",
    )


def _restore(
    tenure: Tenure,
    settings: LedgerSettings,
    access: Access,
    choice: _Choice,
    decisions: Decisions,
) -> Iterator[str]:
    """Move the ledger to the chosen tip, in the very step that records what a person decided."""
    place, held, seen = tenure.place, tenure.lock.tips, tenure.place.seen()
    wanted = replace(held, ledger=choice.tip, keys=_keys(place, held), seen=choice.tip)
    now = access.clock()
    last = signed_commit(place.git, choice.tip, str(settings.public_key)).at
    waves = tuple(_waves(choice, decisions, last, now))
    if waves:
        journal = begin(tenure, settings, access, wanted)
        for wave in waves:
            journal.write(wave)
    elif wanted != held:
        tenure.renew(now, wanted)
    place.accept(str(tenure.lock.tips.ledger), parted=True)
    yield from _moved(place, held, wanted)
    if seen != choice.tip:
        yield f"this clone accepts {choice.tip}"
    yield from (f"recorded: {wave.message}" for wave in waves)
    if last > now + CLOCK_TOLERANCE and not decisions.time:
        yield (
            f"{_times(last, now)}: set the clock, or if it is right: "
            "certform ledger recover --accept-time"
        )


def _keys(place: Store, held: Tips) -> str | None:
    """Return the keys commit to go on with: the one there if it is one, else that of a ledger here.

    A ledger that is there without keys has erased them; what is left of them here must not return.
    """
    here = place.local().keys if held.ledger is None else None
    known = (tip for tip in (held.keys, here) if tip is not None)
    return next((k for k in known if bundles.key_objects(place.git, k, place.public_key)), None)


def _waves(choice: _Choice, decisions: Decisions, last: datetime, now: datetime) -> Iterator[Wave]:
    """Yield what is to be recorded of a person's decisions."""
    if choice.parted:
        others = ", ".join(choice.parted)
        yield Wave(message=f"Accept {choice.tip} in place of {others}")
    if decisions.time and last > now:
        yield Wave(message=f"Accept the time: {_times(last, now)}", accepts_time=True)


def _times(last: datetime, now: datetime) -> str:
    return f"the last wave was recorded at {format_instant(last)}, now it is {format_instant(now)}"


def _moved(place: Store, held: Tips, wanted: Tips) -> Iterator[str]:
    if held.ledger != wanted.ledger:
        yield f"moved {place.place} from {held.ledger or 'nothing'} to {wanted.ledger}"
    if held.keys is not None and wanted.keys is None:
        yield (
            f"took {held.keys} off {KEYS}, which is no keys commit of this ledger: "
            "certificates whose key was to come from there are issued anew"
        )


def _withdraw_local(place: Store, chosen: str) -> Iterator[str]:
    """Delete the refs of a ledger that was kept here before it moved to a remote."""
    if place.remote is None:
        return
    local = place.local()
    # A local branch that has parted is the only trace of what was not chosen.
    if local.ledger is not None and place.is_ancestor(local.ledger, chosen):
        place.drop_local(local)
        yield f"the ledger's refs in this repository gave way to those at {place.shown_remote}"
