"""Bundles in what looks at everything: observation, selection, the boundary, drift, the inventory, show."""

import csv
import io
import json
from dataclasses import replace

import pytest
from fleet import Fleet
from fleet_documents import LINEAGE, Ca, Leaf, at
from fleet_sights import named, shown
from trusting import Trust, stranger

from providers.errors import Transient
from reconciler.boundary import draw
from reconciler.diff import plan_warnings
from reconciler.drifting import Kind, drift
from reconciler.inventory import inventory
from reconciler.inventory_page import page
from reconciler.planning import make_plan
from reconciler.render.bundles import render_bundle, render_bundle_json, with_bundles
from reconciler.render.inventory import render_csv
from reconciler.render.markdown import render_markdown
from reconciler.render.page.data import page_data
from reconciler.render.text import render_text
from reconciler.selection import Selection, unknown_addresses, unmatched_labels
from reconciler.trusting import bundle_named, bundle_rows
from schemas.plan import Action, Reason
from schemas.project import LedgerSettings
from schemas.target import LocalDirectory, TargetSpec


@pytest.fixture
def fleet() -> Fleet:
    return Fleet(
        cas={"root": Ca(), "services": Ca(parent="root", days=1000)},
        leaves={"web": Leaf(issuer="services")},
        bundles={"corp": Trust(targets=at("a", "b"), labels={"team": "pki"})},
    ).converge()


def told(fleet: Fleet, name: str = "corp") -> str:
    row = bundle_named(fleet.world(), f"bundle/{name}")
    assert row is not None
    return render_bundle(row)


def test_nobody_asks_for_anchors_where_none_are_or_were() -> None:
    fleet = Fleet(leaves={"web": Leaf()}, bundles={"corp": Trust(targets=at("b"))}).converge()
    assert fleet.store("a").calls["observe_trust"] == 0
    del fleet.bundles["corp"]
    assert named(fleet.plan(), Action.REMOVE, "bundle/corp@b").reason is Reason.ORPHANED
    fleet.converge().store("b").calls.clear()
    fleet.plan()
    assert fleet.store("b").calls["observe_trust"] == 0


def test_a_place_whose_anchors_cannot_be_read_is_unknown(fleet: Fleet) -> None:
    fleet.store("a").fail("observe_trust", Transient("a bad disk"))
    seen = fleet.world().observation("a")
    assert (seen.status, seen.detail) == ("unknown", "a bad disk")


def test_a_bundle_is_selected_by_its_address_and_its_labels(fleet: Fleet) -> None:
    fleet.cas["root"] = Ca(generation=2)
    wanted = {"issue authority/root", "install bundle/corp@a", "install bundle/corp@b"}
    for selection in (Selection(("bundle/corp",)), Selection(labels={"team": "pki"})):
        assert {f"{a} {b}" for a, b, _ in shown(fleet.plan(selection))} == wanted
    alone = {f"{a} {b}" for a, b, _ in shown(fleet.plan(Selection(("bundle/corp@a",))))}
    assert alone == wanted - {"install bundle/corp@b"}
    desired = fleet.desired()
    assert unknown_addresses(("bundle/corp", "bundle/corp@a"), (), desired) == ()
    assert unmatched_labels({"team": "pki"}, desired) == ()
    (wrong,) = unknown_addresses(("bundle/crop",), (), desired)
    assert "bundle/corp" in wrong.hint


def test_one_anchor_is_selected_with_the_place_it_leaves(fleet: Fleet) -> None:
    fleet.cas["root"] = Ca(generation=2)
    fleet.converge().wait(7.1)
    for address in ("bundle/corp@a", "bundle/corp@a#root-g1"):
        found = [b for _, b, _ in shown(fleet.plan(Selection((address,))))]
        assert found == ["bundle/corp@a#root-g1"]


def test_a_moved_place_is_taken_to_be_empty_and_gets_its_anchors_first(fleet: Fleet) -> None:
    base = fleet.desired()
    moved = replace(base.targets["a"], spec=TargetSpec(local_directory=LocalDirectory(path="new")))
    desired = replace(base, targets={**base.targets, "a": moved})
    known = replace(base, ledger=LedgerSettings(public_key=LINEAGE.public_key))
    assumed = draw(desired, known).assumed.targets["a"]
    world = replace(fleet.world(), desired=desired, base=base)
    seen = replace(world.observed, targets={**world.observed.targets, "a": assumed})
    step = named(make_plan(replace(world, observed=seen)), Action.INSTALL, "bundle/corp@a")
    assert (step.reason, step.outside, step.due) == (Reason.NOT_FOUND, False, False)


def test_drift_says_which_anchors_were_expected(fleet: Fleet) -> None:
    held = fleet.store("a").trust["corp"]
    fleet.store("a").trust["corp"] = replace(held, drift=("it was changed",))
    del fleet.store("b").trust["corp"]
    found = drift(fleet.world(), fleet.plan()).differences
    assert [(d.address, d.kind, d.expected, d.found) for d in found] == [
        ("bundle/corp@a", Kind.OUTSIDE, "the anchors root-g1", "it was changed"),
        ("bundle/corp@b", Kind.OUTSIDE, "the anchors root-g1", "nothing is installed there"),
    ]


def test_a_bundle_that_is_named_as_a_certificate_is_told_apart(fleet: Fleet) -> None:
    fleet.bundles["web"] = Trust(targets=(("b", "cas"),))
    fleet.converge().store("b").trust.pop("cas")
    (found,) = drift(fleet.world(), fleet.plan()).differences
    assert (found.address, found.expected) == ("bundle/web@b", "the anchors root-g1")
    fleet.converge()


