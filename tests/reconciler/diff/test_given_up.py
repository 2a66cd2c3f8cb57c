"""What hangs by a CA that is given up, while what takes its place has to wait."""

import pytest
from ca_life import blocks, edit, issues, line
from fleet import Fleet
from fleet_documents import Ca, Leaf, at
from fleet_sights import named, shown
from trusting import Trust

from providers.errors import Transient
from reconciler.events import EventStatus
from reconciler.ledger.records import Status
from reconciler.selection import Selection
from schemas.custody import Kept
from schemas.plan import Action, Reason
from schemas.revocation import RevocationReason

NIGHT = Selection(due_only=True)
PLACE = "bundle/corp@b does not have the anchor yet and cannot be looked at from here"


@pytest.fixture
def fleet() -> Fleet:
    """`mail` is signed by the root, `web` by a CA below it, and one place with trust is away."""
    fleet = Fleet(
        cas={"root": Ca(), "services": Ca("root", days=1000)},
        leaves={"web": Leaf("services"), "mail": Leaf("root")},
        bundles={"corp": Trust(targets=at("a", "b"))},
    )
    fleet.converge().away = {"b"}
    return fleet


def test_what_is_revoked_at_once_moves_without_a_place_that_nobody_can_look_at(
    fleet: Fleet,
) -> None:
    plan = fleet.compromise("root", immediate=True).plan()
    assert blocks(plan) == {}
    for address in ("authority/services", "certificate/web", "certificate/mail"):
        moved = named(plan, Action.ISSUE, address)
        assert moved.message.endswith(f"; {PLACE}: it is not waited for")
        assert "install:bundle/corp@a" in moved.requires
    assert not any((c.after or {}).get("outage") for c in plan.changes)
    fleet.converge()
    assert line(fleet, fleet.current("web")) == [("services", 1), ("root", 2)]
    assert line(fleet, fleet.current("mail")) == [("root", 2)]
    fleet.away.clear()
    fleet.converge()
    assert fleet.trusted("b") == ["root-g2"]


def test_a_ca_that_went_with_its_parent_comes_back_below_the_next_one_with_its_key() -> None:
    tree = {"root": Ca(), "services": Ca("root", days=1000)}
    fleet = Fleet(cas=tree, leaves={"web": Leaf("services")}).converge()
    key = fleet.signed_under("services", 1).spki
    edit(fleet.compromise("root", immediate=True), "root", custody=Kept.OFFLINE).apply()
    assert fleet.signed_under("services", 1).status is Status.REVOKED
    assert blocks(fleet.plan())["authority/services"] == (
        Reason.BLOCKED_BY,
        "authority/root cannot sign: see what blocks it",
    )
    edit(fleet, "root", custody=None).converge()
    back = fleet.signed_under("services", 1)
    assert (back.status, back.spki) == (Status.ISSUED, key)
    assert line(fleet, fleet.current("web")) == [("services", 1), ("root", 2)]


def test_a_ca_that_was_revoked_for_itself_does_not_come_back() -> None:
    tree = {"root": Ca(), "services": Ca("root", days=1000)}
    fleet = Fleet(cas=tree, leaves={"web": Leaf("services")}).converge()
    fleet.compromise("services", reason=RevocationReason.SUPERSEDED).converge()
    fleet.revocations.clear()
    fleet.compromise("root", immediate=True).apply()
    assert fleet.signed_under("services", 1).status is Status.REVOKED
    assert blocks(fleet.plan())["authority/services"][0] is Reason.REVOKED


def test_a_generation_that_is_given_up_signs_nothing_while_the_next_one_waits(
    fleet: Fleet,
) -> None:
    before = fleet.current("mail")
    fleet.compromise("root").apply()
    fleet.apply()
    assert fleet.current("mail") == before
    assert blocks(fleet.plan())["certificate/mail"] == (
        Reason.PENDING,
        f"its new root is not trusted everywhere: {PLACE}",
    )
    assert issues(fleet.wait(25).plan()) == {"certificate/web": Reason.RENEWING}
    fleet.pinned = True
    assert issues(fleet.plan(NIGHT)) == {"certificate/web": Reason.RENEWING}


