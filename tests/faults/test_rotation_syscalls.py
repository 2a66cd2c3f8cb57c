"""System calls that kill or fail a run in which CAs give way: whoever relies on them notices nothing."""

import itertools
import os
import signal
from collections.abc import Callable, Mapping

import disk_faults
import judge
import pytest
from disk_faults import ERRORS, WRITES, Changes, mostly, points, unclear
from rig import Repository, Runner, Workshop
from rotations import Change

PER_CALL = 2
SURE = 0.7
"""The share of calls that are the same in each run: OCSP responses lie in as many folders as their names have
slashes."""


@pytest.fixture(scope="module")
def calls(
    workshop: Workshop, changes: Mapping[str, Change], require: Callable[[str], str]
) -> Mapping[str, Changes]:
    """For each change and system call, the counts at which certform's own process changes the disk."""
    require("strace")

    def count(runner: Runner, repository: Repository, _: None) -> Changes:
        return disk_faults.counted(runner, repository)

    return {
        name: workshop.sweep(changes[name].template, [None], count)[0]
        for name in ("rotate", "compromise")
    }


@pytest.mark.parametrize("name", ["rotate", "compromise"])
def test_whoever_relies_on_a_ca_sees_no_system_call_at_which_a_run_is_killed(
    workshop: Workshop,
    changes: Mapping[str, Change],
    calls: Mapping[str, Changes],
    tell: Callable[[str], None],
    name: str,
) -> None:
    change = changes[name]

    def trial(
        runner: Runner, repository: Repository, point: tuple[str, int]
    ) -> tuple[bool, list[str]]:
        kill = f"inject={point[0]}:signal=KILL:when={point[1]}"
        ended = runner.apply(repository, strace=["-o", os.devnull, "-e", kill])
        hit = ended.status == -signal.SIGKILL
        problems = [] if hit or ended.status == 0 else [f"ended with {ended.status}: {ended.err}"]
        problems += change.ends(runner, repository)
        return hit, [f"killed at {point}: {problem}" for problem in problems]

    where = points(calls[name], ("openat", *WRITES), PER_CALL)
    hit, found = zip(*workshop.sweep(change.template, where, trial), strict=True)
    tell(judge.summary(f"SIGKILL at system calls, {name}", found))
    assert list(itertools.chain(*found)) == []
    assert mostly(hit, SURE)


def test_a_disk_that_fails_while_a_root_gives_way_takes_nobody_down_and_is_told_plainly(
    workshop: Workshop,
    changes: Mapping[str, Change],
    calls: Mapping[str, Changes],
    tell: Callable[[str], None],
) -> None:
    change = changes["rotate"]

    def trial(
        runner: Runner, repository: Repository, point: tuple[str, int, str]
    ) -> tuple[bool, list[str]]:
        name, at, error = point
        log = repository.temporary.parent / "strace"
        inject = f"inject={name}:error={error}:when={at}"
        watch = ["-o", str(log), "-e", f"trace={name}", "-e", inject]
        ended = runner.apply(repository, strace=watch)
        hit = "(INJECTED)" in log.read_text()
        problems = list(unclear(ended))
        if hit and ended.status == 0 and "could not be released" not in ended.err:
            problems.append("nobody was told")
        problems += change.ends(runner, repository, listed=False)
        return hit, [f"{error} at {name} {at}: {problem}" for problem in problems]

    where = [
        (name, at, errors[0])
        for name, errors in ERRORS.items()
        for _, at in points(calls["rotate"], [name], PER_CALL)
    ]
    hit, found = zip(*workshop.sweep(change.template, where, trial), strict=True)
    tell(judge.summary("disk faults, rotate", found))
    assert list(itertools.chain(*found)) == []
    assert mostly(hit, SURE)
