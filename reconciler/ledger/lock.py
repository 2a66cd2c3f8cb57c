"""The ledger's one writer: a ref that every wave moves, so that whoever was overtaken cannot write.

The ref's value is a commit without parent whose message says who holds the lock. It is taken over
only after it stood still for its time to live, by our own monotonic clock, or at once when the
holder is a process of this host that no longer runs.
"""

import json
import os
import secrets
import socket
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Annotated

from pydantic import Field, ValidationError

from providers.failpoints import reach
from reconciler.errors import LedgerRefused, Locked
from reconciler.git import GitError
from reconciler.ledger.objects import Commit, Format, Object, parse_commit, store
from reconciler.ledger.store import Store, Tips
from schemas.base import Model
from schemas.scalars import Instant

_FAILURES = 3


class Process(Model):
    """One process of one host; a pid means something only within its pid namespace and boot."""

    host: str
    boot: str
    namespace: str
    pid: int
    started: str

    def is_dead(self, here: "Process") -> bool:
        """Whether this was a process beside `here` that has ended; False when that cannot be told."""
        place = (self.host, self.boot, self.namespace)
        if place != (here.host, here.boot, here.namespace) or not all(place):
            return False
        return _start_time(self.pid) != self.started


class Holder(Model):
    """Who holds the lock. `ttl` is in seconds; `counter` makes every value a new one."""

    id: Annotated[str, Field(pattern=r"^[0-9a-f]{16}$")]
    counter: int = 0
    process: Process
    command: str
    acquired_at: Instant
    ttl: float

    def advanced(self) -> "Holder":
        """Return the same holder, one step on."""
        return self.model_copy(update={"counter": self.counter + 1})

    def __str__(self) -> str:
        since = f"{self.acquired_at:%Y-%m-%d %H:%M:%SZ}"
        return (
            f"`{self.command}` (process {self.process.pid} on {self.process.host}, since {since})"
        )


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to wait for the lock, how often to look, and how long our own may stand still.

    All in seconds. `tell` hears, in a sentence, who is being waited for.
    """

    timeout: float = 600
    poll: float = 1
    ttl: float = 300
    tell: Callable[[str], None] = field(default=lambda _: None)


@dataclass(frozen=True, slots=True)
class Lock:
    """A lock that is held: who we are, and the ledger's tips with the lock's value among them."""

    holder: Holder
    tips: Tips


def acquire(place: Store, naming: Format, now: datetime, patience: Patience) -> Lock:
    """Take the lock and return it with the tips as they are then; `Locked` after the timeout."""
    holder = Holder(
        id=secrets.token_hex(8),
        process=this_process(),
        command=" ".join(("certform", *sys.argv[1:2])),
        acquired_at=now,
        ttl=patience.ttl,
    )
    reach("lock.acquire.before")
    watch = _Watch(place, holder, patience)
    while (tips := _attempt(place, naming, holder, watch.available(), watch)) is None:
        watch.wait()
    reach("lock.acquire.after")
    return Lock(holder, tips)


def value(naming: Format, holder: Holder, at: datetime) -> tuple[Object, Object]:
    """Return the objects of a lock's value, the commit last."""
    tree = naming.object("tree", b"")
    message = json.dumps(holder.to_json(), sort_keys=True)
    return tree, naming.object("commit", Commit(tree.id, None, message, at).payload())


def release(place: Store, lock: Lock) -> None:
    """Give the lock back; `Locked` when somebody else has it by now."""
    reach("lock.release.before")
    place.move(lock.tips, replace(lock.tips, lock=None))
    forget(place, lock.tips.lock)
    reach("lock.release.after")


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
        return Holder.model_validate_json(parse_commit(content).message)
    except (ValidationError, LedgerRefused) as error:
        raise Locked(
            f"the ledger's lock ({place.place}) is of a form this version does not know",
            hint="a newer certform may hold it; if none runs, delete refs/certform/lock",
        ) from error


def forget(place: Store, value: str | None) -> None:
    """Delete a former value of the lock from the object store, where it lies loose."""
    if value is not None:
        loose = place.directory / "objects" / value[:2] / value[2:]
        loose.unlink(missing_ok=True)


def this_process() -> Process:
    """Return who we are, as far as other processes of this host can check."""
    return Process(
        host=socket.gethostname(),
        boot=_read("/proc/sys/kernel/random/boot_id"),
        namespace=_namespace(),
        pid=os.getpid(),
        started=_start_time(os.getpid()) or "",
    )


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
            self._value, self._since = tips.lock, time.monotonic()
            try:
                self._holder = held_by(self._place, tips)
            except GitError:
                if self._place.tips().lock == tips.lock:
                    raise
                return None  # its holder went on and cleared this value away while we read it
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
        self._patience.tell(f"waiting for {who}")
        time.sleep(min(self._patience.poll, left))


def _attempt(
    place: Store, naming: Format, holder: Holder, tips: Tips | None, watch: _Watch
) -> Tips | None:
    if tips is None:
        return None
    objects = value(naming, holder, holder.acquired_at)
    store(place.git, naming, objects)
    try:
        place.move(tips, replace(tips, lock=objects[-1].id))
    except Locked:
        return None
    except GitError as error:
        watch.failed(error)
        return None
    # Others may have written between our look and our success.
    return place.tips()


def _start_time(pid: int) -> str | None:
    """Return when a process started, in clock ticks since boot (proc(5), field 22); None if gone."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return None
    state, *fields = stat.rpartition(")")[2].split()
    return None if state == "Z" else fields[18]


def _namespace() -> str:
    try:
        return str(Path("/proc/self/ns/pid").readlink())
    except OSError:
        return ""


def _read(path: str) -> str:
    try:
        return Path(path).read_text().strip()
    except OSError:
        return ""
