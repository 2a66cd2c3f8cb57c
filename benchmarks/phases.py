"""Runs in the place of action/run.py: the same, with a clock at the doors between its phases.

Time is charged to the innermost phase that the first thread is in, so that the phases add up; what
threads import beside it is told apart. Writes JSON where CERTFORM_PHASES says.
"""

import atexit
import builtins
import functools
import importlib
import json
import os
import sys
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

BEGUN = time.time()
IMPORTS, BESIDE, REST = "imports", "imports in threads", "everything else"
DOORS = {
    "which commits (git)": ("reconciler.github.commands.plan:pull_of proposal",),
    "documents of the base": ("reconciler.github.preview:read_base",),
    "documents of the head": ("reconciler.github.preview:examine",),
    "ledger": ("reconciler.cli.survey:read_ledger",),
    "observing": ("reconciler.cli.survey:make_targets make_publisher observe inspect",),
    "comparing": ("reconciler.planning:diff",),
    "comparing with the base": ("reconciler.planning:proposed",),
    "the rest of the plan": ("reconciler.github.preview:make_plan",),
    "rendering": (
        "reconciler.github.posting:render_markdown plan_checks annotated",
        "reconciler.github.preview:render_text",
    ),
    "GitHub": ("reconciler.github.job:Job.attempt",),
}
"""What each phase is, as the names under which its functions are called."""


class Clock:
    """Seconds by phase of the first thread, and of what other threads import."""

    def __init__(self) -> None:
        self.spent: defaultdict[str, float] = defaultdict(float)
        self.stack = [REST]
        self.since = time.perf_counter()
        self.first = threading.current_thread()
        self.beside = threading.local()

    @contextmanager
    def within(self, phase: str) -> Iterator[None]:
        """Charge the time meanwhile to a phase."""
        if threading.current_thread() is not self.first:
            with self._beside(phase):
                yield
            return
        self._turn()
        self.stack.append(phase)
        try:
            yield
        finally:
            self._turn()
            self.stack.pop()

    def _turn(self) -> None:
        now = time.perf_counter()
        self.spent[self.stack[-1]] += now - self.since
        self.since = now

    @contextmanager
    def _beside(self, phase: str) -> Iterator[None]:
        outermost = phase == IMPORTS and not getattr(self.beside, "busy", False)
        begun = time.perf_counter()
        self.beside.busy = True
        try:
            yield
        finally:
            if outermost:
                self.spent[BESIDE] += time.perf_counter() - begun
                self.beside.busy = False

    def around(self, phase: str, function: Callable[..., Any]) -> Callable[..., Any]:
        """Return the function with the clock at its door."""

        @functools.wraps(function)
        def timed(*args: Any, **named: Any) -> Any:
            with self.within(phase):
                return function(*args, **named)

        return timed

    def tell(self, path: Path) -> None:
        """Write what was spent, beginning with when this began."""
        self._turn()
        path.write_text(json.dumps({"begun": BEGUN, "ended": time.time(), "spent": self.spent}))


def imported(clock: Clock) -> None:
    """Charge what `import` takes where something is really imported."""
    plain = builtins.__import__

    def charged(name: str, *rest: Any, **named: Any) -> Any:
        if name in sys.modules and not (len(rest) > 2 and rest[2]):
            return plain(name, *rest, **named)
        with clock.within(IMPORTS):
            return plain(name, *rest, **named)

    builtins.__import__ = charged
    importlib.import_module = clock.around(IMPORTS, importlib.import_module)


def guarded(clock: Clock) -> None:
    """Put the clock at every door."""
    for phase, places in DOORS.items():
        for place in places:
            module, _, names = place.partition(":")
            for name in names.split():
                *owner, last = name.split(".")
                there: Any = importlib.import_module(module)
                for part in owner:
                    there = getattr(there, part)
                setattr(there, last, clock.around(phase, getattr(there, last)))


def main() -> None:
    """Run the command that the environment asks for."""
    sys.path.insert(0, os.environ["CERTFORM_CHECKOUT"])
    clock = Clock()
    atexit.register(clock.tell, Path(os.environ["CERTFORM_PHASES"]))
    imported(clock)
    from reconciler.__main__ import main as certform  # noqa: PLC0415 - from the checkout alone

    guarded(clock)
    sys.argv = ["certform", "action"]
    certform()


main()
