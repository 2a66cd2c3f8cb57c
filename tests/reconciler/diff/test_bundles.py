"""What a bundle needs in a place: why it is installed, when that needs no review, what stands in the way."""

from dataclasses import replace
from typing import Any

import pytest
from fleet import Fleet
from fleet_documents import Ca, Leaf, at
from fleet_sights import named, reasons, shown
from trusting import Trust, stranger

from providers import x509
from providers.base import NAME
from schemas.plan import Action, Change, Reason

CORP = "bundle/corp@a"


@pytest.fixture
def fleet() -> Fleet:
    return Fleet(
        cas={"root": Ca(), "services": Ca(parent="root", days=1000)},
        leaves={"web": Leaf(issuer="services")},
        bundles={"corp": Trust(targets=at("a", "b"))},
    )


def install(fleet: Fleet, address: str = CORP) -> Change:
    return named(fleet.plan(), Action.INSTALL, address)


def trust(fleet: Fleet, **fields: Any) -> None:
    """Change the Bundle's document."""
    fleet.bundles["corp"] = replace(fleet.bundles["corp"], **fields)


def test_what_hangs_by_a_root_waits_for_its_anchor_in_every_place(fleet: Fleet) -> None:
    plan = fleet.plan()
    first = named(plan, Action.INSTALL, CORP)
    assert (first.reason, first.requires, first.due) == (
        Reason.NOT_FOUND,
        ("issue:authority/root",),
        False,
    )
    assert first.after == {"name": "corp", "anchors": ["root-g1"]}
    below = named(plan, Action.ISSUE, "authority/services")
    assert {f"install:{CORP}", "install:bundle/corp@b"} <= set(below.requires)


def test_what_is_wanted_is_told_by_names_before_and_after_it_is_issued(fleet: Fleet) -> None:
    before = install(fleet).fingerprint
    fleet.converge()
    fleet.store("a").trust.clear()
    gone = install(fleet)
    assert (gone.fingerprint, gone.reason, gone.outside) == (before, Reason.NOT_FOUND, True)
    assert not gone.due


@pytest.mark.parametrize(
    "fields",
    [
        {"labels": {"team": "web"}},
        {"targets": (("a", "cas"), ("b", None))},
        {"others": (stranger("Partner", Fleet().now),)},
    ],
)
def test_an_edit_is_another_change_and_needs_review(fleet: Fleet, fields: dict[str, Any]) -> None:
    before = install(fleet).fingerprint
    fleet.converge()
    trust(fleet, **fields)
    edited = install(fleet)
    assert edited.fingerprint != before
    assert not edited.due
    fleet.converge()


def test_a_root_that_is_renewed_leaves_one_anchor_and_needs_no_review() -> None:
    fleet = Fleet(
        cas={"root": Ca(days=400, renew_before=50)},
        leaves={"web": Leaf()},
        bundles={"corp": Trust()},
    ).converge()
    (old,) = fleet.store("a").trust["corp"].anchors
    fleet.wait(355)
    step = install(fleet)
    assert (step.reason, step.due) == (Reason.ANCHORS_CHANGED, True)
    fleet.converge()
    assert fleet.trusted("a") == ["root-g1"]
    assert old not in fleet.store("a").trust["corp"].anchors


def test_a_standby_root_is_trusted_as_soon_as_it_is_there(fleet: Fleet) -> None:
    fleet.converge().cas["root"] = Ca(standby=True)
    assert install(fleet).requires == ("issue:standby/root-g2",)
    fleet.converge()
    assert fleet.trusted("a") == ["root-g1", "root-g2"]
    fleet.cas["root"] = Ca(generation=2)
    assert reasons(fleet.plan(), CORP) == {}
    fleet.converge()
    assert fleet.trusted("a") == ["root-g1", "root-g2"]


def test_a_bundle_that_comes_late_holds_what_something_hangs_by(fleet: Fleet) -> None:
    late = fleet.bundles.pop("corp")
    fleet.converge()
    fleet.cas["root"] = Ca(generation=2)
    fleet.bundles["corp"] = late
    fleet.apply()
    assert fleet.trusted("a") == ["root-g1", "root-g2"]


def test_a_bundle_that_comes_after_everything_moved_holds_the_new_one_alone(fleet: Fleet) -> None:
    late = fleet.bundles.pop("corp")
    fleet.converge().cas["root"] = Ca(generation=2)
    fleet.converge().bundles["corp"] = late
    fleet.converge()
    assert fleet.trusted("a") == ["root-g2"]


def test_without_any_anchor_it_waits_and_says_for_whom() -> None:
    fleet = Fleet(cas={"root": Ca(retired=True)}, bundles={"corp": Trust()})
    assert shown(fleet.plan()) == [("blocked", "bundle/corp", "Pending")]


def test_anchors_of_others_come_go_and_end(fleet: Fleet) -> None:
    partner = stranger("Partner", fleet.now, days=20)
    trust(fleet, others=(partner,))
    fleet.converge()
    assert fleet.trusted("a") == ["other", "root-g1"]
    fleet.wait(19.9).apply()
    fleet.wait(0.2)
    step = install(fleet)
    assert (step.reason, step.message, step.due) == (
        Reason.ANCHORS_CHANGED,
        f"no longer to hold CN=Partner (SHA-256 {x509.facts(partner).sha256})",
        True,
    )
    fleet.apply()
    assert fleet.trusted("a") == ["root-g1"]
    trust(fleet, others=())
    assert not install(fleet).due


