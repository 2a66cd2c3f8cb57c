"""What plans of merged pull requests showed, against what would be done now."""

from collections.abc import Iterable

import pytest
from fleet import Fleet
from fleet_documents import Leaf, at

from reconciler.reviewing import Fingerprints, Verdict
from schemas.plan import Action, Change, Plan


@pytest.fixture
def fleet() -> Fleet:
    return Fleet(
        leaves={"web": Leaf(targets=at("a", "b")), "api": Leaf(targets=at("a"))}
    ).converge()


def shown(*plans: Plan) -> frozenset[str]:
    return frozenset(step.fingerprint for plan in plans for step in plan.changes)


def allowed(verdict: Verdict) -> set[str]:
    return {step.id for step in verdict.allowed}


def refused(verdict: Verdict) -> dict[str, str]:
    return {each.change.id: each.why for each in verdict.refused}


def ids(changes: Iterable[Change]) -> set[str]:
    return {step.id for step in changes}


def test_each_change_is_allowed_for_itself(fleet: Fleet) -> None:
    reviewed = shown(fleet.edit("web", names=("new.example.com",)).plan())
    verdict = Fingerprints(reviewed).judge(fleet.edit("api", labels={"team": "x"}).plan())
    assert {"issue:certificate/web", "install:certificate/web@a"} <= allowed(verdict)
    assert refused(verdict) == {"relabel:certificate/api@a": "not reviewed"}


def test_what_requires_a_refused_change_is_refused_however_far_away(fleet: Fleet) -> None:
    del fleet.leaves["api"]
    fleet.edit("web", names=("new.example.com",))
    plan = fleet.plan()
    known = shown(plan) - {
        step.fingerprint for step in plan.changes if step.id == "issue:certificate/web"
    }
    verdict = Fingerprints(known).judge(plan)
    assert refused(verdict) == {
        "issue:certificate/web": "not reviewed",
        "install:certificate/web@a": "requires issue certificate/web",
        "install:certificate/web@b": "requires issue certificate/web",
    }
    assert "remove:certificate/api@a" in allowed(verdict)


def test_time_needs_no_review_unless_it_is_said(fleet: Fleet) -> None:
    plan = fleet.wait(25).plan()
    assert refused(Fingerprints(frozenset()).judge(plan)) == {}
    strict = Fingerprints(frozenset(), due=False).judge(plan)
    assert set(refused(strict)) == ids(plan.changes)


def test_a_list_of_revocations_needs_no_review_of_its_own(fleet: Fleet) -> None:
    """Two pull requests that each revoke something show two lists; one with both is published."""
    serials = tuple(fleet.current(name).serial for name in ("web", "api"))
    plans = []
    for number, serial in enumerate(serials):
        fleet.revoke(f"r{number}", serials=(serial,))
        plans.append(fleet.plan())
        if not number:
            del fleet.revocations["r0"]
    fleet.revoke("r0", serials=serials[:1])
    both = fleet.plan()
    publish = next(step for step in both.changes if step.address.startswith("crl/"))
    assert publish.fingerprint not in shown(*plans)
    verdict = Fingerprints(shown(*plans)).judge(both)
    assert publish.id in allowed(verdict)
    assert {i for i in refused(verdict) if i.startswith(("revoke", "publish"))} == set()


def test_a_list_tells_of_no_revocation_that_nobody_reviewed(fleet: Fleet) -> None:
    fleet.revoke("r", serials=(fleet.current("web").serial,))
    plan = fleet.plan()
    lost = {step.id for step in plan.changes if step.action is Action.REVOKE}
    verdict = Fingerprints(frozenset()).judge(plan)
    publish = next(step.id for step in plan.changes if step.address.startswith("crl/"))
    assert lost <= set(refused(verdict))
    assert refused(verdict)[publish].startswith("requires revoke certificate/web#")


def test_what_is_blocked_as_it_was_shown_holds_nobody_up(fleet: Fleet) -> None:
    fleet.store("b").reachable = False
    plan = fleet.edit("api", names=("new.example.com",)).plan()
    assert "blocked:target/b" in ids(plan.changes)
    assert Fingerprints(shown(plan)).judge(plan).stuck == ()


def test_what_nobody_knew_to_be_blocked_does(fleet: Fleet) -> None:
    before = fleet.edit("web", names=("new.example.com",)).plan()
    fleet.store("b").reachable = False
    verdict = Fingerprints(shown(before)).judge(fleet.plan())
    assert "blocked:target/b" in ids(verdict.stuck)


def test_what_was_shown_may_be_hidden_behind_what_is_blocked(fleet: Fleet) -> None:
    """One pull request was planned while a target answered, another while it did not."""
    fleet.leaves["docs"] = Leaf(targets=at("b"))
    open_ = fleet.plan()
    fleet.store("b").reachable = False
    shut = fleet.plan()
    verdict = Fingerprints(shown(open_, shut)).judge(shut)
    assert verdict.settled
    assert "blocked:target/b" in ids(verdict.stuck)


def test_what_is_done_by_now_is_settled(fleet: Fleet) -> None:
    reviewed = shown(fleet.edit("web", names=("new.example.com",)).plan())
    fleet.converge()
    verdict = Fingerprints(reviewed).judge(fleet.plan())
    assert (verdict.settled, verdict.refused, verdict.allowed) == (len(reviewed), (), ())


def test_a_refusal_says_what_would_have_changed(fleet: Fleet) -> None:
    plan = fleet.edit("web", names=("new.example.com",)).plan()
    (finding,) = Fingerprints(frozenset()).judge(plan).diagnostics
    assert finding.summary == "3 changes were not reviewed and will not be applied"
    assert finding.detail.splitlines() == [
        "issue certificate/web: not reviewed (dnsNames changed)",
        '    dnsNames is ["www.example.com"]',
        '             and would be ["new.example.com"]',
        "install certificate/web@a: not reviewed (follows the new certificate)",
        "install certificate/web@b: not reviewed (follows the new certificate)",
    ]
