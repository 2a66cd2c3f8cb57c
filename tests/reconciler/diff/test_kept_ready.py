"""What is kept ready, by what it is revoked, and what is told of it when no document asks for it any more."""

import pytest
from ca_life import blocks, edit, issues
from fleet import Fleet
from fleet_documents import Ca, Leaf, at
from fleet_sights import shown
from trusting import Trust

from reconciler.diff import plan_warnings
from reconciler.inventory import inventory
from reconciler.ledger.records import Status
from schemas.plan import Reason

UNASKED = "authority/services: generation 2 is issued, and no document asks for it"


@pytest.fixture
def fleet() -> Fleet:
    """Both CAs have their next generation kept ready."""
    return Fleet(
        cas={"root": Ca(standby=True), "services": Ca("root", days=1000, standby=True)},
        leaves={"web": Leaf("services")},
        bundles={"corp": Trust(targets=at("a", "b"))},
    ).converge()


def warnings(fleet: Fleet) -> list[str]:
    return [told.summary for told in plan_warnings(fleet.world(), fleet.plan().changes)]


def statuses(fleet: Fleet) -> dict[tuple[str, int | None], str]:
    rows = inventory(fleet.world(), fleet.plan().changes)
    return {(row.address, row.generation): row.status for row in rows}


def test_what_is_kept_ready_says_so_where_it_is_listed(fleet: Fleet) -> None:
    assert statuses(fleet)["authority/services", 1] == "ok"
    assert statuses(fleet)["authority/services", 2] == "kept ready"
    assert warnings(fleet) == []


def test_what_no_document_asks_for_any_more_is_told_until_it_is_revoked(fleet: Fleet) -> None:
    edit(fleet, "services", standby=False)
    assert warnings(fleet) == [UNASKED]
    assert statuses(fleet)["authority/services", 2] == "not asked for"
    fleet.compromise("services", 2).converge()
    assert warnings(fleet) == []
    assert fleet.signed_under("services", 2).status is Status.REVOKED
    assert fleet.signed_under("services", 1).status is Status.ISSUED


def test_what_was_raised_and_lowered_again_is_told_as_well(fleet: Fleet) -> None:
    edit(edit(fleet, "root", standby=False), "services", standby=False, generation=2).converge()
    edit(fleet, "services", generation=1).converge()
    assert fleet.current("web").request.issuer_generation == 1
    assert UNASKED in warnings(fleet)


def test_a_generation_that_a_ca_moved_on_to_is_asked_for(fleet: Fleet) -> None:
    edit(fleet, "services", standby=False)
    fleet.compromise("services").converge()
    fleet.revocations.clear()
    assert warnings(fleet) == []


def test_another_one_takes_the_place_of_what_was_kept_ready_and_is_revoked(fleet: Fleet) -> None:
    fleet.compromise("services", 2).compromise("root", 2)
    plan = issues(fleet.plan())
    assert plan == {"standby/services-g3": Reason.STANDBY, "standby/root-g3": Reason.STANDBY}
    fleet.converge()
    assert fleet.trusted("a") == ["root-g1", "root-g3"]
    fleet.compromise("services").converge()
    assert fleet.current("web").request.issuer_generation == 3


def test_what_was_revoked_stays_so_when_its_document_is_gone(fleet: Fleet) -> None:
    fleet.compromise("services", 2).converge()
    fleet.revocations.clear()
    told = "the generation to be kept ready is revoked: bring back the Revocation of it"
    assert blocks(fleet.plan())["standby/services-g2"] == (Reason.REVOKED, told)


def test_the_one_that_issues_and_the_one_kept_ready_are_given_up_at_once(fleet: Fleet) -> None:
    fleet.compromise("root", 1).compromise("root", 2).converge()
    assert fleet.world().line(fleet.current("web"))[-1] == ("root", 3)
    assert fleet.trusted("a") == ["root-g3", "root-g4"]
    assert shown(fleet.plan()) == []