def test_what_was_changed_by_hand_is_put_right_with_nothing_added(fleet: Fleet) -> None:
    fleet.converge()
    store, added = fleet.store("a"), stranger("Mallory", fleet.now)
    held = store.trust["corp"]
    store.trust["corp"] = replace(held, anchors={"00" * 32: added}, drift=("it was changed",))
    step = install(fleet)
    assert (step.reason, step.outside, step.due) == (Reason.DRIFTED, True, False)
    fleet.converge()
    assert fleet.trusted("a") == ["root-g1"]


def test_a_place_that_somebody_else_has_keeps_everything_below_waiting(fleet: Fleet) -> None:
    fleet.converge().store("a").trust.clear()
    fleet.foreign("a", "corp")
    fleet.cas["root"] = Ca(generation=2)
    plan = fleet.plan()
    assert reasons(plan, CORP) == {Action.BLOCKED: Reason.OCCUPIED}
    assert reasons(plan, "authority/services") == {Action.BLOCKED: Reason.PENDING}
    assert reasons(plan, "certificate/web") == {}


def test_another_bundle_in_its_place_is_left_alone(fleet: Fleet) -> None:
    fleet.converge()
    held = fleet.store("a").trust["corp"]
    other = replace(held, labels={**held.labels, NAME: "lab"})
    fleet.store("a").trust["corp"] = other
    (blocked,) = [c for c in fleet.plan().changes if c.address == CORP]
    assert (blocked.action, blocked.reason) == (Action.BLOCKED, Reason.OCCUPIED)
    assert "holds bundle/lab" in blocked.message


def test_a_certificate_waits_until_a_bundle_has_left_its_name(fleet: Fleet) -> None:
    fleet.converge()
    del fleet.bundles["corp"]
    fleet.leaves["corp"] = Leaf(issuer="services")
    assert reasons(fleet.plan(), "certificate/corp@a") == {Action.BLOCKED: Reason.OCCUPIED}
    fleet.apply()
    fleet.converge()
    assert fleet.installed("a", "corp").name == "corp"


def test_an_object_name_may_change_and_the_old_one_goes_last(fleet: Fleet) -> None:
    fleet.converge()
    trust(fleet, targets=(("a", "cas"), ("b", None)))
    gone = named(fleet.plan(), Action.REMOVE, "bundle/corp@a:corp")
    assert (gone.reason, gone.requires) == (Reason.WITHDRAWN, (f"install:{CORP}",))
    fleet.foreign("a", "cas")
    assert reasons(fleet.plan(), CORP) == {Action.BLOCKED: Reason.OCCUPIED}
    assert reasons(fleet.plan(), "bundle/corp@a:corp") == {Action.BLOCKED: Reason.BLOCKED_BY}
    fleet.apply()
    assert list(fleet.store("a").trust) == ["corp"]
    del fleet.store("a").objects["cas"]
    fleet.converge()
    assert list(fleet.store("a").trust) == ["cas"]


def test_a_bundle_leaves_with_its_document(fleet: Fleet) -> None:
    fleet.converge()
    del fleet.bundles["corp"]
    gone = named(fleet.plan(), Action.REMOVE, CORP)
    assert (gone.reason, gone.due) == (Reason.ORPHANED, False)
    fleet.converge()
    assert fleet.store("a").trust == {}
    assert fleet.journal.state.trust == {}


def test_a_bundle_that_the_ledger_does_not_know_is_not_removed(fleet: Fleet) -> None:
    fleet.converge()
    held = fleet.store("a").trust["corp"]
    fleet.store("a").trust["copy"] = replace(held, name="copy", id="memory:a/copy")
    assert reasons(fleet.plan(), "bundle/corp@a:copy") == {Action.BLOCKED: Reason.OCCUPIED}


def test_a_target_does_not_leave_with_a_bundle_in_it(fleet: Fleet) -> None:
    fleet.converge()
    trust(fleet, targets=at("a"))
    fleet.targets = ("a",)
    assert shown(fleet.plan()) == [("blocked", "bundle/corp@b", "TargetGone")]


def test_what_is_gone_already_is_forgotten(fleet: Fleet) -> None:
    fleet.converge()
    trust(fleet, targets=at("a"))
    fleet.store("b").trust.clear()
    assert shown(fleet.plan()) == [("forget", "bundle/corp@b", "Orphaned")]
    fleet.converge()


def test_what_the_base_has_comes_by_itself_and_an_edit_does_not(fleet: Fleet) -> None:
    fleet.away = {"b"}
    fleet.apply()
    fleet.base, fleet.away = fleet.desired(), set()
    assert install(fleet, "bundle/corp@b").due
    trust(fleet, others=(stranger("Partner", fleet.now),))
    assert not install(fleet, "bundle/corp@b").due
    assert not install(fleet).due


def test_without_a_base_a_first_install_needs_review_and_an_unfinished_one_does_not(
    fleet: Fleet,
) -> None:
    fleet.away = {"a", "b"}
    fleet.apply()
    fleet.away = set()
    assert not install(fleet).due
    assert fleet.journal.state.trust == {}
