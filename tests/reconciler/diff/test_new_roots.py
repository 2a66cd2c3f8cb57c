"""A root's next generation: trusted everywhere before anything hangs by it, however often it is killed."""

import pytest
from fleet import Fleet
from fleet_documents import Ca, Leaf, at
from fleet_sights import named, shown
from laws import Laws
from memory_ledger import Crash
from trusting import Trust

from reconciler.order import waves
from reconciler.planning import pending
from schemas.plan import Action, Plan, Reason

WEB = "certificate/web"
SERVICES = "authority/services"
ROOT = "authority/root"
CLIENTS = "bundle/clients"


def house() -> Fleet:
    """Two levels of CAs, leaves under both, and a bundle in both places."""
    fleet = Fleet(
        cas={"root": Ca(days=3650), "services": Ca("root", days=1825)},
        leaves={"web": Leaf("services", at("a", "b")), "old": Leaf("root", at("b"))},
        bundles={"clients": Trust(targets=at("a", "b"))},
    )
    return fleet.converge()


@pytest.fixture
def fleet() -> Fleet:
    return house()


def raised(fleet: Fleet, name: str = "root", *, crossed: bool = False) -> Fleet:
    """Raise the generation of a CA."""
    ca = fleet.cas[name]
    fleet.cas[name] = Ca(ca.parent, generation=ca.generation + 1, days=ca.days, crossed=crossed)
    return fleet


def blocks(plan: Plan) -> dict[str, Reason]:
    return {c.address: c.reason for c in plan.changes if c.action is Action.BLOCKED}


def order(plan: Plan) -> list[str]:
    """What happens, in its order."""
    return [step.id for wave in waves(pending(plan.changes)) for step in wave]


def test_an_anchor_is_everywhere_before_anything_hangs_by_it(fleet: Fleet) -> None:
    happens = order(raised(fleet).plan())
    anchors = max(happens.index(f"install:{CLIENTS}@{t}") for t in "ab")
    assert happens.index(f"issue:{ROOT}") < anchors
    assert anchors < happens.index(f"issue:{SERVICES}") < happens.index(f"issue:{WEB}")
    assert anchors < happens.index("issue:certificate/old")


def test_where_it_cannot_be_seen_to_be_nothing_moves_and_everything_is_renewed(
    fleet: Fleet,
) -> None:
    fleet.away.add("b")
    plan = raised(fleet).plan()
    words = (
        "its new root is not trusted everywhere: bundle/clients@b does not have the anchor yet"
        " and cannot be looked at from here"
    )
    assert named(plan, Action.BLOCKED, SERVICES).message == words
    assert named(plan, Action.BLOCKED, "certificate/old").message == words
    assert {c.address for c in plan.changes if c.action is Action.ISSUE} == {ROOT}
    fleet.apply()
    fleet.wait(25)
    assert {c.address: c.reason for c in fleet.plan().changes if c.action is Action.ISSUE} == {
        WEB: Reason.RENEWING,
        "certificate/old": Reason.RENEWING,
    }
    fleet.apply()
    assert fleet.world().line(fleet.current("old")) == (("root", 1),)
    fleet.away.clear()
    fleet.apply()
    assert fleet.world().line(fleet.current("old")) == (("root", 2),)


def test_a_place_that_has_it_need_not_be_looked_at_again(fleet: Fleet) -> None:
    raised(fleet).away.add("a")
    fleet.apply()
    fleet.away = {"b"}
    fleet.apply()
    assert fleet.world().line(fleet.signed_under("services", 1)) == (("root", 2),)


def test_a_first_hierarchy_waits_for_no_place(fleet: Fleet) -> None:
    fleet.cas["other"], fleet.cas["low"] = Ca(), Ca("other", days=1000)
    fleet.bundles["others"] = Trust(("other",), at("a", "b"))
    fleet.away.add("b")
    assert blocks(fleet.plan()) == {}
    step = named(fleet.plan(), Action.ISSUE, "authority/low")
    assert step.requires == ("install:bundle/others@a", "issue:authority/other")


@pytest.mark.parametrize("crossed", [False, True])
def test_a_renewed_root_is_the_same_anchor(fleet: Fleet, crossed: bool) -> None:
    laws = Laws(raised(fleet, crossed=crossed))
    laws.run(fleet.stream())
    fleet.cas["root"] = Ca(generation=2, days=3650, crossed=crossed, renew_before=3000)
    fleet.wait(700)
    laws.run(fleet.stream())
    fleet.converge()


@pytest.mark.parametrize("crossed", [False, True])
@pytest.mark.parametrize("name", ["root", "services"])
@pytest.mark.parametrize("after", [False, True])
def test_killed_anywhere_the_next_run_goes_on(name: str, crossed: bool, after: bool) -> None:
    crash = 0
    while True:
        crash += 1
        fleet = raised(house(), name, crossed=crossed and name == "root")
        laws = Laws(fleet)
        fleet.journal.crash_at, fleet.journal.crash_after = crash, after
        try:
            laws.run(fleet.stream())
        except Crash:
            fleet.journal.crash_at = None
            laws.run(fleet.stream())
        else:
            break
        settle(fleet, laws)
        assert fleet.world().line(fleet.current("web"))[0 if name == "services" else -1] == (
            name,
            2,
        )
    assert crash > 6


def settle(fleet: Fleet, laws: Laws) -> None:
    """Let old anchors go when their time has come; then nothing is left to do."""
    for _ in range(2):
        fleet.wait(8)
        laws.run(fleet.stream())
    assert shown(fleet.plan()) == []
