"""Work shared out over processes: in order, complete, and nothing of it outlives who asked."""

import _thread
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NoReturn

import pytest

from providers import processes
from providers.errors import Ambiguous, Conflict
from providers.processes import spread
from providers.secret import Secret

ITEMS = range(100)


@pytest.fixture(autouse=True)
def _two_processors(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two processors, and no threads but those a test starts: others may have left theirs here."""
    count = processes._threads
    before = count()
    monkeypatch.setattr(processes, "_threads", lambda: max(1, count() - before + 1))
    monkeypatch.setattr(os, "sched_getaffinity", lambda _pid: {0, 1})


def pids(part: Sequence[int]) -> list[tuple[int, int]]:
    return [(item, os.getpid()) for item in part]


def elsewhere(action: Callable[[], object]) -> Callable[[Sequence[int]], list[int]]:
    here = os.getpid()

    def work(part: Sequence[int]) -> list[int]:
        if os.getpid() != here:
            action()
        return list(part)

    return work


def fail(error: Exception) -> NoReturn:
    raise error


def forks(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The processes that are started from now on; others' may run beside them."""
    started = []
    fork = os.fork

    def tell() -> int:
        started.append(fork())
        return started[-1]

    monkeypatch.setattr(os, "fork", tell)
    return started


def test_results_come_in_order_from_two_processes() -> None:
    found = spread(pids, ITEMS, least=10)
    assert [item for item, _ in found] == list(ITEMS)
    assert len({pid for _, pid in found}) == 2


@pytest.mark.parametrize("items", [[], [1], list(range(9))])
def test_few_items_stay_in_this_process(items: list[int]) -> None:
    assert spread(pids, items, least=10) == [(item, os.getpid()) for item in items]


def test_a_process_with_threads_does_not_fork() -> None:
    ended = threading.Event()
    thread = threading.Thread(target=ended.wait)
    thread.start()
    try:
        assert {pid for _, pid in spread(pids, ITEMS, least=10)} == {os.getpid()}
    finally:
        ended.set()
        thread.join()


def test_one_processor_does_not_fork(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _pid: {0})
    assert {pid for _, pid in spread(pids, ITEMS, least=10)} == {os.getpid()}


@pytest.mark.parametrize("error", [Conflict("taken"), OSError(5, "Input/output error", "web")])
def test_what_fails_elsewhere_is_raised_here(error: Exception) -> None:
    with pytest.raises(type(error)) as caught:
        spread(elsewhere(lambda: fail(error)), ITEMS, least=10)
    assert str(caught.value) == str(error)


def test_a_process_that_is_killed_makes_the_outcome_ambiguous() -> None:
    with pytest.raises(Ambiguous):
        spread(elsewhere(lambda: os.kill(os.getpid(), signal.SIGKILL)), ITEMS, least=10)


def test_no_secret_comes_through_the_pipe() -> None:
    with pytest.raises(Ambiguous):
        spread(lambda part: [Secret(b"key") for _ in part], ITEMS, least=10)


def test_no_process_is_left_when_this_one_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    here = os.getpid()
    started = forks(monkeypatch)

    def work(part: Sequence[int]) -> list[int]:
        if os.getpid() == here:
            fail(Conflict("here"))
        signal.pause()
        return list(part)

    with pytest.raises(Conflict):
        spread(work, ITEMS, least=10)
    assert len(started) == 1
    with pytest.raises(ChildProcessError):
        os.waitpid(started[0], os.WNOHANG)


def test_a_fork_dies_with_its_parent(tmp_path: Path) -> None:
    place = tmp_path / "pid"
    script = f"""
import os, signal, sys
os.sched_getaffinity = lambda _: {{0, 1}}
from providers.processes import spread
here = os.getpid()
def work(part):
    if os.getpid() != here:
        open({str(place)!r} + ".new", "w").write(str(os.getpid()))
        os.rename({str(place)!r} + ".new", {str(place)!r})
    signal.pause()
spread(work, range(10), least=2)
"""
    parent = subprocess.Popen([sys.executable, "-c", script])
    wait_for(place.exists)
    child = int(place.read_text())
    parent.kill()
    parent.wait()
    wait_for(lambda: not runs(child))


def wait_for(condition: Callable[[], bool]) -> None:
    for _ in range(1000):
        if condition():
            return
        time.sleep(0.01)
    pytest.fail("it did not happen within ten seconds")


def runs(pid: int) -> bool:
    try:
        with open(f"/proc/{pid}/stat") as stat:  # noqa: PTH123
            return stat.read().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_a_process_with_a_thread_that_python_does_not_know_of_does_not_fork() -> None:
    ended = _thread.allocate_lock()
    ended.acquire()
    gone = _thread.allocate_lock()
    gone.acquire()

    def live() -> None:
        ended.acquire()
        gone.release()

    _thread.start_new_thread(live, ())
    try:
        assert threading.active_count() == 1
        assert {pid for _, pid in spread(pids, ITEMS, least=10)} == {os.getpid()}
    finally:
        ended.release()
        gone.acquire()
