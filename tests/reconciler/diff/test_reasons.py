"""What each state of the world is answered with: documents, accident, and the plan that follows."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import TypeVar

import pytest
from fleet import Fleet
from fleet_documents import Ca, Leaf, at
from fleet_sights import name_of, shown
from memory_ledger import Crash

from providers.errors import Transient
from providers.memory_store import MemoryStore
from reconciler.diff import diff, revocation_warnings
from reconciler.ledger.records import Status
from reconciler.selection import Selection
from schemas.certificate import Custody, OnRemove, Rollout
from schemas.custody import Kept
from schemas.plan import Action, Plan

WEB = "certificate/web"
ISSUE, INSTALLS = ("issue", WEB), [("install", f"{WEB}@a"), ("install", f"{WEB}@b")]

Altered = TypeVar("Altered", Fleet, MemoryStore)
Accident = Callable[[Fleet], object]
Row = tuple[str, str, str]


@pytest.fixture
def fleet() -> Fleet:
    """One certificate in two targets, below an intermediate, as it should be."""
    cas = {"root": Ca(), "mid": Ca("root")}
    return Fleet(cas=cas, leaves={"web": Leaf("mid", at("a", "b"))}).converge()


def of(plan: Plan) -> list[Row]:
    """A plan as (action, address, reason), publications left out."""
    return [row for row in shown(plan) if row[0] != "publish"]


def reissue(reason: str, follow: str = "Superseded") -> list[Row]:
    return [("issue", WEB, reason), *((*step, follow) for step in INSTALLS)]


def unseal(fleet: Fleet, target: str = "a") -> Fleet:
    """Let a target lose what it has."""
    del fleet.store(target).objects["web"]
    return fleet


def over(thing: Altered, **fields: object) -> Altered:
    """Set what is not a document."""
    for name, value in fields.items():
        setattr(thing, name, value)
    return thing


def keep(fleet: Fleet) -> Fleet:
    """Keep the key in the ledger."""
    return fleet.edit("web", custody=Custody.LEDGER, names=("kept.example.com",)).converge()


SIMPLE: Mapping[str, tuple[Accident, list[Row]]] = {
    "nothing": (lambda _: None, []),
    "Renewing": (lambda f: f.wait(25), reissue("Renewing")),
    "Expired": (lambda f: f.wait(31), reissue("Expired")),
    "SpecChanged": (lambda f: f.edit("web", names=("n.example.com",)), reissue("SpecChanged")),
    "SpecChanged, on renewal": (
        lambda f: f.edit("web", names=("n.example.com",), rollout=Rollout.ON_RENEWAL),
        [],
    ),
    "IssuerChanged": (lambda f: f.edit("web", issuer="root"), reissue("IssuerChanged")),
    "Requested": (lambda f: over(f, replace=frozenset({WEB})), reissue("Requested")),
    "KeyUnavailable: drift": (
        lambda f: f.spoil("a", "web", "mode is 0644"),
        reissue("KeyUnavailable"),
    ),
    "KeyUnavailable: a target lost it": (
        unseal,
        [
            ("issue", WEB, "KeyUnavailable"),
            ("install", f"{WEB}@a", "NotFound"),
            ("install", f"{WEB}@b", "Superseded"),
        ],
    ),
    "KeyUnavailable: a new target": (
        lambda f: over(f, targets=("a", "b", "c")).edit("web", targets=at("a", "b", "c")),
        [*reissue("KeyUnavailable"), ("install", f"{WEB}@c", "NotFound")],
    ),
    "LabelsChanged": (
        lambda f: f.edit("web", labels={"team": "shop"}),
        [("relabel", f"{WEB}@a", "LabelsChanged"), ("relabel", f"{WEB}@b", "LabelsChanged")],
    ),
    "Withdrawn": (
        lambda f: f.edit("web", targets=at("a")),
        [("remove", f"{WEB}@b", "Withdrawn")],
    ),
    "Orphaned": (
        lambda f: f.leaves.clear(),
        [("remove", f"{WEB}@a", "Orphaned"), ("remove", f"{WEB}@b", "Orphaned")],
    ),
    "Orphaned, and gone already": (
        lambda f: unseal(f).edit("web", targets=at("b")),
        [("forget", f"{WEB}@a", "Orphaned")],
    ),
    "TargetUnknown": (
        lambda f: over(f.store("b"), reachable=False),
        [("blocked", "target/b", "TargetUnknown")],
    ),
    "a target on another host": (lambda f: f.away.add("b"), []),
    "TargetGone": (
        lambda f: over(f, targets=("a",)).edit("web", targets=at("a")),
        [("blocked", f"{WEB}@b", "TargetGone")],
    ),
    "Occupied while there is something new to install": (
        lambda f: unseal(f).edit("web", names=("n.example.com",)).foreign("a", "web"),
        [
            ("issue", WEB, "SpecChanged"),
            ("blocked", f"{WEB}@a", "Occupied"),
            ("install", f"{WEB}@b", "Superseded"),
        ],
    ),
    "Occupied: nothing of ours may go there": (
        lambda f: unseal(f).foreign("a", "web"),
        [("blocked", f"{WEB}@a", "Occupied")],
    ),
}


@pytest.mark.parametrize("row", SIMPLE.values(), ids=SIMPLE)
def test_a_world_is_answered(fleet: Fleet, row: tuple[Accident, list[Row]]) -> None:
    change, expected = row
    change(fleet)
    assert of(fleet.plan()) == sorted(expected, key=lambda step: (step[1], step[0]))


def test_a_first_plan_issues_installs_and_publishes_everything() -> None:
    fleet = Fleet(leaves={"web": Leaf()})
    assert shown(fleet.plan()) == [
        ("issue", "authority/root", "NotFound"),
        ("publish", "ca/root-g1", "NotFound"),
        ("issue", WEB, "NotFound"),
        ("install", f"{WEB}@a", "NotFound"),
        ("publish", "crl/root-g1", "NotFound"),
    ]


DRIFTS: Mapping[str, tuple[Accident, str, str]] = {
    "Drifted": (lambda f: f.spoil("a", "web", "mode is 0644"), "Drifted", "mode is 0644"),
    "NotFound": (unseal, "NotFound", "nothing is installed there"),
}


@pytest.mark.parametrize("row", DRIFTS.values(), ids=DRIFTS)
def test_with_the_key_at_hand_only_the_one_target_is_put_right(
    fleet: Fleet, row: tuple[Accident, str, str]
) -> None:
    accident, reason, message = row
    keep(fleet).wait(2)
    accident(fleet)
    (change,) = fleet.plan().changes
    assert (change.id, change.reason, change.message) == (f"install:{WEB}@a", reason, message)
    fleet.converge()


def test_another_chain_is_installed_again(fleet: Fleet) -> None:
    keep(fleet).wait(2)
    held = fleet.store("a").objects["web"]
    fleet.store("a").objects["web"] = replace(held, installed=replace(held.installed, trust="00"))
    assert of(fleet.plan()) == [("install", f"{WEB}@a", "ChainChanged")]
    fleet.converge()


def test_what_was_shown_and_not_proved_is_proved_without_being_written_again(fleet: Fleet) -> None:
    record = fleet.journal.state.certificates["web"]
    first, second = record.placements
    unproved = record.model_copy(
        update={"placements": (first.model_copy(update={"serial": None}), second)}
    )
    fleet.journal.rewrite(unproved)
    before = fleet.store("a").objects["web"].bundle
    assert of(fleet.plan()) == [("install", f"{WEB}@a", "Unverified")]
    fleet.edit("web", labels={"team": "x"}).converge()
    assert fleet.store("a").objects["web"].installed.labels["team"] == "x"
    assert fleet.store("a").objects["web"].bundle is before


def test_what_another_changes_again_and_again_is_left_to_people(fleet: Fleet) -> None:
    keep(fleet)
    for _ in range(2):
        fleet.spoil("a", "web", "somebody was here")
        fleet.apply()
    fleet.spoil("a", "web", "somebody was here")
    ((action, address, reason),) = of(fleet.plan())
    assert (action, address, reason) == ("blocked", f"{WEB}@a", "Flapping")
    fleet.wait(1.1)
    assert ("install", f"{WEB}@a", "Drifted") in of(fleet.plan())


def test_edits_of_the_documents_are_nobody_elses_changes(fleet: Fleet) -> None:
    keep(fleet)
    for n in range(3):
        fleet.edit("web", names=(f"n{n}.example.com",)).converge()
    fleet.spoil("a", "web", "somebody was here")
    assert of(fleet.plan()) == [("install", f"{WEB}@a", "Drifted")]


def test_nor_is_a_certificate_issued_again_and_again(fleet: Fleet) -> None:
    for _ in range(2):
        fleet.spoil("a", "web", "somebody was here")
        fleet.apply()
    fleet.spoil("a", "web", "somebody was here")
    assert of(fleet.plan()) == [("blocked", WEB, "Flapping")]
    (flapping,) = fleet.plan().changes
    assert f"then apply with --replace {WEB}" in flapping.message
    fleet.replace = frozenset({WEB})
    assert ("issue", WEB, "Requested") in of(fleet.plan())


def test_a_rename_keeps_the_ledger_and_takes_the_old_object_last(fleet: Fleet) -> None:
    fleet.rename("web", "shop")
    rows = of(fleet.plan())
    assert ("relabel", "certificate/shop", "Renamed") in rows
    remove = next(c for c in fleet.plan().changes if c.action is Action.REMOVE)
    assert remove.address == "certificate/shop@a:web"
    assert set(remove.requires) == {"install:certificate/shop@a", "install:certificate/shop@b"}
    fleet.converge()
    assert list(fleet.journal.state.certificates) == ["shop"]
    assert {name_of(held.installed) for _, held in fleet.ours()} == {"shop"}


def test_a_rename_in_place_issues_nothing(fleet: Fleet) -> None:
    fleet.edit("web", targets=(("a", "tls"), ("b", "tls"))).converge()
    fleet.rename("web", "shop")
    assert of(fleet.plan()) == [
        ("relabel", "certificate/shop", "Renamed"),
        ("relabel", "certificate/shop@a", "LabelsChanged"),
        ("relabel", "certificate/shop@b", "LabelsChanged"),
    ]
    fleet.converge()


def test_a_move_waits_until_the_new_place_works() -> None:
    fleet = Fleet(leaves={"web": Leaf(targets=at("a"))}).converge()
    fleet.edit("web", targets=at("b")).store("b").reachable = False
    rows = of(fleet.plan())
    assert ("blocked", f"{WEB}@a", "BlockedBy") in rows
    assert not any(action == "remove" for action, _, _ in rows)
    fleet.store("b").reachable = True
    (remove,) = (c for c in fleet.plan().changes if c.action is Action.REMOVE)
    assert remove.requires == (f"install:{WEB}@b",)
    fleet.converge()


def test_a_move_waits_for_what_stands_in_the_new_place() -> None:
    fleet = Fleet(leaves={"web": Leaf(targets=at("a"))}).converge()
    fleet.edit("web", targets=at("b")).foreign("b", "web")
    fleet.apply()
    assert "web" in fleet.store("a").objects


def test_two_former_objects_in_one_target_go_at_once() -> None:
    fleet = Fleet(leaves={"web": Leaf(targets=(("a", "one"),))}).converge()
    for name in ("two", "three"):
        fleet.store("a").fail("remove", Transient("no"))
        fleet.edit("web", targets=(("a", name),)).apply()
    fleet.converge()
    assert list(fleet.store("a").objects) == ["three"]


ENDS = {
    OnRemove.REMOVE: (["remove", "remove"], False, Status.ISSUED),
    OnRemove.REVOKE: (["revoke", "remove", "remove"], False, Status.REVOKED),
    OnRemove.FORGET: (["forget", "forget"], True, Status.ISSUED),
}


@pytest.mark.parametrize("end", ENDS)
def test_a_document_that_goes_ends_as_it_said(end: OnRemove) -> None:
    actions, stays, status = ENDS[end]
    fleet = Fleet(leaves={"web": Leaf(targets=at("a", "b"), on_remove=end)}).converge()
    serial = fleet.current("web").serial
    fleet.leaves.clear()
    assert [row[0] for row in of(fleet.plan())] == actions
    fleet.converge()
    assert ("web" in fleet.store("a").objects) is stays
    assert list(fleet.ours()) == []
    assert fleet.current("web").status is status
    published = fleet.published()["root-g1.crl"].revoked
    assert published == (frozenset({serial}) if status is Status.REVOKED else frozenset())


@pytest.mark.parametrize("end", ENDS)
def test_an_edit_of_how_it_ends_is_a_change_and_then_how_it_ends(end: OnRemove) -> None:
    actions, stays, status = ENDS[end]
    (other, *_) = (each for each in OnRemove if each is not end)
    fleet = Fleet(leaves={"web": Leaf(targets=at("a", "b"), on_remove=other)}).converge()
    fleet.edit("web", on_remove=end)
    (change,) = fleet.plan().changes
    assert (change.id, change.reason) == (f"configure:{WEB}", "SpecChanged")
    assert [(f.path, f.before, f.after) for f in change.fields] == [("onRemove", other, end)]
    assert not change.due
    waves = fleet.journal.waves
    fleet.converge()
    assert fleet.journal.waves == waves + 1
    fleet.leaves.clear()
    assert [row[0] for row in of(fleet.plan())] == actions
    fleet.converge()
    assert ("web" in fleet.store("a").objects) is stays
    assert fleet.journal.state.certificates["web"].current
    assert fleet.current("web").status is status


def test_a_renewal_alone_does_not_change_how_it_ends(fleet: Fleet) -> None:
    fleet.wait(25).edit("web", on_remove=OnRemove.REVOKE).apply(Selection(due_only=True))
    assert fleet.journal.state.certificates["web"].on_remove is OnRemove.REMOVE
    assert of(fleet.plan()) == [("configure", WEB, "SpecChanged")]


def test_how_it_ends_is_edited_with_its_name_and_its_contents(fleet: Fleet) -> None:
    fleet.rename("web", "shop").edit("shop", on_remove=OnRemove.FORGET, names=("n.example.com",))
    assert ("configure", "certificate/shop", "SpecChanged") in of(fleet.plan())
    fleet.converge()
    assert fleet.journal.state.certificates["shop"].on_remove is OnRemove.FORGET


def test_a_revocation_by_name_replaces_first_and_is_published_last(fleet: Fleet) -> None:
    old = fleet.current("web").serial
    fleet.wait(0.1).revoke("inc", "web")
    changes = {c.id: c for c in fleet.plan().changes}
    assert changes[f"issue:{WEB}"].reason == "Revoked"
    revoke = changes[f"revoke:{WEB}#{old}"]
    assert set(revoke.requires) == {f"issue:{WEB}", f"install:{WEB}@a", f"install:{WEB}@b"}
    crl = changes["publish:crl/mid-g1"]
    assert (crl.reason, crl.requires) == ("RevocationAdded", (revoke.id,))
    fleet.converge()
    assert fleet.published()["mid-g1.crl"].revoked == {old}


def test_a_revocation_that_is_still_to_come_waits(fleet: Fleet) -> None:
    fleet.wait(1).revoke("inc", "web").now -= timedelta(hours=1)
    assert of(fleet.plan()) == [("blocked", "revocation/inc", "Requested")]


@pytest.mark.parametrize("unseen", ["unreachable", "away", "not in the documents"])
def test_nothing_is_revoked_that_an_unseen_target_may_serve(fleet: Fleet, unseen: str) -> None:
    old = fleet.current("web").serial
    fleet.wait(0.1).revoke("inc", "web")
    if unseen == "unreachable":
        fleet.store("b").reachable = False
    elif unseen == "away":
        fleet.away.add("b")
    else:
        fleet.edit("web", targets=at("a")).targets = ("a",)
    assert ("blocked", f"{WEB}#{old}", "BlockedBy") in of(fleet.plan())
    fleet.apply()
    assert fleet.journal.state.certificates["web"].issuances[0].status is Status.ISSUED


def test_nor_what_may_have_been_installed_there_and_not_recorded(fleet: Fleet) -> None:
    """The newest certificate was shown in a target, nobody wrote that down, and nobody can look."""
    fleet.edit("web", names=("new.example.com",))
    for event in fleet.stream():
        if event.address == f"{WEB}@b" and event.status == "started":
            break
    record = fleet.journal.state.certificates["web"]
    serial = fleet.current("web").serial
    assert {p.serial for p in record.placements} != {serial}
    fleet.store("b").reachable = False
    fleet.revoke("inc", serials=(serial,))
    assert ("blocked", f"{WEB}#{serial}", "BlockedBy") in of(fleet.plan())


def test_nor_what_may_still_lie_there_under_a_former_name(fleet: Fleet) -> None:
    old = fleet.current("web").serial
    fleet.edit("web", targets=(("a", None), ("b", "tls"))).store("b").fail(
        "remove", Transient("no")
    )
    fleet.apply()
    assert fleet.current("web").serial != old
    fleet.revoke("inc", serials=(old,)).store("b").reachable = False
    assert ("blocked", f"{WEB}#{old}", "BlockedBy") in of(fleet.plan())
    fleet.store("b").reachable = True
    revoke = next(c for c in fleet.plan().changes if c.action is Action.REVOKE)
    assert revoke.requires == (f"remove:{WEB}@b",)
    fleet.converge()
    assert list(fleet.store("b").objects) == ["tls"]


def test_a_ca_is_revoked_after_everything_below_it_was_replaced(fleet: Fleet) -> None:
    old = fleet.journal.state.authorities["mid"].issuances[0].serial
    fleet.revoke("inc", serials=(old,))
    assert of(fleet.plan()) == [("blocked", f"authority/mid#{old}", "BlockedBy")]
    fleet.cas["mid"] = Ca("root", generation=2)
    (revoke,) = (c for c in fleet.plan().changes if c.action is Action.REVOKE)
    assert set(revoke.requires) == {f"issue:{WEB}", f"install:{WEB}@a", f"install:{WEB}@b"}
    fleet.store("b").reachable = False
    assert of(fleet.plan()).count(("blocked", f"authority/mid#{old}", "BlockedBy")) == 1
    fleet.store("b").reachable = True
    fleet.converge()
    assert fleet.published()["root-g1.crl"].revoked == {old}


def test_children_wait_for_a_parent_that_is_stuck(fleet: Fleet) -> None:
    fleet.cas["root"] = Ca(generation=2, custody=Kept.OFFLINE)
    fleet.cas["mid"] = Ca("root", generation=2)
    fleet.cas["other"] = Ca("other-root")
    fleet.cas["other-root"] = Ca(custody=Kept.OFFLINE)
    fleet.edit("web", issuer="other")
    assert of(fleet.plan()) == [
        ("issue", "authority/mid", "NotFound"),
        ("blocked", "authority/other", "BlockedBy"),
        ("blocked", "authority/other-root", "Ceremony"),
        ("blocked", "authority/root", "Ceremony"),
        ("blocked", WEB, "BlockedBy"),
    ]


def test_a_ca_that_left_the_documents_stays_until_nothing_of_it_is_valid(fleet: Fleet) -> None:
    fleet.edit("web", issuer="root").converge()
    del fleet.cas["mid"]
    assert of(fleet.plan()) == [("blocked", "authority/mid", "Orphaned")]
    fleet.wait(31).apply()
    assert of(fleet.plan()) == [("blocked", "authority/mid", "Orphaned")]
    fleet.wait(2990)
    assert ("forget", "authority/mid", "Orphaned") in of(fleet.plan())


@pytest.mark.parametrize(("days", "due"), [(3.4, False), (3.5, True), (8, True)])
def test_a_crl_is_signed_anew_at_half_its_life(fleet: Fleet, days: float, due: bool) -> None:
    reasons = {c.address: c.reason for c in fleet.wait(days).plan().changes}
    assert (reasons.get("crl/mid-g1") == "Expiring") is due


def test_a_publication_nobody_can_read_blocks_itself_alone(fleet: Fleet) -> None:
    fleet.publisher.reachable = False
    fleet.edit("web", names=("new.example.com",))
    rows = shown(fleet.plan())
    assert ("blocked", "publish", "TargetUnknown") in rows
    assert ("issue", WEB, "SpecChanged") in rows


def test_a_reservation_cut_short_is_finished_and_one_for_another_request_erased(
    fleet: Fleet,
) -> None:
    fleet.edit("web", names=("new.example.com",))
    fleet.journal.crash_at, fleet.journal.crash_after = 1, True
    with pytest.raises(Crash):
        fleet.apply()
    assert of(fleet.plan())[0] == ("issue", WEB, "Resuming")
    fleet.edit("web", names=("www.example.com",))
    assert of(fleet.plan()) == [("forget", "key/web", "Orphaned")]
    fleet.converge()
    assert fleet.kept_keys() == {}


def test_a_label_of_ours_on_what_the_ledger_never_issued_is_left_to_people(fleet: Fleet) -> None:
    held = fleet.store("a").objects["web"]
    stray = replace(held.installed, name="stray", serial="abc")
    fleet.store("a").objects["stray"] = replace(held, installed=stray)
    assert of(fleet.plan()) == [("blocked", f"{WEB}@a:stray", "Occupied")]


def test_what_a_ca_as_issued_does_not_allow_is_not_planned() -> None:
    cas = {"root": Ca(), "mid": Ca("root", permits=("example.com",), path_length=0)}
    fleet = Fleet(cas=cas, leaves={"web": Leaf("mid")}).converge()
    fleet.cas["mid"] = replace(cas["mid"], permits=("example.com", "example.org"), path_length=1)
    fleet.cas["low"] = Ca("mid")
    fleet.leaves["new"] = Leaf("mid", names=("new.example.org",))
    plan = {step.address: step for step in fleet.plan().changes}
    assert all(step.action is Action.BLOCKED for step in plan.values())
    assert plan["certificate/new"].message == (
        "authority/mid, as it was issued, does not allow it: the DNS name new.example.org is"
        " outside what is permitted (Example mid G1)"
    )
    assert "pathLength 0 leaves no room" in plan["authority/low"].message
    fleet.wait(25)
    assert ("issue", WEB, "Renewing") in of(fleet.plan()), "the edit stops no renewal"
    fleet.cas["mid"] = replace(fleet.cas["mid"], generation=2)
    fleet.converge()


def test_a_revocation_that_nobody_will_hear_of_is_told(fleet: Fleet) -> None:
    fleet.wait(0.1).revoke("inc", "web", serials=("77",))

    def told() -> list[str]:
        world = fleet.world()
        return [found.summary for found in revocation_warnings(world, diff(world))]

    assert told() == ["serial 77 is not in the ledger"]
    fleet.publish = False
    assert told()[1:] == ["nobody will hear of the revocation: the Project publishes no CRL"]
    fleet.converge()
    assert told() == ["serial 77 is not in the ledger"]


def test_a_ca_that_was_reserved_and_edited_since_is_no_resumption() -> None:
    fleet = Fleet(leaves={"web": Leaf()})
    fleet.journal.crash_at, fleet.journal.crash_after = 1, True
    with pytest.raises(Crash):
        fleet.apply()
    assert ("issue", "authority/root", "Resuming") in shown(fleet.plan())
    fleet.cas["root"] = Ca(days=4000)
    (step,) = (c for c in fleet.plan().changes if c.address == "authority/root")
    assert (step.reason, step.due) == ("NotFound", False)
    fleet.journal.crash_at = None
    fleet.converge()
