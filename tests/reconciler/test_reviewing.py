"""A saved plan against the world by now."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest
from fleet import Fleet
from fleet_documents import Leaf, at

from reconciler import planfile
from reconciler.reviewing import compare, differences
from schemas.certificate import OnRemove
from schemas.plan import Action, Change, FieldChange, Plan


@pytest.fixture
def fleet() -> Fleet:
    return Fleet(
        leaves={"web": Leaf(targets=at("a", "b")), "api": Leaf(targets=at("a"))}
    ).converge()


def ids(changes: Iterable[Change]) -> set[str]:
    return {change.id for change in changes}


def test_what_was_reviewed_is_allowed(fleet: Fleet) -> None:
    fleet.edit("web", names=("new.example.com",))
    reviewed = compare(fleet.plan(), fleet.plan())
    assert reviewed.unreviewed == reviewed.settled == ()
    assert "issue:certificate/web" in ids(reviewed.allowed)


def test_what_the_clock_adds_is_allowed(fleet: Fleet) -> None:
    saved = fleet.edit("web", names=("new.example.com",)).plan()
    reviewed = compare(saved, fleet.wait(25).plan())
    assert reviewed.unreviewed == reviewed.settled == ()
    assert ids(reviewed.allowed) >= {"issue:certificate/api", "install:certificate/api@a"}


def test_a_renewal_at_night_does_not_spoil_what_was_reviewed(fleet: Fleet) -> None:
    saved = fleet.edit("web", names=("new.example.com",)).plan()
    fleet.edit("web", names=("www.example.com",)).wait(25).converge()
    reviewed = compare(saved, fleet.edit("web", names=("new.example.com",)).plan())
    assert reviewed.unreviewed == reviewed.settled == ()


@pytest.mark.parametrize("days", [1, 4, 6])
def test_a_fingerprint_holds_no_clock_and_no_wording(fleet: Fleet, days: int) -> None:
    before, after = fleet.wait(25).plan(), fleet.wait(days).plan()
    said = [{c.id: c.message for c in plan.changes} for plan in (before, after)]
    kept = [{c.id: c.fingerprint for c in plan.changes} for plan in (before, after)]
    assert said[0] != said[1]
    assert kept[0] == kept[1]
    assert before.digest == after.digest


def test_another_edit_is_not(fleet: Fleet) -> None:
    saved = fleet.edit("web", names=("new.example.com",)).plan()
    fresh = fleet.edit("web", names=("evil.example.com",)).plan()
    reviewed = compare(saved, fresh)
    assert "issue:certificate/web" in ids(reviewed.unreviewed)
    told = "\n".join(differences(saved, reviewed))
    assert told == (
        "issue certificate/web: not as it was in the plan\n"
        '    dnsNames was ["new.example.com"]\n'
        '              is ["evil.example.com"]'
    )


@pytest.mark.parametrize("edit", [{"labels": {"team": "x"}}, {"targets": at("a")}])
def test_a_change_that_was_not_there_is_not(fleet: Fleet, edit: dict[str, Any]) -> None:
    saved = fleet.plan()
    reviewed = compare(saved, fleet.edit("web", **edit).plan())
    assert ids(reviewed.unreviewed)
    told = list(differences(saved, reviewed))
    assert told
    assert all("not in the plan" in line for line in told)


def test_what_is_done_by_now_is_settled(fleet: Fleet) -> None:
    saved = fleet.edit("web", names=("new.example.com",)).plan()
    fleet.converge()
    reviewed = compare(saved, fleet.plan())
    assert ids(reviewed.settled) == ids(saved.changes)
    assert reviewed.allowed == reviewed.unreviewed == ()


def test_what_became_blocked_needs_no_review(fleet: Fleet) -> None:
    saved = fleet.plan()
    fleet.store("b").reachable = False
    reviewed = compare(saved, fleet.plan())
    assert ids(reviewed.allowed) == {"blocked:target/b"}
    assert reviewed.unreviewed == ()


def test_another_object_under_the_same_name_is_not_removed_unreviewed(fleet: Fleet) -> None:
    fleet.leaves.pop("api")
    saved = fleet.plan()
    fleet.leaves["api"] = Leaf(targets=at("a"), names=("other.example.com",))
    fleet.converge()
    fleet.leaves.pop("api")
    assert ids(compare(saved, fleet.plan()).unreviewed) == {"remove:certificate/api@a"}


@pytest.fixture
def busy(fleet: Fleet) -> Fleet:
    """Something of every kind is to be done: an edit, labels, a removal, a revocation, an adoption..."""
    fleet.leaves["old"] = Leaf(on_remove=OnRemove.REVOKE)
    fleet.leaves["tag"] = Leaf(labels={"team": "x"})
    fleet.converge().edit("tag", labels={"team": "y"}).edit("web", names=("new.example.com",))
    del fleet.leaves["old"], fleet.leaves["api"]
    found = fleet.foreign("a", "taken")
    fleet.leaves["taken"] = Leaf(adopt={"a": (found.id,)})
    fleet.keyring = (*fleet.keyring, f"age1{'p' * 58}")
    fleet.recipients = fleet.keyring
    return fleet


def saved_and_read(plan: Plan, folder: Path) -> Plan:
    planfile.save(plan, folder / "plan.json")
    return planfile.load(folder / "plan.json")


def test_a_plan_that_was_saved_and_read_shows_what_it_showed(busy: Fleet, tmp_path: Path) -> None:
    plan = busy.plan()
    assert {c.action for c in plan.changes} >= set(Action) - {Action.FORGET, Action.BLOCKED}
    reviewed = compare(saved_and_read(plan, tmp_path), busy.plan())
    assert reviewed.unreviewed == reviewed.settled == ()


def forged(plan: Plan, id_: str, edit: Callable[[Change], dict[str, Any]]) -> Plan:
    """Edit one change of a saved plan by hand, its fingerprint left alone."""
    changes = tuple(c.model_copy(update=edit(c)) if c.id == id_ else c for c in plan.changes)
    assert changes != plan.changes
    return plan.model_copy(update={"changes": changes})


WEB, API = "issue:certificate/web", "remove:certificate/api@a"
FORGERIES: dict[str, tuple[str, Callable[[Change], dict[str, Any]], str]] = {
    "another address": (
        API,
        lambda _: {"address": "certificate/old@b"},
        "remove certificate/api@a: shown in the plan as remove certificate/old@b",
    ),
    "another action": (
        API,
        lambda _: {"action": Action.BLOCKED},
        "remove certificate/api@a: shown in the plan as blocked certificate/api@a",
    ),
    "what is there now": (
        API,
        lambda c: {"before": {**(c.before or {}), "dnsNames": ["test.example.com"]}},
        (
            "remove certificate/api@a: not as it was in the plan\n"
            '    dnsNames was ["test.example.com"]\n'
            '              is ["www.example.com"]'
        ),
    ),
    "what will be there": (
        WEB,
        lambda c: {"after": {**(c.after or {}), "dnsNames": ["www.example.com"]}},
        (
            "issue certificate/web: not as it was in the plan\n"
            '    dnsNames was ["www.example.com"]\n'
            '              is ["new.example.com"]'
        ),
    ),
    "what changes": (
        WEB,
        lambda _: {"fields": (FieldChange(path="duration", before="30d", after="31d"),)},
        (
            "issue certificate/web: not as it was in the plan\n"
            '    duration was "30d"\n'
            "              is null\n"
            "    dnsNames was null\n"
            '              is ["www.example.com"]'
        ),
    ),
}


@pytest.mark.parametrize("row", FORGERIES.values(), ids=FORGERIES)
def test_a_plan_edited_by_hand_approves_only_what_it_shows(
    busy: Fleet, tmp_path: Path, row: tuple[str, Callable[[Change], dict[str, Any]], str]
) -> None:
    id_, edit, words = row
    saved = saved_and_read(forged(busy.plan(), id_, edit), tmp_path)
    reviewed = compare(saved, busy.plan())
    assert ids(reviewed.unreviewed) == {id_}
    assert "\n".join(differences(saved, reviewed)) == words
