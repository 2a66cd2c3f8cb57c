"""Who holds the ledger's lock: what its value says, and whether that process can still be alive."""

import os
import socket
from pathlib import Path
from typing import Annotated

from pydantic import BeforeValidator, Field

from reconciler.render.escape import visible
from schemas.base import Model
from schemas.scalars import Instant

_LONGEST = 200
"""Characters. Anybody who may push writes the lock; what it says is shown, so it is kept short."""
_MAX_BYTES = 8192


def _shown(text: object) -> object:
    return visible(text)[:_LONGEST] if isinstance(text, str) else text


Words = Annotated[str, BeforeValidator(_shown)]
"""One line of somebody else's text, cut to what fits into a message, safe for a terminal."""


class Process(Model):
    """One process of one host; a pid means something only within its pid namespace and boot."""

    host: Words
    boot: Words
    namespace: Words
    pid: int
    started: Words

    def is_dead(self, here: "Process") -> bool:
        """Whether this was a process beside `here` that has ended; False when that cannot be told."""
        place = (self.host, self.boot, self.namespace)
        if place != (here.host, here.boot, here.namespace) or not all(place):
            return False
        started = _start_time(self.pid)
        return _is_gone(self.pid) if started is None else started != self.started


class Holder(Model):
    """Who holds the lock. `ttl` is in seconds; `counter` makes every value a new one."""

    id: Annotated[str, Field(pattern=r"^[0-9a-f]{16}$")]
    counter: int = 0
    process: Process
    command: Words
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


def parse_holder(text: str) -> Holder:
    """Return the holder that a lock's value names; `ValueError` when this version cannot tell."""
    if len(text) > _MAX_BYTES:
        raise ValueError("a lock's value is short")
    return Holder.model_validate_json(text)


def this_process() -> Process:
    """Return who we are, as far as other processes of this host can check."""
    return Process(
        host=socket.gethostname(),
        boot=_read("/proc/sys/kernel/random/boot_id"),
        namespace=_namespace(),
        pid=os.getpid(),
        started=_start_time(os.getpid()) or "",
    )


def _start_time(pid: int) -> str | None:
    """Return when a process started, in clock ticks since boot (proc(5), field 22).

    Empty when it has ended and only its parent does not know yet; None when it is not shown.
    """
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return None
    state, *fields = stat.rpartition(")")[2].split()
    return "" if state == "Z" else fields[18]


def _is_gone(pid: int) -> bool:
    """Whether there is no such process. /proc may hide those of others (proc(5), `hidepid`)."""
    if os.name != "posix":
        return False  # nobody can be asked without being interrupted
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return True
    except PermissionError:
        return False
    return False


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
