"""A saved plan against the world by now."""

from collections.abc import Iterable
from typing import Any

import pytest
from fleet import Fleet, Leaf, at

from reconciler.planning import compare, differences
from schemas.plan import Change


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


def test_a_plan_says_how_every_target_was_found(fleet: Fleet) -> None:
    fleet.foreign("a", "theirs")
    fleet.away.add("b")
    a, b = fleet.plan().targets
    assert (a.status, a.certificates, a.foreign) == ("observed", 2, 1)
    assert (b.status, b.certificates, b.foreign) == ("not-here", 0, 0)


def test_a_plan_says_what_expires_next(fleet: Fleet) -> None:
    fleet.edit("api", days=10, renew_before=5).converge()
    expiry = fleet.plan().next_expiry
    assert expiry is not None
    assert expiry.address == "certificate/api"
