"""How long what is in use lasts, and from when on its renewal has been missed."""

from dataclasses import replace
from datetime import timedelta

import pytest
from fleet import Fleet
from fleet_documents import START, Ca, Leaf, at

from providers.base import Installed
from providers.memory_hosting import MemoryHost, grant
from reconciler.drifting import Kind, drift
from reconciler.lifetimes import Lifetime, lifetimes
from reconciler.planning import make_plan
from reconciler.schedule import renewal_time
from schemas.issuer import AmazonIssuer, IssuerSpec
from schemas.plan import Reason

DAY = timedelta(days=1)


@pytest.fixture
def fleet() -> Fleet:
    return Fleet(leaves={"web": Leaf(targets=at("a", "b"))}).converge()


def life(fleet: Fleet, address: str) -> Lifetime | None:
    return {each.address: each for each in lifetimes(fleet.world())}.get(address)


def test_a_certificate_falls_due_as_the_plan_says_and_is_late_half_way_to_its_end(
    fleet: Fleet,
) -> None:
    current, found = fleet.current("web"), life(fleet, "certificate/web")
    assert found is not None
    assert found.not_after == current.not_after
    assert found.renews_at == renewal_time(current, 10 * DAY)
    late = found.renews_at + (found.not_after - found.renews_at) / 2
    assert [found.is_late(late - DAY / 24), found.is_late(late)] == [False, True]


def test_a_place_that_still_holds_the_one_before_counts_with_that(fleet: Fleet) -> None:
    before = fleet.current("web")
    fleet.wait(24).away.add("b")
    fleet.apply()
    fleet.away.clear()
    found = life(fleet, "certificate/web")
    assert found is not None
    assert (found.not_after, found.target) == (before.not_after, "b")
    assert fleet.current("web").not_after > before.not_after


def test_what_a_place_holds_that_is_not_ours_has_no_part_in_it(fleet: Fleet) -> None:
    theirs = fleet.foreign("a", "later")
    fleet.leaves["later"] = Leaf(names=("later.example.com",))
    assert theirs.not_after == fleet.now
    assert life(fleet, "certificate/later") is None


def test_what_was_adopted_lasts_as_long_as_it_says(fleet: Fleet) -> None:
    theirs = Installed("id-1", "id-1", {}, "abc123", "00" * 32, START + 60 * DAY)
    fleet.store("a").put_foreign(theirs)
    fleet.leaves["shop"] = Leaf(adopt={"a": ("id-1",)}, names=("shop.example.com",))
    fleet.converge()
    found = life(fleet, "certificate/shop")
    assert found is not None
    assert (found.not_after, found.target) == (START + 60 * DAY, "a")
    assert found.renews_at is not None
    assert START + 48 * DAY <= found.renews_at <= START + 50 * DAY


def test_what_a_place_does_not_renew_in_time_is_overdue_though_nothing_is_planned() -> None:
    fleet = Fleet(
        leaves={"web": Leaf(issuer="amazon")},
        issuers={"amazon": IssuerSpec(aws_acm=AmazonIssuer())},
        kinds={"a": MemoryHost},
        publish=False,
    )
    fleet.apply()
    grant(fleet.store("a"), "web", "a1", fleet.now + 200 * DAY)
    fleet.converge().wait(194)
    world = fleet.world()
    assert drift(world, make_plan(world)).differences == ()
    fleet.wait(1.5)
    world = fleet.world()
    assert make_plan(world).changes == ()
    (row,) = drift(world, make_plan(world)).differences
    assert (row.kind, row.reason, row.address) == (
        Kind.OVERDUE,
        Reason.RENEWING,
        "certificate/web@a",
    )


def test_a_ca_is_due_while_what_it_issues_can_still_live_its_life(fleet: Fleet) -> None:
    found = life(fleet, "authority/root")
    assert found is not None
    assert found.renews_at is not None
    assert found.issuer == "itself"
    assert timedelta(days=30) <= found.not_after - found.renews_at <= timedelta(days=36)
    fleet.cas["root"] = replace(fleet.cas["root"], retired=True)
    assert life(fleet, "authority/root") is None


def test_a_crl_is_late_when_three_quarters_of_it_are_over(fleet: Fleet) -> None:
    found = life(fleet, "crl/root-g1")
    crl = fleet.journal.state.crls["root", 1, None]
    assert found is not None
    assert found.not_after == crl.next_update
    assert found.late_at == crl.this_update + (crl.next_update - crl.this_update) * 3 / 4
    fleet.publish = False
    assert life(fleet, "crl/root-g1") is None


def test_what_ends_first_is_told_first(fleet: Fleet) -> None:
    fleet.cas["low"] = Ca("root", days=60)
    fleet.leaves["brief"] = Leaf(names=("b.example.com",), days=5, renew_before=2)
    fleet.converge()
    found = lifetimes(fleet.world())
    assert [each.not_after for each in found] == sorted(each.not_after for each in found)
    assert found[0].address == "certificate/brief"


def test_what_is_kept_ready_and_what_is_signed_across_end_as_well() -> None:
    fleet = Fleet({"root": Ca(days=800, renew_before=100)}, {"web": Leaf()}).converge()
    again = Ca(days=1600, renew_before=100, generation=2, crossed=True, standby=True)
    fleet.cas["root"] = again
    fleet.converge()
    record = fleet.journal.state.authorities["root"]
    crossed, older = record.crossed(2), record.issued(1)
    assert crossed is not None
    assert older is not None
    found, ready = life(fleet, "cross/root-g2"), life(fleet, "standby/root-g3")
    assert found is not None
    assert (found.issuer, found.not_after) == ("root", crossed.not_after)
    assert found.renews_at is None, "its older root ends with it"
    assert ready is not None
    assert ready.renews_at == renewal_time(fleet.signed_under("root", 3), 100 * DAY)
    fleet.cas["root"] = replace(again, retired=True)
    assert life(fleet, "standby/root-g3") is None
