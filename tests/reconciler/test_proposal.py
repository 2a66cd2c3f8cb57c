"""What is proposed: what the documents of the base alone would not cause, over the same world."""

from dataclasses import replace

import pytest
from fleet import Fleet
from fleet_documents import Ca, Leaf, at
from fleet_sights import named

from reconciler.boundary import unread_ledger
from reconciler.diff import World
from reconciler.planning import make_plan
from reconciler.state import Desired, Observation, nothing
from schemas.certificate import Custody
from schemas.plan import Action, Plan, Reason
from schemas.target import LocalDirectory, TargetSpec


@pytest.fixture
def fleet() -> Fleet:
    return Fleet(
        cas={"root": Ca()},
        leaves={"web": Leaf(targets=at("a", "b")), "api": Leaf(names=("api.example.com",))},
    ).converge()


def against(fleet: Fleet, base: Desired | None) -> Plan:
    return make_plan(replace(fleet.world(), base=base))


def marks(plan: Plan) -> dict[str, bool | None]:
    return {step.id: step.proposed for step in plan.changes}


def test_without_a_base_nothing_is_marked(fleet: Fleet) -> None:
    fleet.edit("web", names=("new.example.com",))
    assert set(marks(fleet.plan()).values()) == {None}
    assert fleet.plan().base is None


def test_an_edit_is_proposed_and_what_was_due_is_not(fleet: Fleet) -> None:
    base = replace(fleet.wait(25).desired(), revision="1" * 40)
    fleet.edit("web", names=("new.example.com",))
    plan = against(fleet, base)
    assert plan.base == "1" * 40
    assert marks(plan) == {
        "issue:certificate/web": True,
        "install:certificate/web@a": True,
        "install:certificate/web@b": True,
        "issue:certificate/api": False,
        "install:certificate/api@a": False,
        "publish:crl/root-g1": False,
    }


def test_what_somebody_else_did_is_not_proposed(fleet: Fleet) -> None:
    fleet.spoil("a", "api", "privkey.pem was changed")
    marked = marks(against(fleet, fleet.desired()))
    assert marked == {"issue:certificate/api": False, "install:certificate/api@a": False}


def test_what_is_to_go_is_proposed(fleet: Fleet) -> None:
    base = fleet.desired()
    del fleet.leaves["api"]
    assert marks(against(fleet, base)) == {"remove:certificate/api@a": True}
    assert marks(against(fleet, fleet.desired())) == {"remove:certificate/api@a": False}


def test_where_the_base_says_nothing_everything_is_proposed(fleet: Fleet) -> None:
    fleet.spoil("a", "api", "privkey.pem was changed")
    assert set(marks(against(fleet, nothing("1" * 40))).values()) == {True}


def moved(world: World, target: str) -> World:
    """Let the documents name another place, which nobody has looked at."""
    spec = TargetSpec(local_directory=LocalDirectory(path="elsewhere"))
    there = replace(world.desired.targets[target], spec=spec, digest="elsewhere")
    desired = replace(world.desired, targets={**world.desired.targets, target: there})
    unseen = Observation("observed", detail="not looked at", assumed=True)
    observed = replace(world.observed, targets={**world.observed.targets, target: unseen})
    return replace(world, desired=desired, base=world.desired, observed=observed)


def test_what_another_place_takes_is_proposed_and_a_renewal_still_is_not(fleet: Fleet) -> None:
    assert set(marks(make_plan(moved(fleet.world(), "a"))).values()) == {True}
    plan = make_plan(moved(fleet.wait(25).world(), "b"))
    assert marks(plan)["issue:certificate/api"] is False
    assert marks(plan)["install:certificate/api@a"] is False
    assert marks(plan)["install:certificate/web@b"] is True


def test_a_place_that_nobody_looked_at_is_told_as_such(fleet: Fleet) -> None:
    reports = {each.name: each for each in make_plan(moved(fleet.world(), "a")).targets}
    assert (reports["a"].status, reports["b"].status) == ("assumed", "observed")
    assert (reports["a"].certificates, reports["a"].detail) == (0, "not looked at")


def test_an_install_in_a_new_place_is_not_due_however_much_it_looks_like_one_cut_short() -> None:
    fleet = Fleet(leaves={"web": Leaf(custody=Custody.LEDGER)}).converge()
    base = fleet.desired()
    fleet.edit("web", targets=at("a", "b"))
    assert not named(against(fleet, base), Action.INSTALL, "certificate/web@b").due
    assert named(against(fleet, fleet.desired()), Action.INSTALL, "certificate/web@b").due


def test_the_ledger_that_nobody_may_read_leaves_no_trace_in_what_is_reviewed() -> None:
    """A repository's first plan is made without its ledger, and applied with it."""
    fleet = Fleet(cas={"root": Ca(), "sub": Ca(parent="root")}, leaves={"web": Leaf(issuer="sub")})
    world = fleet.world()
    assumed = {name: Observation("observed", assumed=True) for name in world.desired.targets}
    blind = replace(
        world,
        ledger=unread_ledger("example", world.now),
        observed=replace(world.observed, targets=assumed),
        base=nothing(None),
    )
    reviewed, applied = make_plan(blind), make_plan(replace(world, base=nothing(None)))
    assert {s.fingerprint for s in reviewed.changes} == {s.fingerprint for s in applied.changes}
    assert len(reviewed.changes) > 5
    assert reviewed.lineage == ""
    assert applied.lineage == fleet.journal.state.lineage.id


def test_what_is_to_be_taken_over_where_nobody_looked_waits_for_a_change_of_its_own() -> None:
    fleet = Fleet(leaves={"web": Leaf(adopt={"a": ("memory:a/theirs",)})})
    fleet.foreign("a", "theirs")
    world = moved(fleet.world(), "a")
    found = next(step for step in make_plan(world).changes if step.address == "certificate/web@a")
    assert (found.action, found.reason) == (Action.BLOCKED, Reason.BLOCKED_BY)
    assert found.message.startswith("nobody looked for memory:a/theirs in a: adopt it by a change")
