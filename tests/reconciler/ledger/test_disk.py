"""Lock files that a killed git left: ours are cleared away, everybody else's stay."""

import os
import time
from pathlib import Path

import pytest

from reconciler.ledger.disk import break_locks, moving

REF = "refs/heads/certform/ledger"


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    (tmp_path / REF).parent.mkdir(parents=True)
    return tmp_path


def age(seconds: float, *files: Path) -> None:
    then = time.time() - seconds
    for file in files:
        os.utime(file, (then, then))


def move(directory: Path, *left: Path) -> None:
    with moving(directory, [REF]):
        for lock in left:
            lock.touch()
        raise InterruptedError


def die_while_moving(directory: Path, *left: Path) -> None:
    with pytest.raises(InterruptedError):
        move(directory, *left)


def locks(directory: Path) -> tuple[Path, Path]:
    return directory / f"{REF}.lock", directory / "packed-refs.lock"


def test_what_a_killed_git_of_ours_left_is_cleared_away(directory: Path) -> None:
    left = locks(directory)
    die_while_moving(directory, *left)
    age(60, directory / "certform/moving", *left)
    with moving(directory, ["refs/certform/other"]):
        assert not any(lock.exists() for lock in left)
    assert not (directory / "certform/moving").exists()


def test_a_lock_of_somebody_else_stays_however_old_it_is(directory: Path) -> None:
    left = locks(directory)
    for lock in left:
        lock.touch()
    age(3600, *left)
    with moving(directory, [REF]):
        assert all(lock.exists() for lock in left)


@pytest.mark.parametrize("later", [-100, 100])
def test_a_lock_that_was_not_made_just_after_a_git_of_ours_began_is_not_its(
    directory: Path, later: float
) -> None:
    _, packed = locks(directory)
    die_while_moving(directory, packed)
    age(1000, directory / "certform/moving")
    age(1000 - later, packed)
    with moving(directory, [REF]):
        assert packed.exists()


def test_one_whose_git_may_still_run_is_waited_for(
    directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, packed = locks(directory)
    die_while_moving(directory, packed)
    monkeypatch.setattr(time, "sleep", lambda _: packed.unlink())
    with moving(directory, [REF]):
        assert not packed.exists()


def test_one_that_the_clock_was_set_back_from_is_waited_for_no_longer(
    directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    left = locks(directory)
    die_while_moving(directory, *left)
    age(-1e7, directory / "certform/moving", *left)
    passed = [0.0]

    def sleep(seconds: float) -> None:
        assert passed[0] < 60, "it waits for the time that the file says"
        passed[0] += seconds

    monkeypatch.setattr(time, "sleep", sleep)
    monkeypatch.setattr(time, "monotonic", lambda: passed[0])
    with moving(directory, [REF]):
        assert not any(lock.exists() for lock in left)


def test_refs_that_are_ours_alone_lose_only_old_locks(directory: Path) -> None:
    old, young, ahead = (directory / f"{name}.lock" for name in ("old", "young", "ahead"))
    for lock in (old, young, ahead):
        lock.touch()
    age(3600, old)
    age(-3600, ahead)
    break_locks(directory, ["old", "young", "ahead", "none"])
    assert [lock.exists() for lock in (old, young, ahead)] == [False, True, False]
