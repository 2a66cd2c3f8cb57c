"""System calls that kill the process or fail, wherever an apply makes them: strace does both."""

import itertools
import os
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import disk_faults
import judge
import pytest
from disk_faults import ERRORS, WRITES, Changes, mostly, points, unclear
from judge import Scenarios, recovered
from rig import Repository, Runner, Workshop

GIT_LOCKS = ("refs/heads/certform/ledger", "refs/certform/keys", "packed-refs")
GIT_FAULTS = (
    *itertools.product(("openat", "fsync", "rename"), GIT_LOCKS, ("signal=KILL",)),
    *itertools.product(("openat",), GIT_LOCKS, ("error=ENOSPC",)),
)


@pytest.fixture(scope="session")
def calls(
    workshop: Workshop, scenarios: Scenarios, require: Callable[[str], str]
) -> Mapping[str, Changes]:
    """For each scenario and system call, the counts at which certform's own process changes the disk."""
    require("strace")

    def count(runner: Runner, repository: Repository, _: None) -> Changes:
        return disk_faults.counted(runner, repository)

    return {
        name: workshop.sweep(template, [None], count)[0]
        for name, (template, _) in scenarios.items()
    }


@pytest.mark.parametrize("scenario", ["issue", "reissue"])
def test_an_apply_killed_at_any_system_call_is_finished_by_the_next(
    workshop: Workshop,
    scenarios: Scenarios,
    calls: Mapping[str, Changes],
    tell: Callable[[str], None],
    scenario: str,
) -> None:
    template, wanted = scenarios[scenario]

    def trial(
        runner: Runner, repository: Repository, point: tuple[str, int]
    ) -> tuple[bool, list[str]]:
        kill = f"inject={point[0]}:signal=KILL:when={point[1]}"
        ended = runner.apply(repository, strace=["-o", os.devnull, "-e", kill])
        problems = list(judge.served(repository.root, complete=scenario == "reissue"))
        if ended.status not in (-9, 0):
            problems.append(f"neither killed nor done, ended with {ended.status}: {ended.err}")
        problems += recovered(runner, repository, wanted)
        return ended.status == -9, [f"killed at {point}: {problem}" for problem in problems]

    where = points(calls[scenario], ("openat", *WRITES))
    hit, found = zip(*workshop.sweep(template, where, trial), strict=True)
    tell(judge.summary(f"SIGKILL at system calls, {scenario}", found))
    assert list(itertools.chain(*found)) == []
    assert mostly(hit)


def test_a_disk_that_fails_leaves_the_old_certificate_served_and_is_told_plainly(
    workshop: Workshop,
    scenarios: Scenarios,
    calls: Mapping[str, Changes],
    tell: Callable[[str], None],
) -> None:
    template, wanted = scenarios["reissue"]

    def trial(
        runner: Runner, repository: Repository, point: tuple[str, int, str]
    ) -> tuple[bool, list[str]]:
        name, at, error = point
        inject = f"inject={name}:error={error}:when={at}"
        log = repository.temporary.parent / "strace"
        watch = ["-o", str(log), "-e", f"trace={name}", "-e", inject]
        ended = runner.apply(repository, strace=watch)
        hit = "(INJECTED)" in log.read_text()
        problems = [*judge.served(repository.root, complete=True), *unclear(ended)]
        if hit and ended.status == 0 and "could not be released" not in ended.err:
            problems.append("nobody was told")
        problems += recovered(runner, repository, wanted)
        return hit, [f"{error} at {name} {at}: {problem}" for problem in problems]

    where = [
        (name, at, error)
        for name, errors in ERRORS.items()
        for (_, at), error in itertools.product(points(calls["reissue"], [name]), errors)
    ]
    hit, found = zip(*workshop.sweep(template, where, trial), strict=True)
    tell(judge.summary("disk faults", found))
    assert list(itertools.chain(*found)) == []
    assert mostly(hit)


def test_a_git_that_dies_while_it_moves_refs_stops_nobody_for_good(
    workshop: Workshop,
    scenarios: Scenarios,
    require: Callable[[str], str],
    tell: Callable[[str], None],
) -> None:
    """A power cut or an out-of-memory killer takes git too, in the midst of its own lock files."""
    require("strace")
    template, wanted = scenarios["reissue"]

    def trial(runner: Runner, repository: Repository, point: tuple[str, str, str]) -> list[str]:
        name, ref, fault = point
        place = repository.root / ".git" / f"{ref}.lock"
        watch = ["-f", "-o", os.devnull, "-P", str(place), "-e", f"inject={name}:{fault}:when=1"]
        ended = runner.apply(repository, strace=watch)
        problems = [*judge.served(repository.root, complete=True), *unclear(ended)]
        let_pass(repository.root / ".git", 120)
        problems += recovered(runner, repository, wanted)
        return [f"{fault} at {name} of {ref}: {problem}" for problem in problems]

    found = workshop.sweep(template, GIT_FAULTS, trial)
    tell(judge.summary("git killed or out of space", found))
    assert list(itertools.chain(*found)) == []


def let_pass(folder: Path, seconds: int) -> None:
    """Make every lock file in a folder older, and the mark that tells whose they are."""
    then = time.time() - seconds
    for file in (*folder.rglob("*.lock"), *folder.glob("certform/moving")):
        os.utime(file, (then, then))
