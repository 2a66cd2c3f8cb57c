"""Work on many items, shared out over the machine's processors by forking.

A forked process has everything in memory that this one has, keys too, so that none of it travels;
what comes back through a pipe are results alone, and a `Secret` among them would refuse to.

A process with other threads never forks: a lock that one of them holds, be it git's or a cloud's
library's, would stay locked in the child for ever. So who wants the speed calls from one thread.
"""

import math
import os
import pickle
import signal
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import pairwise
from typing import IO, NoReturn, Self, TypeVar

from providers.errors import Ambiguous
from providers.system import c_function

Item = TypeVar("Item")
Result = TypeVar("Result")

LEAST = 1_000
"""Items below which a fork costs more than it saves."""
_MOST = 4
"""Processes: a disk has no use for more."""
_STOPPING = {signal.SIGINT, signal.SIGTERM}
_PRCTL = c_function("prctl") if hasattr(os, "fork") else None
"""Only Linux has it; what cannot be made to die with its parent is not started."""
_PR_SET_PDEATHSIG = 1


def spread(
    work: Callable[[Sequence[Item]], Sequence[Result]],
    items: Sequence[Item],
    least: int | None = None,
) -> list[Result]:
    """Return what `work` makes of the items, in their order; from `least` up by several processes.

    `work` is called with a part of the items, and must not depend on what it changes in memory.
    Raises what it raises, and `Ambiguous` when a process ends without an answer.
    """
    parts = _parts(items, LEAST if least is None else least)
    with ExitStack() as stack:
        others = [stack.enter_context(_Fork.of(work, part)) for part in parts[1:]]
        results = list(work(parts[0]))
        for other in others:
            results += other.results()
    return results


def _parts(items: Sequence[Item], least: int) -> list[Sequence[Item]]:
    """Cut the items into equal parts, one a process."""
    count = (
        1
        if _PRCTL is None or len(items) < least or _threads() > 1
        else min(len(os.sched_getaffinity(0)), _MOST)
    )
    bounds = [len(items) * part // count for part in range(count + 1)]
    return [items[start:end] for start, end in pairwise(bounds)]


def _threads() -> float:
    """Return how many threads this process has, those that Python did not start too."""
    try:
        return len(os.listdir("/proc/self/task"))  # noqa: PTH208  names are not looked at
    except OSError:
        return math.inf


@dataclass(frozen=True, slots=True)
class _Fork:
    """A process at its part of the work; leaving the context ends it, whatever it is doing."""

    pid: int
    pipe: IO[bytes]

    @classmethod
    def of(
        cls, work: Callable[[Sequence[Item]], Sequence[Result]], part: Sequence[Item]
    ) -> "_Fork":
        reading, writing = os.pipe()
        parent = os.getpid()
        # what asks to stop is for the parent alone: the child keeps these signals blocked
        former = signal.pthread_sigmask(signal.SIG_BLOCK, _STOPPING)
        try:
            pid = os.fork()
            if pid == 0:
                _answer(work, part, writing, parent)
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, former)
        os.close(writing)
        return cls(pid, os.fdopen(reading, "rb"))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.pipe.close()
        os.kill(self.pid, signal.SIGKILL)  # not yet waited for, so the number is still its own
        os.waitpid(self.pid, 0)

    def results(self) -> Sequence[Result]:
        """Return what the process made of its part, or raise what it raised."""
        try:
            answer = pickle.load(self.pipe)  # noqa: S301 - from a fork of this process
        except (EOFError, pickle.UnpicklingError):
            raise Ambiguous("a process that did part of the work ended early") from None
        if isinstance(answer, Exception):
            raise answer
        results: Sequence[Result] = answer
        return results


def _answer(
    work: Callable[[Sequence[Item]], Sequence[Result]], part: Sequence[Item], pipe: int, parent: int
) -> NoReturn:
    """Do the work in a forked process and end it, running nothing of the parent's on the way out."""
    status = 1
    try:
        _die_with(parent)
        with os.fdopen(pipe, "wb") as stream:
            pickle.dump(_attempt(work, part), stream, pickle.HIGHEST_PROTOCOL)
        status = 0
    finally:
        os._exit(status)


def _die_with(parent: int) -> None:
    """Let the kernel kill this process when its parent dies: nobody writes beside the next run."""
    armed = _PRCTL is not None and _PRCTL(_PR_SET_PDEATHSIG, signal.SIGKILL) == 0
    if not armed or os.getppid() != parent:
        os.kill(os.getpid(), signal.SIGKILL)


def _attempt(
    work: Callable[[Sequence[Item]], Sequence[Result]], part: Sequence[Item]
) -> Sequence[Result] | Exception:
    try:
        return list(work(part))
    except Exception as error:  # noqa: BLE001 - the parent raises it
        return error
