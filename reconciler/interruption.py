"""Ctrl-C and SIGTERM while the ledger is held: what is in hand is finished, then the lock given back.

The second signal interrupts at once. Whatever a run leaves undone, the next one does.
"""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType

from reconciler.errors import Interrupted

_SIGNALS = (signal.SIGINT, signal.SIGTERM)
_SAID = b"Stopping when what is in hand is finished; once more stops at once.\n"


@dataclass(slots=True)
class Interruption:
    """Whether a run was asked to stop; raises KeyboardInterrupt itself when it cannot wait."""

    asked: bool = False
    patient: bool = True

    def check(self) -> None:
        """Raise `Interrupted` if a signal came."""
        if self.asked:
            raise Interrupted("interrupted", hint="nothing was begun; run it again")

    @contextmanager
    def at_once(self) -> Iterator[None]:
        """Let a signal interrupt what only waits for a person."""
        self.patient = False
        try:
            yield
        finally:
            self.patient = True

    def note(self, _number: int, _frame: FrameType | None) -> None:
        """Take a signal in."""
        at_once, self.asked = self.asked or not self.patient, True
        if at_once:
            raise KeyboardInterrupt
        os.write(2, _SAID)  # a stream may be in the middle of a line here


@contextmanager
def interruptible() -> Iterator[Interruption]:
    """Take signals in until the end."""
    interruption = Interruption()
    former = [(number, signal.signal(number, interruption.note)) for number in _SIGNALS]
    try:
        yield interruption
    finally:
        for number, handler in former:
            signal.signal(number, handler)
