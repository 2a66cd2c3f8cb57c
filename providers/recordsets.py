"""TXT values in a cloud that keeps all values of a name as one record set: changed only as it was read.

Two challenges may be under way for one name at once, in this process and in others. So a change names what
it was made from, and the service refuses it where that is not there any more: then it is read again.
A change whose answer is lost is read back in the same way, and made anew only where it did not happen.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

from tenacity import Retrying, retry_if_result, stop_after_attempt, stop_after_delay
from tenacity.wait import wait_random_exponential

from providers.errors import Ambiguous, Conflict, ProviderError

Value = TypeVar("Value")
Change = TypeVar("Change")
TTL = 60
"""Seconds for which others may keep what we write."""
TRIES = 15
"""How often a record set that others change all the time is read again."""
_SAME = 3
"""After so many refusals for one and the same record set it is not others that stand in the way."""
_PATIENCE, _FIRST_PAUSE, _LONGEST_PAUSE = 180.0, 1.0, 5.0
"""Seconds: for a change to be taken, for one to reach every name server, and between two looks."""


class Moved(Conflict):
    """The service refused a change, so nothing was done: the record set may not be what it was read as."""


@dataclass(frozen=True, slots=True)
class Held(Generic[Value]):
    """A record set as it was read; without values there is none. `rest` goes back as it came.

    A value is as its service writes it, so that what others put there is given back unchanged.
    """

    values: tuple[Value, ...] = ()
    ttl: int = TTL
    rest: Any = None


class RecordSet(Protocol[Value]):
    """The TXT records of one name."""

    def read(self) -> Held[Value]:
        """Return what is there now."""
        ...

    def swap(self, held: Held[Value], values: tuple[Value, ...], /) -> str | None:
        """Put values where `held` is; raises `Moved`. Returns the change's name, where it has one."""
        ...


def add(records: RecordSet[Value], value: Value, sleep: Callable[[float], None]) -> str | None:
    """Add a value beside the others; returns the change's name, None where there was nothing to do."""
    return _settle(records, lambda held: held if value in held else (*held, value), sleep)


def remove(records: RecordSet[Value], value: Value, sleep: Callable[[float], None]) -> None:
    """Take a value out, and leave the others."""
    _settle(records, lambda held: tuple(each for each in held if each != value), sleep)


def taken(changes: list[Change]) -> tuple[Change, ...]:
    """Return what is in a list, and empty it."""
    found = tuple(changes)
    changes.clear()
    return found


def wait(done: Callable[[], bool], change: str, sleep: Callable[[float], None]) -> None:
    """Look until a change has reached every name server; raises `Ambiguous` after three minutes."""
    pause, waited = _FIRST_PAUSE, 0.0
    while not done():
        if waited >= _PATIENCE:
            raise Ambiguous(
                f"{change} is still under way after {waited:.0f} seconds: run again later"
            )
        sleep(pause)
        waited += pause
        pause = min(pause * 1.5, _LONGEST_PAUSE)


def _settle(
    records: RecordSet[Value],
    change: Callable[[tuple[Value, ...]], tuple[Value, ...]],
    sleep: Callable[[float], None],
) -> str | None:
    refused: list[Held[Value]] = []

    def attempt() -> str | ProviderError | None:
        held = records.read()
        wanted = change(held.values)
        if wanted == held.values:
            return None
        try:
            return records.swap(held, wanted)
        except Moved as why:
            refused.append(held)
            error: ProviderError = why
        except Ambiguous as why:
            error = why
        if refused.count(held) == _SAME:
            raise Conflict(str(error))
        return error

    done = _retrying(sleep)(attempt)
    if isinstance(done, ProviderError):
        raise done
    return done


def _retrying(sleep: Callable[[float], None]) -> Retrying:
    """Return what tries again after an error that is returned; one that is raised is the end."""
    return Retrying(
        retry=retry_if_result(lambda done: isinstance(done, ProviderError)),
        wait=wait_random_exponential(multiplier=0.25, max=_LONGEST_PAUSE),
        stop=stop_after_attempt(TRIES) | stop_after_delay(_PATIENCE),
        sleep=sleep,
        retry_error_callback=lambda state: state.outcome.result() if state.outcome else None,
    )
