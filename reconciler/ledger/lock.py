"""The ledger's one writer: a ref that every wave moves, so that whoever was overtaken cannot write.

The ref's value is a commit without parent whose message says who holds the lock. It is taken over
only after it stood still for its time to live, by our own monotonic clock, or at once when the
holder is a process of this host that no longer runs.
"""

import json
import secrets
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime

from providers.failpoints import reach
from reconciler.errors import LedgerRefused, Locked, ReconcilerError
from reconciler.git import GitError
from reconciler.ledger.holder import Holder, parse_holder, this_process
from reconciler.ledger.objects import Commit, Format, Object, object_format, parse_commit, store
from reconciler.ledger.refs import Tips
from reconciler.ledger.store import Store

_FAILURES = 3

Clock = Callable[[], datetime]


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to wait for the lock, how often to look, and how long our own may stand still.

    All in seconds. `tell` hears, in a sentence, who is being waited for; where there is an `observe`,
    it hears that instead: the holder, None while nobody knows, and how long we will still wait.
    """

    timeout: float = 600
    poll: float = 1
    ttl: float = 300
    tell: Callable[[str], None] = field(default=lambda _: None)
    observe: Callable[[Holder | None, float], None] | None = None


@dataclass(frozen=True, slots=True)
class Lock:
    """A lock that is held: who we are, and the ledger's tips with the lock's value among them."""

    holder: Holder
    tips: Tips


@dataclass(slots=True)
class Tenure:
    """The time while we hold the lock; whatever moves the ledger's refs in it moves the lock too."""

    place: Store
    naming: Format
    lock: Lock

    def move(self, to: Lock, loose: Collection[str] | None = None) -> None:
        """Move the refs, the lock to a new value among them; `Locked` when we were overtaken.

        `loose` as `Store.move` takes it.
        """
        former = self.lock.tips
        self.place.move(former, to.tips, loose)
        self.lock = to
        forget(self.place, former.lock)

    def renew(self, at: datetime, tips: Tips | None = None) -> None:
        """Move the lock, and with `tips` the ledger and its keys to where they say."""
        holder = self.lock.holder.advanced()
        made = value(self.naming, holder, at)
        loose = store(self.place.git, self.naming, made)
        to = Lock(holder, replace(tips or self.lock.tips, lock=made[-1].id))
        self.move(to, loose if tips is None else None)


@contextmanager
def hold(place: Store, clock: Clock, patience: Patience, command: str) -> Iterator[Tenure]:
    """Hold the lock as `command`; `Locked` when it could not be had in time."""
    naming = object_format(place.git)
    tenure = Tenure(place, naming, _acquire(place, naming, clock(), patience, command))
    try:
        yield tenure
    finally:
        _give_back(tenure, patience)


def _acquire(place: Store, naming: Format, now: datetime, patience: Patience, command: str) -> Lock:
    holder = Holder(
        id=secrets.token_hex(8),
        process=this_process(),
        command=command,
        acquired_at=now,
        ttl=patience.ttl,
    )
    reach("lock.acquire.before")
    watch = _Watch(place, holder, patience)
    while (tips := _attempt(place, naming, holder, watch.available(), watch)) is None:
        watch.wait()
    reach("lock.acquire.after")
    return Lock(holder, tips)


def _give_back(tenure: Tenure, patience: Patience) -> None:
    """Release the lock. Failing at that undoes nothing: the lock then ends with its time to live."""
    try:
        _release(tenure.place, tenure.lock)
    except Locked:
        return
    except (ReconcilerError, OSError) as error:
        patience.tell(f"the ledger's lock could not be released: {error}")


def _release(place: Store, lock: Lock) -> None:
    reach("lock.release.before")
    place.move(lock.tips, replace(lock.tips, lock=None), ())
    forget(place, lock.tips.lock)
    reach("lock.release.after")


