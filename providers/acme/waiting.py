"""How long one run waits for a CA that takes its time: a little while, and the next run goes on."""

from collections.abc import Callable
from dataclasses import dataclass, field

PATIENCE = 60.0
"""Seconds that the names of one order are waited for, and its certificate as long once more."""
_FIRST, _LONGEST, _MORE = 0.2, 5.0, 1.6
_LAST = 15.0
"""Seconds that are waited at the most before the last look: many a CA is done sooner than it says."""


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
    _is_last: bool = field(init=False)

    def __post_init__(self) -> None:
        self.begin()

    def begin(self) -> None:
        """Wait from now on: what took its time until here was not the CA."""
        self._end, self._pause = self.clock() + self.patience, _FIRST
        self._is_last = False

    def pause(self, asked: float | None = None) -> bool:
        """Wait as long as the CA asks, else a little; False, at once, where that is left to the next run.

        Where there is not as much time left, the CA is looked at once more, at the end of it or before.
        """
        left = self._end - self.clock()
        if self._is_last or left <= 0:
            return False
        wanted = self._pause if asked is None else max(asked, _FIRST)
        self._is_last = wanted > left
        self._pause = min(self._pause * _MORE, _LONGEST)
        self.nap(min(left, _LAST) if self._is_last else wanted)
        return True

    def nap(self, seconds: float) -> None:
        """Sleep, as somebody who is known to be alive."""
        self.alive()
        self.sleep(seconds)
