"""Two applies at once, on one repository and on two clones of a remote: one writer at a time."""

import os
import random
import signal
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import judge
import pytest
from judge import recovered
from rig import Ended, Repository, Workshop
from rotations import Change

from reconciler.ledger.records import LedgerState

SEEDS = 100 if os.environ.get("CERTFORM_FULL_SWEEP") else 12


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return tmp_path


def race(workshop: Workshop, first: Repository, second: Repository, seed: int) -> list[Ended]:
    """Start two applies a moment apart and return how both ended."""
    random_ = random.Random(seed)
    runs = []
    for runner, repository in zip(workshop.runners, (first, second), strict=True):
        options = ("apply", "--auto-approve", "--lock-timeout", "60")
        runs.append(runner.start(repository, *options))
        time.sleep(random_.random() * 0.8)
    return [run.wait() for run in runs]


def agree(ended: Sequence[Ended], state: LedgerState) -> list[str]:
    """Return what two applies must not have done."""
    problems = [f"ended with {e.status}: {e.err}" for e in ended if e.status not in (0, 3)]
    if all(e.status != 0 for e in ended):
        problems.append("nobody finished")
    issued = {name: record.issuances for name, record in state.certificates.items()}
    issued |= {name: record.issuances for name, record in state.authorities.items()}
    for name, issuances in issued.items():
        if len(issuances) != 1:
            problems.append(f"surplus: {name} has {len(issuances)} issuances")
    return problems


def test_two_applies_on_one_repository_issue_nothing_twice(
    workshop: Workshop, empty: Repository, tell: Callable[[str], None], place: Path
) -> None:
    wanted = judge.Wanted({"one": 1, "two": 1, "three": 1})
    found: list[list[str]] = []
    waited = 0
    for seed in range(SEEDS):
        with empty.copied(place / str(seed)) as repository:
            beside = repository.beside(place / str(seed) / "second")
            ended = race(workshop, repository, beside, seed)
            problems = agree(ended, judge.ledger(repository.root))
            problems += recovered(workshop.runner, repository, wanted)
            waited += any("waiting for" in each.err for each in ended)
            found.append([f"seed {seed}: {problem}" for problem in problems])
    tell(f"{judge.summary('two applies, one repository', found)}; {waited} had to wait")
    assert waited > 0, "the two never met"
    assert [problem for problems in found for problem in problems] == []


def test_two_clones_of_a_remote_issue_nothing_twice(
    workshop: Workshop, empty: Repository, tell: Callable[[str], None], place: Path
) -> None:
    """The targets are the same too: both clones install into one pair of directories."""
    wanted = judge.Wanted({"one": 1, "two": 1, "three": 1})
    found: list[list[str]] = []
    waited = 0
    for seed in range(SEEDS):
        with empty.copied(place / str(seed)) as origin:
            first, second = (origin.cloned(place / str(seed) / name) for name in ("a", "b"))
            ended = race(workshop, first, second, seed)
            problems = agree(ended, judge.ledger(first.root))
            problems += recovered(workshop.runner, first, wanted)
            problems += judge.keys_in_git(second.root)
            waited += any("waiting for" in each.err for each in ended)
            found.append([f"seed {seed}: {problem}" for problem in problems])
    tell(f"{judge.summary('two applies, two clones', found)}; {waited} had to wait")
    assert waited > 0, "the two never met"
    assert [problem for problems in found for problem in problems] == []


def test_two_applies_during_a_rotation_make_one_of_it(
    workshop: Workshop, changes: Mapping[str, Change], tell: Callable[[str], None], place: Path
) -> None:
    change, found, waited = changes["rotate"], [], 0
    for seed in range(SEEDS // 3):
        with change.template.copied(place / str(seed)) as repository:
            beside = repository.beside(place / str(seed) / "second")
            ended = race(workshop, repository, beside, seed)
            problems = [f"ended with {e.status}: {e.err}" for e in ended if e.status not in (0, 3)]
            problems += [] if any(e.status == 0 for e in ended) else ["nobody finished"]
            problems += change.ends(workshop.runner, repository)
            waited += any("waiting for" in each.err for each in ended)
            found.append([f"seed {seed}: {problem}" for problem in problems])
    tell(f"{judge.summary('two applies, a rotation', found)}; {waited} had to wait")
    assert waited > 0, "the two never met"
    assert [problem for problems in found for problem in problems] == []


def test_the_lock_of_a_killed_run_is_taken_over_at_once(
    workshop: Workshop, empty: Repository, place: Path
) -> None:
    with empty.copied(place / "killed") as repository:
        run = workshop.runner.start(
            repository, "apply", "--auto-approve", CERTFORM_FAILPOINT="ledger.refs.after:3:kill"
        )
        assert run.wait().status == -signal.SIGKILL
        assert "refs/certform/lock" in judge.git(repository.root, "for-each-ref").decode()
        ended = workshop.runner.run(repository, "apply", "--auto-approve", "--lock-timeout", "0")
        assert ended.status == 0, ended.err
        wanted = judge.Wanted({"one": 1, "two": 1, "three": 1})
        assert recovered(workshop.runner, repository, wanted) == []


def test_a_ref_that_another_git_is_writing_just_now_is_left_to_it(
    workshop: Workshop, empty: Repository, place: Path
) -> None:
    with empty.copied(place / "young") as repository:
        lock = repository.root / ".git/refs/heads/certform/ledger.lock"
        lock.touch()
        ended = workshop.runner.apply(repository)
        assert ended.status == 1
        assert "ledger.lock" in ended.err
        assert lock.exists()
        assert not (repository.root / "live").exists()
