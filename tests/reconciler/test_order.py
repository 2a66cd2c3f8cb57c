"""Waves: everything after what it requires, blocked changes left out."""

from collections.abc import Sequence
from graphlib import CycleError

import pytest

from reconciler.order import waves
from schemas.plan import Action, Change, Reason


def step(id_: str, *requires: str) -> Change:
    action, _, address = id_.partition(":")
    return Change(
        address=address,
        action=Action(action),
        reason=Reason.NOT_FOUND,
        message="",
        requires=requires,
    )


def ids(changes: Sequence[Change]) -> list[list[str]]:
    return [[each.id for each in wave] for wave in waves(changes)]


def test_each_wave_needs_only_those_before_it_and_is_sorted() -> None:
    steps = [
        step("remove:certificate/old@a", "install:certificate/web@a"),
        step("install:certificate/web@b", "issue:certificate/web"),
        step("install:certificate/web@a", "issue:certificate/web"),
        step("publish:crl/root-g1"),
        step("issue:certificate/web", "issue:authority/root"),
        step("issue:authority/root"),
    ]
    assert (
        ids(steps)
        == ids(steps[::-1])
        == [
            ["issue:authority/root", "publish:crl/root-g1"],
            ["issue:certificate/web"],
            ["install:certificate/web@a", "install:certificate/web@b"],
            ["remove:certificate/old@a"],
        ]
    )


def test_a_target_gets_everything_before_it_gives_anything_up() -> None:
    steps = [
        step("remove:certificate/old@a:www"),
        step("remove:certificate/old@b"),
        step("install:certificate/web@a", "issue:certificate/web"),
        step("issue:certificate/web"),
    ]
    assert ids(steps) == [
        ["issue:certificate/web"],
        ["install:certificate/web@a", "remove:certificate/old@b"],
        ["remove:certificate/old@a:www"],
    ]


def test_what_is_required_and_not_planned_is_done_already() -> None:
    assert ids([step("install:certificate/web@a", "issue:certificate/web")]) == [
        ["install:certificate/web@a"]
    ]


def test_blocked_changes_are_never_made() -> None:
    assert ids([step("blocked:certificate/web"), step("issue:certificate/api")]) == [
        ["issue:certificate/api"]
    ]


def test_a_circle_is_an_error() -> None:
    with pytest.raises(CycleError):
        ids(
            [
                step("issue:authority/a", "issue:authority/b"),
                step("issue:authority/b", "issue:authority/a"),
            ]
        )