def test_what_ends_below_a_ca_that_is_given_up_moves_whoever_is_not_told(fleet: Fleet) -> None:
    fleet.compromise("root").apply()
    fleet.wait(31).apply()
    assert line(fleet, fleet.current("mail")) == [("root", 2)]
    assert line(fleet, fleet.current("web")) == [("services", 1), ("root", 1)]


def test_what_waits_to_be_signed_by_another_root_is_not_told_to_be_replaced_itself(
    fleet: Fleet,
) -> None:
    told = blocks(fleet.compromise("root").plan())
    serial = fleet.signed_under("services", 1).serial
    why = told[f"authority/services#{serial}"]
    assert why == (Reason.BLOCKED_BY, "nothing takes the place of authority/services yet")


def test_a_leaf_whose_own_key_leaks_is_replaced_below_the_root_that_everybody_trusts(
    fleet: Fleet,
) -> None:
    edit(fleet, "root", generation=2).apply()
    events = fleet.revoke("leak", "mail").apply()
    assert [e for e in events if e.status is not EventStatus.DONE] == []
    assert fleet.current("mail").status is Status.ISSUED
    assert line(fleet, fleet.current("mail")) == [("root", 1)]
    assert ("blocked", "certificate/mail", "Pending") in shown(fleet.plan())


@pytest.mark.parametrize("address", ["authority/root", "crl/root-g1", "bundle/corp@a"])
def test_a_part_of_a_plan_revokes_nothing_at_once_without_what_takes_its_place(
    fleet: Fleet, address: str
) -> None:
    selection = Selection(addresses=(address,))
    part = fleet.compromise("root", immediate=True).plan(selection)
    assert {"certificate/web", "certificate/mail"} <= issues(part).keys()
    fleet.apply(selection)
    assert line(fleet, fleet.current("web")) == [("services", 1), ("root", 2)]
    assert fleet.installed("a", "web").serial == fleet.current("web").serial


def test_what_was_not_reviewed_yet_gives_up_nothing_at_night(fleet: Fleet) -> None:
    edit(fleet, "root", generation=2).apply()
    fleet.base, fleet.pinned = fleet.desired(), True
    plan = fleet.wait(25).compromise("root", 1).plan(NIGHT)
    assert {"certificate/mail", "certificate/web"} <= issues(plan).keys()
    fleet.base = fleet.desired()
    assert "certificate/mail" not in issues(fleet.plan(NIGHT))


def test_an_anchor_that_is_given_up_is_not_said_to_stay(fleet: Fleet) -> None:
    edit(fleet, "root", generation=2)
    here = named(fleet.plan(), Action.INSTALL, "bundle/corp@a")
    assert here.message == "follows the new certificate; root-g1 stays until nothing hangs by it"
    here = named(fleet.compromise("root").plan(), Action.INSTALL, "bundle/corp@a")
    assert here.message == "follows the new certificate"


def test_an_anchor_that_cannot_be_brought_today_leaves_nothing_behind_for_good(
    fleet: Fleet,
) -> None:
    fleet.store("a").fail("install_trust", Transient("the disk is full"))
    fleet.compromise("root", immediate=True).apply()
    assert fleet.signed_under("services", 1).status is Status.REVOKED
    fleet.store("a").failures.clear()
    fleet.converge()
    assert line(fleet, fleet.current("web")) == [("services", 1), ("root", 2)]
    assert fleet.signed_under("services", 1).status is Status.ISSUED


def test_what_is_to_be_revoked_is_renewed_in_time_all_the_same(fleet: Fleet) -> None:
    fleet.apply()
    fleet.base = fleet.desired()
    fleet.wait(1).revoke("gone", "web")
    assert issues(fleet.plan())["certificate/web"] is Reason.REVOKED
    assert issues(fleet.plan(NIGHT)) == {}
    fleet.wait(24).revoke("gone", "web")
    assert issues(fleet.plan(NIGHT))["certificate/web"] is Reason.REVOKED
