"""What the guard lets pass once somebody saw it, and what it lets nobody overlook."""

from collections.abc import Sequence
from pathlib import Path

import click
import pytest
from fleet import Fleet
from fleet_documents import Ca, Leaf, at

from reconciler.cli.app import Console
from reconciler.cli.console import ColourOption
from reconciler.cli.options import Choice
from reconciler.cli.running import Limits, carry_out
from reconciler.errors import Refused, Unsafe
from reconciler.guard import forewarned, guard
from reconciler.planning import pending
from reconciler.reviewing import Fingerprints, Review, SavedPlan, compare
from schemas.plan import Action, Change, Reason
from schemas.project import GuardSettings
from schemas.revocation import RevocationReason

UNREVIEWED = [
    "12 of 12 certificates would be revoked, more than 30%",
    "12 of 12 certificates would be replaced, more than 30%",
]


@pytest.fixture
def fleet() -> Fleet:
    cas = {"root": Ca(), "services": Ca(parent="root")}
    leaves = {f"c{n:02}": Leaf(issuer="services", targets=at("a")) for n in range(12)}
    return Fleet(cas=cas, leaves=leaves).converge().wait(1).compromise("services")


@pytest.fixture
def console(monkeypatch: pytest.MonkeyPatch) -> Console:
    monkeypatch.setenv("SOPS_AGE_KEY_CMD", "nobody looks")
    return Console(Path(), ColourOption.NEVER)


def refused(fleet: Fleet, changes: Sequence[Change], *, reviewed: bool) -> list[str]:
    state = fleet.journal.state
    found = guard(changes, GuardSettings(), state, fleet.now, reviewed=reviewed)
    return [d.summary for d in found]


def steps(fleet: Fleet) -> Sequence[Change]:
    return pending(fleet.plan().changes)


def test_a_compromise_counts_only_as_long_as_nobody_saw_the_plan(fleet: Fleet) -> None:
    assert refused(fleet, steps(fleet), reviewed=False) == UNREVIEWED
    assert refused(fleet, steps(fleet), reviewed=True) == []


def test_a_generation_that_is_given_up_without_a_compromise_counts_always(fleet: Fleet) -> None:
    fleet.compromise("services", reason=RevocationReason.CESSATION_OF_OPERATION)
    assert refused(fleet, steps(fleet), reviewed=True) == UNREVIEWED


def test_what_else_is_in_the_plan_counts_still(fleet: Fleet) -> None:
    others = [
        Change(
            address=f"certificate/x{n}@a", action=Action.REMOVE, reason=Reason.ORPHANED, message=""
        )
        for n in range(4)
    ]
    found = refused(fleet, [*steps(fleet), *others], reviewed=True)
    assert found == ["4 of 12 certificates would be removed, more than 30%"]


def test_a_plan_says_how_it_can_be_applied(fleet: Fleet) -> None:
    told = forewarned(steps(fleet), GuardSettings(), fleet.journal.state, fleet.now)
    assert [d.summary for d in told] == [
        f"apply will refuse this unless it is reviewed: {summary}" for summary in UNREVIEWED
    ]
    assert {d.hint for d in told} == {"save the plan and apply it, or merge it"}
    fleet.compromise("services", reason=RevocationReason.SUPERSEDED)
    told = forewarned(steps(fleet), GuardSettings(), fleet.journal.state, fleet.now)
    assert [d.summary for d in told] == [f"apply will refuse this: {s}" for s in UNREVIEWED]


@pytest.mark.parametrize("review", ["saved", "merged"])
def test_a_plan_that_was_saved_or_merged_is_applied(
    fleet: Fleet, review: str, console: Console
) -> None:
    plan = fleet.plan()
    shown = frozenset(step.fingerprint for step in plan.changes)
    reviewed: Review = SavedPlan(plan) if review == "saved" else Fingerprints(shown)
    told = carry_out(console, fleet.session(), Choice(), Limits(ask=False, mass=False), reviewed)
    assert told.code == 0
    assert fleet.plan().changes == ()


def test_an_answer_is_a_review_and_silence_is_none(
    fleet: Fleet, console: Console, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(Unsafe):
        carry_out(console, fleet.session(), Choice(), Limits(ask=False, mass=False))
    monkeypatch.setattr(click, "prompt", lambda *_, **__: "yes")
    told = carry_out(console, fleet.session(), Choice(), Limits(ask=True, mass=False))
    assert told.code == 0


def test_more_that_is_taken_down_than_the_saved_plan_shows_is_refused(fleet: Fleet) -> None:
    fleet.edit("c00", targets=at("a", "b"))
    fleet.revocations.clear()
    fleet.converge().wait(0.1).compromise("services", immediate=True)
    saved = fleet.plan()
    SavedPlan(saved).judge(fleet.plan())
    fleet.away.add("b")
    worse = fleet.plan()
    with pytest.raises(Refused, match="does not show"):
        SavedPlan(saved).judge(worse)
    fleet.away.clear()
    better = compare(worse, fleet.plan()).unreviewed
    assert {step.action for step in better} == {Action.INSTALL}, "no revocation is another one"


TRUST = {
    "CA key": (Action.FORGET, Reason.ORPHANED, "authority/old"),
    "anchor": (Action.REMOVE, Reason.ANCHOR_WITHDRAWN, "bundle/clients@a#root-g1"),
    "bundle": (Action.REMOVE, Reason.WITHDRAWN, "bundle/clients@a"),
}


@pytest.mark.parametrize("what", TRUST)
def test_what_is_trusted_goes_only_when_somebody_saw_it(fleet: Fleet, what: str) -> None:
    action, reason, address = TRUST[what]
    step = Change(address=address, action=action, reason=reason, message="")
    (said,) = refused(fleet, [step], reviewed=False)
    assert said.startswith(f"1 {what} would be ")
    assert said.endswith(f", and nobody reviewed that: {address}")
    assert refused(fleet, [step], reviewed=True) == []
    assert refused(fleet, [step.model_copy(update={"due": True})], reviewed=False) == []
