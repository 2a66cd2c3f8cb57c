"""`certform ledger recover`: from all a clone knows of the ledger, the newest that holds.

Three tips can be known: the one at the ledger's place, one in this repository while the place is a
remote, and the last one this clone accepted. Of each, what is signed and linear counts. When one of
them follows all others it becomes the ledger again. When they have parted, a person must choose,
with `--accept TIP`, and the choice is itself recorded in the ledger.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from reconciler.errors import LedgerRefused
from reconciler.ledger import history, lock
from reconciler.ledger.contract import Wave
from reconciler.ledger.journal import Clock, open_journal
from reconciler.ledger.keyring import Cipher
from reconciler.ledger.lock import Patience
from reconciler.ledger.objects import object_format
from reconciler.ledger.reader import current_tips
from reconciler.ledger.store import Store, Tips, open_store
from schemas.project import LedgerSettings


@dataclass(frozen=True, slots=True)
class Access:
    """What writing the ledger takes: how to open the keyring, the time, and for how long to wait."""

    cipher: Cipher
    clock: Clock
    patience: Patience


def recover(
    repository: Path, settings: LedgerSettings, access: Access, accept: str | None = None
) -> tuple[str, ...]:
    """Bring the ledger back to the newest tip known that holds; return in sentences what was done.

    `accept` is the full id of the tip to go on from where tips have parted. Raises `LedgerRefused`
    when there is nothing to recover from or a choice is needed.
    """
    if settings.public_key is None:
        raise LedgerRefused("the Project names no ledger", hint="certform init")
    place = open_store(repository, settings)
    tips = current_tips(place)
    sound = _sound(place, tips, settings.public_key)
    chosen = _chosen(place, sound, accept)
    seen = place.seen()
    done = [*_restore(place, chosen, access), *_withdraw_local(place, chosen)]
    if accept is not None and not _follows_all(place, chosen, sound):
        parted = ", ".join(tip for tip in sorted(sound) if not place.is_ancestor(tip, chosen))
        with open_journal(repository, settings, access.cipher, access.clock, access.patience) as j:
            j.write(Wave(message=f"Accept {chosen} in place of {parted}"))
        done.append(f"recorded that {chosen} goes on in place of {parted}")
    elif seen != chosen:
        done.append(f"this clone accepts {chosen}")
    found = history.verify(place.git, chosen, settings.public_key)
    problems = (f"commit {finding.tip} {finding.problem}" for finding in found)
    return (*(done or [f"the ledger ({place.place}) is in order at {chosen}"]), *problems)


def _sound(place: Store, tips: Tips, public_key: str) -> frozenset[str]:
    known = {tips.ledger, place.local().ledger, place.seen()} - {None}
    sound = (history.sound_part(place.git, str(tip), public_key) for tip in known)
    return frozenset(tip for tip in sound if tip is not None)


def _chosen(place: Store, sound: frozenset[str], accept: str | None) -> str:
    if accept is not None:
        if accept not in sound:
            raise LedgerRefused(f"{accept} is none of: {', '.join(sorted(sound)) or 'nothing'}")
        return accept
    newest = next((tip for tip in sorted(sound) if _follows_all(place, tip, sound)), None)
    if newest is not None:
        return newest
    if not sound:
        raise LedgerRefused(
            f"nothing is left here of the ledger ({place.place})",
            hint="look for another clone: its refs/heads or refs/certform/seen may have it",
        )
    raise LedgerRefused(
        f"the ledger has parted: {' and '.join(sorted(sound))} do not follow each other",
        hint="compare them with `git log`, then: certform ledger recover --accept TIP",
    )


def _follows_all(place: Store, tip: str, others: frozenset[str]) -> bool:
    return all(place.is_ancestor(other, tip) for other in others)


def _restore(place: Store, chosen: str, access: Access) -> Iterator[str]:
    """Move the ledger, under its lock, to the chosen tip, and publish keys the place lacks."""
    held = lock.acquire(place, object_format(place.git), access.clock(), access.patience)
    tips = held.tips
    try:
        wanted = replace(tips, ledger=chosen, keys=tips.keys or place.local().keys)
        if wanted != tips:
            place.move(tips, wanted)
            held = replace(held, tips=wanted)
            yield f"moved {place.place} from {tips.ledger or 'nothing'} to {chosen}"
        place.accept(chosen, parted=True)
    finally:
        lock.release(place, held)


def _withdraw_local(place: Store, chosen: str) -> Iterator[str]:
    """Delete the refs of a ledger that was kept here before it moved to a remote."""
    if place.remote is None:
        return
    local = place.local()
    # A local branch that has parted is the only trace of what was not chosen.
    if local.ledger is not None and place.is_ancestor(local.ledger, chosen):
        place.drop_local(local)
        yield f"the ledger's refs in this repository gave way to those at {place.remote}"
