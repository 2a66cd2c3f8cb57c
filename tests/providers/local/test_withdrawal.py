"""Taking an object away in steps: whatever stops a run in between, the next one sees it whole."""

from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from installing import MakeTarget, Wanted, listed

from providers.abilities import Staged
from providers.base import Installed
from providers.errors import Conflict, ProviderError
from providers.local import settling
from providers.local.directory import LocalDirectoryTarget
from providers.local.folder import Folder
from providers.local.layout import MARKER

UNFINISHED = ("its removal was not finished",)


class Died(BaseException):
    """The process is gone."""


def only(target: LocalDirectoryTarget) -> Installed:
    (installed,) = target.observe()
    return installed


@pytest.fixture
def web(make_target: MakeTarget, wanted: Wanted) -> Installed:
    return make_target().install(wanted())


def test_what_is_withdrawn_is_out_of_every_readers_sight_and_comes_back_whole(
    make_target: MakeTarget, root: Path, web: Installed
) -> None:
    target = make_target()
    before = (root / "web" / "current" / "privkey.pem").stat().st_ino
    target.withdraw(web)
    assert not (root / "web").exists()
    target.reinstate(web)
    assert (root / "web" / "current" / "privkey.pem").stat().st_ino == before
    assert only(target) == web
    assert listed(root) == [MARKER, "web"]


def test_each_step_may_be_repeated(make_target: MakeTarget, root: Path, web: Installed) -> None:
    target = make_target()
    target.reinstate(web)
    for _ in range(2):
        target.withdraw(web)
    for _ in range(2):
        target.remove(web)
    target.withdraw(web)
    with pytest.raises(Conflict, match="cannot be put back"):
        target.reinstate(web)
    assert listed(root) == [MARKER]


def test_a_run_that_died_after_withdrawing_is_undone_by_the_next_that_writes(
    make_target: MakeTarget, root: Path, web: Installed, wanted: Wanted
) -> None:
    make_target().withdraw(web)
    assert only(make_target()).drift == UNFINISHED
    make_target().install(wanted("other"))
    assert listed(root) == [MARKER, "other", "web"]
    assert web in make_target().observe()


def test_the_next_run_can_finish_a_removal(
    make_target: MakeTarget, root: Path, web: Installed
) -> None:
    make_target().withdraw(web)
    target = make_target()
    seen = only(target)
    target.withdraw(seen)
    target.remove(seen)
    assert listed(root) == [MARKER]


def test_what_was_withdrawn_and_is_wanted_again_is_installed_in_its_place(
    make_target: MakeTarget, root: Path, web: Installed, wanted: Wanted
) -> None:
    make_target().withdraw(web)
    target = make_target()
    installed = target.install(wanted(predecessor=only(target)))
    assert only(make_target()) == installed
    assert listed(root) == [MARKER, "web"]


@pytest.fixture
def steps(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[int], None]]:
    """Let the n-th step of what follows, a rename, a sync or a deletion, be the last."""

    def stop_at(number: int) -> None:
        left = iter(range(number))
        for name in ("rename", "commit", "discard"):
            step = getattr(Folder, name)

            def one(*words: object, step: Callable[..., None] = step, name: str = name) -> None:
                if next(left, None) is None:
                    raise Died(name)
                step(*words)

            monkeypatch.setattr(Folder, name, one)

    yield stop_at
    monkeypatch.undo()


@pytest.mark.parametrize("number", range(9))
def test_wherever_a_removal_dies_the_object_is_whole_or_gone_and_the_next_run_removes_it(
    make_target: MakeTarget,
    root: Path,
    web: Installed,
    steps: Callable[[int], None],
    monkeypatch: pytest.MonkeyPatch,
    number: int,
) -> None:
    target = make_target()
    steps(number)
    with suppress(Died):
        target.withdraw(web)
        target.remove(web)
    monkeypatch.undo()
    left = make_target().observe()
    assert [each.sha256 for each in left] in ([], [web.sha256])
    assert set(left[0].drift if left else ()) <= set(UNFINISHED)
    again = make_target()
    for each in left:
        again.withdraw(each)
        again.remove(each)
    again.settle([])
    assert listed(root) == [MARKER]


def test_half_of_a_deleted_object_never_comes_back(
    make_target: MakeTarget, root: Path, web: Installed, wanted: Wanted
) -> None:
    target = make_target()
    target.withdraw(web)
    (root / ".certform-aside-web").rename(root / ".certform-gone-web")
    (root / ".certform-gone-web" / "current").unlink()
    assert make_target().observe() == ()
    make_target().install(wanted("other"))
    assert listed(root) == [MARKER, "other"]


def test_a_withdrawal_that_cannot_be_made_durable_has_not_happened(
    make_target: MakeTarget, root: Path, web: Installed, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_folder: Folder) -> None:
        raise OSError(5, "Input/output error")

    target = make_target()
    with monkeypatch.context() as patch:
        patch.setattr(Folder, "commit", fail)
        with pytest.raises(ProviderError):
            target.withdraw(web)
    assert only(target) == web


@pytest.mark.parametrize("name", [".certform-aside-", ".certform-aside-.x", ".certform-aside-A"])
def test_a_hidden_name_that_is_no_objects_is_left_alone(
    make_target: MakeTarget, root: Path, web: Installed, wanted: Wanted, name: str
) -> None:
    (root / name).mkdir()
    make_target().install(wanted("other"))
    assert [each.name for each in make_target().observe()] == ["other", "web"]
    assert (root / name).is_dir()


def test_what_is_aside_gives_way_to_what_stands_in_its_place(
    make_target: MakeTarget, root: Path, web: Installed, wanted: Wanted
) -> None:
    (root / ".certform-aside-web").mkdir()
    assert only(make_target()) == web
    make_target().install(wanted("other"))
    assert listed(root) == [MARKER, "other", "web"]


def test_points_between_the_steps_have_names(
    make_target: MakeTarget, web: Installed, monkeypatch: pytest.MonkeyPatch
) -> None:
    reached: list[str] = []
    monkeypatch.setattr(settling, "reach", reached.append)
    target = make_target()
    target.withdraw(web)
    target.reinstate(web)
    target.remove(web)
    assert reached == ["local.withdraw", "local.reinstate", "local.remove", "local.delete"]


def test_a_sweep_deletes_what_was_left_and_makes_nothing(
    make_target: MakeTarget, root: Path, wanted: Wanted
) -> None:
    make_target().sweep()
    assert not root.exists()
    make_target().stage([wanted()])
    assert list(root.rglob("privkey.pem"))
    make_target().sweep()
    assert listed(root) == [MARKER]


def test_putting_the_predecessor_back_is_gone_on_with_by_who_comes_next(
    make_target: MakeTarget, web: Installed, wanted: Wanted, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = make_target()
    (staged,) = target.stage([wanted(predecessor=web)])
    assert isinstance(staged, Staged)
    (after,) = target.switch([staged])
    assert isinstance(after, Installed)

    def die(name: str) -> None:
        assert name == "local.restore"
        raise Died

    with monkeypatch.context() as patch:
        patch.setattr(settling, "reach", die)
        with pytest.raises(Died):
            target.restore(after)
    assert only(make_target()) == after
    assert make_target().restore(after) == web
    assert only(make_target()) == web
