"""What must not be issued by now is blocked; what was issued before is left alone, and looked after."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from fleet import Fleet
from fleet_documents import HERE, Ca, Leaf
from fleet_sights import named, reasons, shown

from reconciler.limits import Limit, Limits, Refusal
from reconciler.planning import make_plan
from schemas.plan import Action, Reason, Source
from schemas.policy import Baseline

STEP = datetime(2027, 3, 15, tzinfo=UTC)
RULE = Source(file="config/policies.yaml", line=7)
CABF = Limits((Limit("public", RULE, HERE, baseline=Baseline.CABF_TLS),))
EXCUSED = Limits((Limit("public", RULE, HERE, "it is a wildcard", until=STEP, reason="moves"),))
LONG = Leaf(days=200, renew_before=60, limits=CABF)


def test_what_is_too_long_by_now_is_blocked_and_says_what_to_write() -> None:
    fleet = Fleet(leaves={"web": LONG}, now=STEP)
    step = named(fleet.plan(), Action.BLOCKED, "certificate/web")
    assert step.reason is Reason.POLICY
    assert step.message == (
        "200d is longer than the 100d that cabf-tls allows since 2027-03-15:"
        " policy public (config/policies.yaml:7); write `duration: 100d`"
    )
    assert not any(c.address.startswith("certificate/web@") for c in fleet.plan().changes)


def test_a_second_before_it_is_issued_and_left_alone_until_it_is_due() -> None:
    fleet = Fleet(leaves={"web": LONG}, now=STEP - timedelta(seconds=1), publish=False)
    fleet.converge().wait(100)
    assert shown(fleet.plan()) == []


def test_a_renewal_that_is_refused_goes_on_as_soon_as_the_document_allows_it() -> None:
    fleet = Fleet(leaves={"web": LONG}, now=STEP - timedelta(days=1)).converge()
    fleet.wait(160)
    assert reasons(fleet.plan(), "certificate/web") == {Action.BLOCKED: Reason.POLICY}
    fleet.edit("web", days=100, renew_before=30)
    assert Action.ISSUE in reasons(fleet.plan(), "certificate/web")
    fleet.converge()


def test_the_places_of_one_whose_renewal_is_refused_are_looked_after() -> None:
    fleet = Fleet(leaves={"web": replace(LONG, targets=(("a", None), ("b", None)))})
    fleet.now = STEP - timedelta(days=1)
    fleet.away.add("b")
    fleet.apply()
    fleet.wait(160)
    fleet.away.clear()
    plan = fleet.plan()
    assert reasons(plan, "certificate/web") == {Action.BLOCKED: Reason.POLICY}
    assert reasons(plan, "certificate/web@b") == {Action.INSTALL: Reason.NOT_FOUND}


def test_an_exception_that_ended_blocks_what_it_excused() -> None:
    fleet = Fleet(leaves={"web": Leaf(limits=EXCUSED)}, now=STEP - timedelta(days=1)).converge()
    fleet.wait(25)
    step = named(fleet.plan(), Action.BLOCKED, "certificate/web")
    assert step.reason is Reason.POLICY
    assert "which excused it until 2027-03-15 (moves)" in step.message


def test_what_a_linter_refuses_is_blocked_with_all_that_hangs_by_it() -> None:
    fleet = Fleet(
        cas={"root": Ca(), "mid": Ca(parent="root"), "low": Ca(parent="mid")},
        leaves={"web": Leaf(issuer="low"), "other": Leaf(issuer="root")},
    )
    world = replace(fleet.world(), refused={"authority/mid": Refusal("bad", RULE)})
    plan = make_plan(world)
    assert reasons(plan, "authority/mid") == {Action.BLOCKED: Reason.LINT}
    assert named(plan, Action.BLOCKED, "authority/mid").source == RULE
    assert reasons(plan, "authority/low") == {Action.BLOCKED: Reason.BLOCKED_BY}
    assert reasons(plan, "certificate/web") == {Action.BLOCKED: Reason.BLOCKED_BY}
    assert Action.ISSUE in reasons(plan, "certificate/other")
