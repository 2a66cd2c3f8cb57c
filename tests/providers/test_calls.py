"""Calls are retried by the class of their error alone, at one pace, and tell nothing of what was sent."""

import http.client
import itertools
import logging
import threading
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import pytest

from providers.calls import Calls, Pace
from providers.errors import (
    Ambiguous,
    Conflict,
    Denied,
    InUse,
    NotFound,
    ProviderError,
    QuotaExceeded,
    Rejected,
    Throttled,
    Transient,
    Unreachable,
)

SECRET = "-----BEGIN PRIVATE KEY-----"
FINAL = (Denied, NotFound, InUse, QuotaExceeded, Conflict, Rejected, Unreachable)
Kind = Callable[[str], ProviderError]


class SdkError(Exception):
    """What an SDK raises; it may hold the request."""


def explain(error: Exception) -> ProviderError | None:
    """Explain an SdkError as the ProviderError that is its first argument."""
    found = error.args[0] if isinstance(error, SdkError) else None
    return found if isinstance(found, ProviderError) else None


@dataclass
class Clock:
    """Time that passes only while somebody sleeps."""

    now: float = 0.0
    slept: list[float] = field(default_factory=list)

    def time(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


@dataclass
class Failing:
    """A call that fails with each error in turn, and then returns its number."""

    errors: Iterator[ProviderError]
    made: int = 0

    def __call__(self) -> int:
        self.made += 1
        for error in self.errors:
            raise SdkError(error, SECRET)
        return self.made


def failing(*errors: ProviderError) -> Failing:
    return Failing(iter(errors))


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def calls(clock: Clock) -> Calls:
    return Calls(explain, sleep=clock.sleep)


@pytest.mark.parametrize("kind", [Throttled, Transient, Ambiguous])
def test_reading_is_repeated_whatever_became_of_it(calls: Calls, kind: Kind) -> None:
    assert calls.read(failing(kind("one"), kind("two"))) == 3


@pytest.mark.parametrize("kind", [Throttled, Transient])
def test_a_change_is_repeated_where_it_certainly_did_not_happen(calls: Calls, kind: Kind) -> None:
    assert calls.change(failing(kind("one"), kind("two"))) == 3
    assert calls.change_secretly(failing(kind("one"), kind("two"))) == 3


def test_a_change_that_may_have_happened_is_never_repeated(calls: Calls, clock: Clock) -> None:
    for way in (calls.change, calls.change_secretly):
        call = failing(Ambiguous("lost"))
        with pytest.raises(Ambiguous, match=r"^lost$"):
            way(call)
        assert call.made == 1
    assert clock.slept == []


@pytest.mark.parametrize("kind", FINAL)
def test_what_waiting_does_not_cure_is_raised_at_once(
    calls: Calls, clock: Clock, kind: Kind
) -> None:
    for way in (calls.read, calls.change, calls.change_secretly):
        call = failing(kind("no"))
        with pytest.raises(ProviderError, match=r"^no$"):
            way(call)
        assert call.made == 1
    assert clock.slept == []


def test_a_pause_is_as_long_as_the_service_asked_for(calls: Calls, clock: Clock) -> None:
    assert calls.read(failing(Throttled("slow", 7.0), Throttled("slow", 60.0))) == 3
    assert clock.slept == [7.0, 60.0]


def test_a_service_that_asks_for_no_pause_at_all_gets_one(calls: Calls, clock: Clock) -> None:
    assert calls.read(failing(*[Throttled("at once", 0.0)] * 12)) == 13
    assert len(clock.slept) == 12
    assert sum(clock.slept) > 1


def test_a_pause_that_nobody_asked_for_grows_and_is_bounded(calls: Calls, clock: Clock) -> None:
    assert calls.read(failing(*[Transient("again")] * 12)) == 13
    bounds = [min(0.5 * 2**n, 20.0) for n in range(12)]
    assert len(clock.slept) == 12
    assert all(0 <= pause <= most for pause, most in zip(clock.slept, bounds, strict=True))


def test_a_service_that_asks_for_more_than_a_minute_is_not_waited_for(
    calls: Calls, clock: Clock
) -> None:
    call = failing(Throttled("tomorrow", 61.0))
    with pytest.raises(Throttled, match=r"^tomorrow$"):
        calls.change(call)
    assert (call.made, clock.slept) == (1, [])
    assert calls.change(failing(Throttled("in a minute", 60.0))) == 2


def test_a_call_that_is_refused_again_and_again_is_given_up_with_its_last_error(
    clock: Clock,
) -> None:
    numbered = (Throttled(f"refusal {n}") for n in itertools.count(1))
    call = Failing(numbered)
    with pytest.raises(Throttled, match=r"^refusal \d+$") as raised:
        Calls(explain, patience=0.05, sleep=clock.sleep).read(call)
    assert str(raised.value) == f"refusal {call.made}"


def test_the_patience_is_not_a_call_s_own(clock: Clock) -> None:
    calls = Calls(explain, patience=0.0, sleep=clock.sleep)
    with pytest.raises(Transient):
        calls.read(failing(Transient("no")))
    assert calls.read(lambda: 1) == 1


def test_a_bug_is_raised_as_it_is_and_once(calls: Calls) -> None:
    made = []

    def broken() -> None:
        made.append(1)
        raise KeyError("a bug")

    with pytest.raises(KeyError):
        calls.read(broken)
    assert len(made) == 1


def test_what_is_a_provider_error_already_is_not_explained_again(calls: Calls) -> None:
    def refuse() -> None:
        raise NotFound("as it is")

    with pytest.raises(NotFound, match=r"^as it is$"):
        calls.read(refuse)


@pytest.mark.parametrize("way", ["read", "change", "change_secretly"])
def test_nothing_of_the_sdk_s_exception_goes_on(way: str) -> None:
    calls = Calls(explain, patience=0.0)
    with pytest.raises(ProviderError) as raised:
        getattr(calls, way)(failing(Transient("the vault is busy")))
    seen: BaseException | None = raised.value
    chain = []
    while seen is not None:
        chain.append(seen)
        seen = seen.__cause__ or seen.__context__
    assert not [each for each in chain if isinstance(each, SdkError)]
    told = "".join(traceback.format_exception(raised.value))
    assert SECRET not in told
    assert SECRET not in repr(raised.value)


def test_calls_begin_evenly_spaced_and_none_is_made_up_for(clock: Clock) -> None:
    pace = Pace(4.0, clock.time, clock.sleep)
    for _ in range(3):
        pace.wait()
    assert clock.slept == [0.25, 0.25]
    clock.now += 100.0
    for _ in range(2):
        pace.wait()
    assert clock.slept == [0.25, 0.25, 0.25]


def test_the_time_that_a_call_takes_counts_towards_the_next_turn(clock: Clock) -> None:
    pace = Pace(1.0, clock.time, clock.sleep)
    pace.wait()
    clock.now += 0.75
    pace.wait()
    clock.now += 5.0
    pace.wait()
    assert clock.slept == [0.25]


def test_threads_that_share_a_pace_get_a_turn_each() -> None:
    turns: list[float] = []
    pace = Pace(10.0, lambda: 0.0, turns.append)
    threads = [threading.Thread(target=pace.wait) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(turns) == [pytest.approx(n / 10) for n in range(1, 20)]


def test_no_pace_waits_for_nothing(clock: Clock) -> None:
    Pace(None, clock.time, clock.sleep).wait()
    assert clock.slept == []


def test_changes_are_paced_each_time_they_are_tried_and_reads_never(clock: Clock) -> None:
    calls = Calls(explain, Pace(2.0, clock.time, clock.sleep), sleep=lambda _: None)
    calls.change(failing(Throttled("a", 0.0), Throttled("b", 0.0)))
    assert clock.slept == [0.5, 0.5]
    calls.read(failing(Throttled("a", 0.0)))
    assert clock.slept == [0.5, 0.5]


@pytest.fixture
def heard(caplog: pytest.LogCaptureFixture) -> Callable[[], list[str]]:
    caplog.set_level(logging.DEBUG)
    return lambda: caplog.messages


def shout() -> None:
    logging.getLogger("sdk").debug(SECRET)
    if http.client.HTTPConnection.debuglevel:
        logging.getLogger("sdk").warning("%s is printed", SECRET)


def test_a_secret_change_is_not_logged_and_everything_else_is(
    calls: Calls, heard: Callable[[], list[str]]
) -> None:
    calls.change_secretly(shout)
    assert heard() == []
    calls.change(shout)
    assert heard() == [SECRET]


@pytest.mark.parametrize("way", ["read", "change"])
def test_where_every_request_holds_a_secret_nothing_is_logged(
    way: str, heard: Callable[[], list[str]]
) -> None:
    getattr(Calls(explain, secret=True), way)(shout)
    assert heard() == []


def test_http_client_prints_nothing_of_a_secret_change(
    calls: Calls, heard: Callable[[], list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http.client.HTTPConnection, "debuglevel", 1)
    calls.change_secretly(shout)
    assert heard() == []
    assert http.client.HTTPConnection.debuglevel == 1


@pytest.mark.parametrize("before", [logging.NOTSET, logging.DEBUG, logging.ERROR])
def test_after_a_secret_change_logging_is_as_it_was(
    calls: Calls, monkeypatch: pytest.MonkeyPatch, before: int
) -> None:
    monkeypatch.setattr(logging.root.manager, "disable", before)
    during: list[int] = []
    calls.change_secretly(lambda: during.append(logging.root.manager.disable))
    with pytest.raises(Denied):
        calls.change_secretly(failing(Denied("no")))
    assert during == [max(before, logging.DEBUG)]
    assert logging.root.manager.disable == before


def test_a_secret_change_that_ends_first_does_not_let_another_be_logged(
    calls: Calls, heard: Callable[[], list[str]]
) -> None:
    inside, over = threading.Event(), threading.Event()

    def late() -> None:
        inside.set()
        assert over.wait(30)
        shout()

    second = threading.Thread(target=lambda: calls.change_secretly(late))

    def first() -> None:
        second.start()
        assert inside.wait(30)

    calls.change_secretly(first)
    over.set()
    second.join()
    assert heard() == []
    assert logging.root.manager.disable == logging.NOTSET
