"""Answers come in the order of the questions, mistakes are told, and nobody who gives up has to wait."""

import signal
import threading

import pytest

from reconciler.threads import side_by_side


def test_answers_stand_in_the_order_of_the_questions_and_no_thread_is_left() -> None:
    before = threading.active_count()
    assert side_by_side(str, range(100), 7) == tuple(map(str, range(100)))
    assert threading.active_count() == before


def test_nothing_is_asked_of_nobody() -> None:
    assert side_by_side(str, (), 7) == ()


def test_no_more_than_so_many_are_asked_at_once() -> None:
    meeting = threading.Barrier(3)
    most, there, lock = 0, 0, threading.Lock()

    def count(_: int) -> None:
        nonlocal most, there
        with lock:
            there += 1
            most = max(most, there)
        meeting.wait(30)
        with lock:
            there -= 1

    side_by_side(count, range(9), 3)
    assert most == 3


def test_a_mistake_is_raised() -> None:
    with pytest.raises(ZeroDivisionError):
        side_by_side(lambda divisor: 1 // divisor, (1, 0, 2), 3)


def test_who_interrupts_does_not_wait_for_answers() -> None:
    enough, answered = threading.Event(), threading.Event()

    def hang(_: int) -> None:
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)
        enough.wait(30)
        answered.set()

    try:
        with pytest.raises(KeyboardInterrupt):
            side_by_side(hang, (1,), 1)
        assert not answered.is_set()
    finally:
        enough.set()