def value(naming: Format, holder: Holder, at: datetime) -> tuple[Object, Object]:
    """Return the objects of a lock's value, the commit last."""
    tree = naming.object("tree", b"")
    message = json.dumps(holder.to_json(), sort_keys=True)
    return tree, naming.object("commit", Commit(tree.id, None, message, at).payload())


def unlock(place: Store, holder_id: str) -> Holder:
    """Remove the lock of exactly this holder, whatever became of it; `Locked` if it is not there."""
    tips = place.tips()
    holder = held_by(place, tips)
    if holder is None:
        raise Locked("the ledger is not locked")
    if holder.id != holder_id:
        raise Locked(f"the ledger is locked by {holder}", hint=f"its id is {holder.id}")
    place.move(tips, replace(tips, lock=None))
    return holder


def held_by(place: Store, tips: Tips) -> Holder | None:
    """Return who holds the lock; a value that nobody can read is `Locked`."""
    if tips.lock is None:
        return None
    (content,) = place.git.contents("commit", [tips.lock])
    try:
        return parse_holder(parse_commit(content).message)
    except (ValueError, LedgerRefused) as error:
        raise Locked(
            f"the ledger's lock ({place.place}) is of a form this version does not know",
            hint="a newer certform may hold it; if none runs, delete refs/certform/lock",
        ) from error


def forget(place: Store, value: str | None) -> None:
    """Delete a former value of the lock from the object store, where it lies loose."""
    if value is not None:
        loose = place.directory / "objects" / value[:2] / value[2:]
        loose.unlink(missing_ok=True)


class _Watch:
    """Looks at a lock over time: how long one value stood still, and how long we have waited."""

    def __init__(self, place: Store, us: Holder, patience: Patience) -> None:
        self._place, self._us, self._patience = place, us, patience
        self._began = self._since = time.monotonic()
        self._value: str | None = None
        self._holder: Holder | None = None
        self._failures = 0

    def available(self) -> Tips | None:
        """Return the tips when the lock may be taken from the value they hold, None when not yet."""
        tips = self._place.tips()
        if tips.lock != self._value:
            try:
                self._holder = held_by(self._place, tips)
            except GitError:
                if self._place.tips().lock == tips.lock:
                    raise
                return None  # its holder went on and cleared this value away while we read it
            self._value, self._since = tips.lock, time.monotonic()
        holder = self._holder
        if holder is None or holder.process.is_dead(self._us.process):
            return tips
        return tips if time.monotonic() - self._since >= holder.ttl else None

    def failed(self, error: GitError) -> None:
        """Count a push that failed without anybody being faster; raise it when it keeps failing."""
        self._failures += 1
        if self._failures >= _FAILURES:
            raise error

    def wait(self) -> None:
        """Wait until the next look; `Locked` when that would be too long."""
        left = self._began + self._patience.timeout - time.monotonic()
        who = str(self._holder) if self._holder else "somebody else"
        if left <= 0:
            raise Locked(
                f"the ledger is locked by {who}",
                hint=f"if that run is dead: certform unlock {self._holder.id}"
                if self._holder
                else "run the command again",
            )
        if self._patience.observe:
            self._patience.observe(self._holder, left)
        else:
            self._patience.tell(f"waiting for {who}")
        time.sleep(min(self._patience.poll, left))


def _attempt(
    place: Store, naming: Format, holder: Holder, tips: Tips | None, watch: _Watch
) -> Tips | None:
    if tips is None:
        return None
    objects = value(naming, holder, holder.acquired_at)
    loose = store(place.git, naming, objects)
    try:
        place.move(tips, replace(tips, lock=objects[-1].id), loose)
    except Locked:
        return None
    except GitError as error:
        watch.failed(error)
        return None
    # Others may have written between our look and our success, and, where we slept since, the next
    # may have taken the lock over: what is there is ours only while it is what we have put there.
    found = place.tips()
    return found if found.lock == objects[-1].id else None
