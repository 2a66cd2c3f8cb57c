"""How long one run waits for a CA that takes its time: a little while, and the next run goes on."""

from collections.abc import Callable
from dataclasses import dataclass, field

PATIENCE = 60.0
"""Seconds that the names of one order are waited for, and its certificate as long once more."""
_FIRST, _LONGEST, _MORE = 0.2, 5.0, 1.6


@dataclass(slots=True)
class Waiting:
    """Waits for `patience` seconds of `clock`; each pause is longer than the one before.

    `alive` is called before each, and keeps the run's lock meanwhile.
    """

    patience: float
    clock: Callable[[], float]
    sleep: Callable[[float], None]
    alive: Callable[[], None]
    _end: float = field(init=False)
    _pause: float = field(init=False)

    def __post_init__(self) -> None:
        self.begin()

    def begin(self) -> None:
        """Wait from now on: what took its time until here was not the CA."""
        self._end, self._pause = self.clock() + self.patience, _FIRST

    def pause(self, asked: float | None = None) -> bool:
        """Wait as long as the CA asks, else a little; False, at once, where that is left to the next run."""
        wanted = self._pause if asked is None else max(asked, _FIRST)
        if wanted > self._end - self.clock():
            return False
        self._pause = min(self._pause * _MORE, _LONGEST)
        self.nap(wanted)
        return True

    def nap(self, seconds: float) -> None:
        """Sleep, as somebody who is known to be alive."""
        self.alive()
        self.sleep(seconds)
