"""Ctrl-C: the run stops cleanly, gives the lock back, and the next one goes on from there."""

import os
import signal
import time
from collections.abc import Callable
from contextlib import suppress

import judge
import pytest
from judge import Scenarios, recovered
from rig import Repository, Runner, Workshop

MOMENTS = (0.05, 0.2, 0.35, 0.5, 0.65, 0.8, 0.95, 1.1)
"""Seconds into a run; an apply takes longer than the last on most machines."""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["Ctrl-C", "SIGTERM"])
def test_an_interrupted_apply_stops_cleanly_and_the_next_one_finishes(
    workshop: Workshop, scenarios: Scenarios, tell: Callable[[str], None], number: signal.Signals
) -> None:
    template, wanted = scenarios["reissue"]

    def trial(runner: Runner, repository: Repository, moment: float) -> tuple[bool, list[str]]:
        run = runner.start(repository, "apply", "--auto-approve")
        time.sleep(moment)
        with suppress(ProcessLookupError):
            os.kill(run.pid, number)
        ended = run.wait()
        problems = list(judge.served(repository.root, complete=True))
        if ended.status not in (0, 130, -number):
            problems.append(f"ended with {ended.status}: {ended.err}")
        if "Traceback" in ended.err or "met a bug" in ended.err:
            problems.append(ended.err)
        if b"refs/certform/lock" in judge.git(repository.root, "for-each-ref"):
            problems.append("the lock is still held")
        problems += recovered(runner, repository, wanted)
        return ended.status != 0, [f"after {moment} s: {problem}" for problem in problems]

    stopped, found = zip(*workshop.sweep(template, MOMENTS, trial), strict=True)
    tell(f"{judge.summary(f'{number.name} during apply', found)}; {sum(stopped)} were stopped")
    assert any(stopped), "every run had ended before"
    assert [problem for problems in found for problem in problems] == []
