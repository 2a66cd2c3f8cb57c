"""Calls to a service: retried in this one place, by the class of the error, and paced where need be.

An SDK's own retries are switched off: they know neither what was changed nor how often to ask again.
What may or may not have happened is `Ambiguous`, and never simply called again: the provider reads back.
"""

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from http.client import HTTPConnection
from typing import TypeVar

from tenacity import RetryCallState, Retrying, retry_if_exception_type, stop_after_delay
from tenacity.wait import wait_random_exponential

from providers.errors import Ambiguous, ProviderError, Throttled, Transient

Result = TypeVar("Result")
PATIENCE = 90.0
"""Seconds after which a call that is refused again and again is given up."""
_LONGEST_PAUSE = 20.0
_MOST_ASKED = 60.0
"""Seconds that a service may ask us to wait; longer is not waited for."""
_backoff = wait_random_exponential(multiplier=0.5, max=_LONGEST_PAUSE)


@dataclass(slots=True)
class Pace:
    """Lets calls begin `per_second` on the average, evenly spaced; None for any number."""

    per_second: float | None = None
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    _next: float = 0.0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def wait(self) -> None:
        """Wait for a turn."""
        if self.per_second is None:
            return
        with self._lock:
            now = self.clock()
            turn = max(now, self._next)
            self._next = turn + 1 / self.per_second
        if turn > now:
            self.sleep(turn - now)


@dataclass(frozen=True, slots=True)
class Calls:
    """Makes the calls of one service.

    `explain` turns an SDK's exception into a ProviderError whose text holds nothing secret, or returns
    None for what is not the SDK's. It says `Transient` only of what certainly did not happen, and
    `Ambiguous` of what may have: a time-out, a broken connection, a 5xx. `pace` is that of changes.
    Where every request holds a secret, such as a token in a header, `secret` keeps debug logs silent.
    """

    explain: Callable[[Exception], ProviderError | None]
    pace: Pace = field(default_factory=Pace)
    patience: float = PATIENCE
    sleep: Callable[[float], None] = time.sleep
    secret: bool = False

    def read(self, call: Callable[[], Result]) -> Result:
        """Make a call that changes nothing; it is repeated whatever became of it."""
        return self._attempts((Throttled, Transient, Ambiguous), lambda: self._explained(call))

    def change(self, call: Callable[[], Result]) -> Result:
        """Make a call that changes something; it is repeated only where it certainly did not happen."""

        def paced() -> Result:
            self.pace.wait()
            return self._explained(call)

        return self._attempts((Throttled, Transient), paced)

    def change_secretly(self, call: Callable[[], Result]) -> Result:
        """Make a change whose request holds a key: no debug log is written meanwhile."""

        def silent() -> Result:
            with _SILENCE.kept():
                return call()

        return self.change(silent)

    def _attempts(
        self, again: tuple[type[ProviderError], ...], call: Callable[[], Result]
    ) -> Result:
        attempts = Retrying(
            retry=retry_if_exception_type(again),
            wait=_pause,
            stop=_WornOut(self.patience),
            sleep=self.sleep,
            reraise=True,
        )
        result: Result = attempts(call)
        return result

    def _explained(self, call: Callable[[], Result], /) -> Result:
        try:
            with _SILENCE.kept() if self.secret else nullcontext():
                return call()
        except ProviderError:
            raise
        except Exception as error:
            explained = self.explain(error)
            if explained is None:
                raise
        # an SDK's exception may hold the request, and so a key: raised out here, this one has no context
        raise explained


def _asked(state: RetryCallState) -> float | None:
    error = state.outcome.exception() if state.outcome else None
    return error.retry_after if isinstance(error, Throttled) else None


def _pause(state: RetryCallState) -> float:
    return max(_backoff(state), _asked(state) or 0)


class _WornOut(stop_after_delay):
    """Gives up after a while, and at once where the service asks for more than is waited."""

    def __call__(self, retry_state: RetryCallState) -> bool:
        """Whether to give up."""
        return super().__call__(retry_state) or (_asked(retry_state) or 0) > _MOST_ASKED


@dataclass(slots=True)
class _Silence:
    """Lets nobody write requests down: SDKs log them at DEBUG, bodies included, and http.client prints them.

    Both are switched for the whole process, so those who want silence are counted for all of it.
    """

    wanted: int = 0
    before: tuple[int, int] = (logging.NOTSET, 0)
    lock: threading.Lock = field(default_factory=threading.Lock)

    @contextmanager
    def kept(self) -> Iterator[None]:
        """Keep silent until the last of those who want it is done."""
        with self.lock:
            if self.wanted == 0:
                self.before = (logging.root.manager.disable, HTTPConnection.debuglevel)
                logging.disable(max(self.before[0], logging.DEBUG))
                HTTPConnection.debuglevel = 0
            self.wanted += 1
        try:
            yield
        finally:
            with self.lock:
                self.wanted -= 1
                if self.wanted == 0:
                    logging.disable(self.before[0])
                    HTTPConnection.debuglevel = self.before[1]


_SILENCE = _Silence()