def test_show_says_why_an_anchor_stays_and_when_it_goes(fleet: Fleet) -> None:
    fleet.leaves["mail"] = Leaf(issuer="root", targets=at("b"))
    fleet.converge()
    fleet.store("b").fail("verify:mail", *[Transient("injected")] * 9)
    fleet.cas["root"] = Ca(generation=2)
    fleet.apply()
    assert "stays, since certificate/mail@b may hang by it" in told(fleet)
    fleet.store("b").failures.clear()
    fleet.converge()
    words = "nothing hangs by it since 2026-01-01T00:00:00Z: goes at 2026-01-08T00:00:00Z"
    assert words in told(fleet)
    fleet.wait(7.1).converge()
    assert "root-g1" not in told(fleet)


def test_show_and_inventory_know_what_left_the_documents(fleet: Fleet) -> None:
    del fleet.bundles["corp"]
    assert "no longer in the documents" in told(fleet)
    (row,) = bundle_rows(fleet.world(), fleet.plan().changes)
    assert (row.status, [place.target for place in row.places]) == ("to be removed", ["a", "b"])
    fleet.converge()
    assert bundle_rows(fleet.world(), ()) == []
    assert bundle_named(fleet.world(), "bundle/corp") is None


def test_the_state_of_a_bundle_is_the_worst_of_its_places(fleet: Fleet) -> None:
    def status() -> str:
        (row,) = bundle_rows(fleet.world(), fleet.plan().changes)
        return row.status

    assert status() == "ok"
    fleet.bundles["corp"] = replace(fleet.bundles["corp"], targets=at("a", "b", "c"))
    fleet.targets, fleet.away = ("a", "b", "c"), {"c"}
    assert status() == "not yet in c"
    fleet.store("b").fail("observe", Transient("a bad disk"))
    (row,) = bundle_rows(fleet.world(), ())
    assert row.status == "unknown (b)"
    fleet.store("a").trust.clear()
    assert status() == "out of date (NotFound)"
    fleet.foreign("a", "corp")
    assert status() == "blocked"


def test_json_has_every_field_of_a_bundle(fleet: Fleet) -> None:
    row = bundle_named(fleet.world(), "bundle/corp")
    assert row is not None
    data = json.loads(render_bundle_json(row))
    assert (data["kind"], data["format_version"], data["status"]) == ("bundle", "1.0", "ok")
    assert [a["name"] for a in data["anchors"]] == ["root-g1"]
    assert [(p["target"], p["state"], p["anchors"]) for p in data["places"]] == [
        ("a", "ok", ["root-g1"]),
        ("b", "ok", ["root-g1"]),
    ]


def test_a_plan_names_the_anchor_that_goes_and_not_the_bundle(fleet: Fleet) -> None:
    fleet.cas["root"] = Ca(generation=2)
    plan = fleet.plan()
    assert "root-g1 stays until nothing hangs by it" in render_text(plan, colour=False)
    fleet.converge().wait(7.1)
    text = render_text(fleet.plan(), colour=False)
    assert "bundle/corp#root-g1 will be REMOVED from 2 targets" in text
    assert '- anchor "root-g1" of bundle "corp" in a\n' in text
    assert "root-g1" in render_markdown(fleet.plan())


def test_an_anchor_of_others_that_expired_is_warned_of(fleet: Fleet) -> None:
    fleet.bundles["corp"] = replace(
        fleet.bundles["corp"], others=(stranger("Partner", fleet.now, days=5),)
    )
    assert list(plan_warnings(fleet.world(), ())) == []
    fleet.wait(5)
    (warning,) = plan_warnings(fleet.world(), ())
    assert warning.summary == "bundle/corp: the anchor CN=Partner expired at 2026-01-06T00:00:00Z"


def test_noting_what_nothing_hangs_by_is_no_matter_of_keys(fleet: Fleet) -> None:
    fleet.cas["root"] = Ca(standby=True)
    fleet.converge().cas["root"] = Ca()
    plan = fleet.plan()
    assert shown(plan) == [("configure", "bundle/corp", "AnchorWithdrawn")]
    assert "key" not in render_markdown(plan)
    fleet.converge().wait(7.1).converge()
    assert fleet.trusted("a") == ["root-g1"]


def test_the_page_and_the_csv_list_bundles_as_the_table_does() -> None:
    fleet = Fleet(
        leaves={"web": Leaf()}, bundles={"corp": Trust(targets=(("a", None), ("b", None)))}
    )
    fleet.converge().store("b").trust.clear()
    world = fleet.world()
    changes = fleet.plan().changes
    rows = with_bundles(inventory(world, changes), bundle_rows(world, changes), world.now)
    told = {row["address"]: row for row in csv.DictReader(io.StringIO(render_csv(rows)))}
    assert told["bundle/corp"]["targets"] == "a b"
    assert told["bundle/corp"]["status"] == "out of date (NotFound)"
    shown = page_data(fleet.plan(), rows)
    (bundle,) = (row for row in shown["certificates"] if row["address"] == "bundle/corp")
    assert [(p["target"], p["state"]) for p in bundle["places"]] == [("a", "ok"), ("b", "missing")]
    assert '"bundle/corp"' in page(world)
    assert '"bundle/corp"' not in page(world, Selection(labels={"team": "x"}))
