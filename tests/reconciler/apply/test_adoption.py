"""Taking over what somebody else installed: as it is, until it is due, and given back untouched."""

from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from fleet import Fleet
from fleet_documents import LINEAGE, START, Leaf, at
from fleet_sights import named, reasons, shown
from memory_ledger import Crash

from providers.base import NAME, OWNER, Content, Hosting, HostingState, Installed
from providers.errors import NotFound, Transient
from reconciler.apply import apply
from reconciler.diff import diff
from reconciler.events import EventStatus
from reconciler.explain import explain
from reconciler.inventory import inventory
from reconciler.ledger.deeds import deeds
from reconciler.planning import make_plan, pending
from reconciler.render.explanation import render_explanation
from reconciler.render.text import render_text
from reconciler.selection import Selection
from schemas.certificate import Algorithm, OnRemove, Rollout
from schemas.plan import Action, Reason
from schemas.request import KeyType

ARN = "arn:aws:acm:eu-west-1:111122223333:certificate/1"
OTHER = "arn:aws:acm:eu-west-1:111122223333:certificate/2"
WEB = "certificate/web"
SAME = Content(dns_names=("WWW.example.com",), usages=("server auth",))


def put(fleet: Fleet, target: str = "a", id_: str = ARN, **fields: Any) -> Installed:
    """Put an object there that goes by its identity, as in a place that gives objects no names."""
    found = Installed(id_, id_, {}, "abc123", "00" * 32, START + timedelta(days=60))
    found = replace(found, **fields)
    fleet.store(target).put_foreign(found)
    return found


def adopting(*ids: str, targets: tuple[str, ...] = ("a",), **fields: Any) -> Leaf:
    """Write a certificate that adopts in each of its targets, as those of one Target in several regions."""
    return Leaf(targets=at(*targets), adopt=dict.fromkeys(targets, ids or (ARN,)), **fields)


@pytest.fixture
def fleet() -> Fleet:
    """A certificate whose document adopts what is there."""
    fleet = Fleet(leaves={"other": Leaf(targets=at("b"))}).converge()
    put(fleet)
    fleet.leaves["web"] = adopting()
    return fleet


def test_what_is_sound_is_labelled_and_nothing_is_issued(fleet: Fleet) -> None:
    before = fleet.store("a").objects[ARN].installed
    assert shown(fleet.plan()) == [("adopt", f"{WEB}@a", "Requested")]
    fleet.converge()
    after = fleet.installed("a", "web")
    assert replace(after, name=ARN, labels={}) == before
    assert (after.labels[OWNER], after.labels[NAME]) == (LINEAGE.owner, "web")
    record = fleet.journal.state.certificates["web"]
    assert (record.issuances, record.placements[0].object_id) == ((), ARN)
    assert record.placements[0].is_adopted


def test_the_plan_says_that_the_key_stays_unknown(fleet: Fleet) -> None:
    text = render_text(fleet.plan(), colour=False)
    assert "certificate/web will be adopted in a: key unknown until the next renewal" in text
    assert '  = certificate "web" in a' in text
    assert "1 to adopt" in text


def test_it_is_replaced_in_place_when_it_is_due(fleet: Fleet) -> None:
    fleet.converge().wait(45)
    assert reasons(fleet.plan(), WEB) == {}
    fleet.wait(6)
    assert reasons(fleet.plan(), WEB) == {Action.ISSUE: Reason.RENEWING}
    issue = named(fleet.plan(), Action.ISSUE, WEB)
    assert issue.due
    assert (issue.before or {})["serial"] == "abc123"
    assert named(fleet.plan(), Action.INSTALL, f"{WEB}@a").due
    fleet.converge()
    after = fleet.installed("a", "web")
    assert (after.id, after.sha256) == (ARN, fleet.current("web").sha256)
    assert not fleet.journal.state.certificates["web"].placements[0].is_adopted
    assert fleet.kept_keys() == {}


def test_one_that_has_expired_is_adopted_and_replaced_at_once(fleet: Fleet) -> None:
    put(fleet, not_after=START - timedelta(days=1))
    assert reasons(fleet.plan(), WEB) == {Action.ISSUE: Reason.EXPIRED}
    assert reasons(fleet.plan(), f"{WEB}@a").keys() == {Action.ADOPT, Action.INSTALL}
    fleet.converge()
    assert fleet.installed("a", "web").sha256 == fleet.current("web").sha256


@pytest.mark.parametrize(
    ("content", "path"),
    [
        (replace(SAME, dns_names=("old.example.com",)), "dnsNames"),
        (replace(SAME, usages=("client auth",)), "usages"),
        (replace(SAME, key=KeyType(algorithm=Algorithm.RSA, size=2048)), "privateKey"),
        (replace(SAME, ip_addresses=("10.0.0.1",)), "ipAddresses"),
    ],
)
def test_one_that_says_something_else_is_replaced(
    fleet: Fleet, content: Content, path: str
) -> None:
    put(fleet, content=content)
    issue = named(fleet.plan(), Action.ISSUE, WEB)
    assert (issue.reason, [field.path for field in issue.fields]) == (Reason.SPEC_CHANGED, [path])
    assert not issue.due
    fleet.edit("web", rollout=Rollout.ON_RENEWAL)
    assert reasons(fleet.plan(), WEB) == {}
    fleet.edit("web", rollout=Rollout.NOW).converge()


def test_what_a_place_does_not_tell_is_not_compared(fleet: Fleet) -> None:
    put(fleet, content=SAME)
    fleet.edit("web", names=("www.example.com",)).converge()
    assert fleet.journal.state.certificates["web"].issuances == ()


def test_one_nobody_can_read_is_replaced(fleet: Fleet) -> None:
    put(fleet, not_after=None, serial=None, sha256=None)
    assert reasons(fleet.plan(), WEB) == {Action.ISSUE: Reason.NOT_FOUND}
    fleet.converge()


def test_who_asks_for_a_new_one_gets_it(fleet: Fleet) -> None:
    fleet.converge().replace = frozenset({WEB})
    fleet.apply()
    assert fleet.installed("a", "web").sha256 == fleet.current("web").sha256


def test_another_place_needs_a_certificate_and_then_all_get_it(fleet: Fleet) -> None:
    fleet.leaves["web"] = replace(adopting(), targets=at("a", "b"))
    assert reasons(fleet.plan(), WEB) == {Action.ISSUE: Reason.NOT_FOUND}
    fleet.converge()
    assert fleet.installed("a", "web").id == ARN
    assert fleet.installed("a", "web").sha256 == fleet.installed("b", "web").sha256


def test_an_identity_belongs_to_one_of_several_regions(fleet: Fleet) -> None:
    put(fleet, "b", OTHER)
    fleet.leaves["web"] = adopting(ARN, OTHER, targets=("a", "b"))
    plan = [row for row in shown(fleet.plan()) if "web" in row[1]]
    assert plan == [("adopt", f"{WEB}@{t}", "Requested") for t in "ab"]
    fleet.converge()
    assert fleet.journal.state.certificates["web"].issuances == ()


def test_an_identity_that_is_nowhere_is_told_and_nothing_is_issued(fleet: Fleet) -> None:
    fleet.leaves["web"] = adopting(OTHER)
    (blocked,) = fleet.plan().changes
    assert (blocked.action, blocked.address) == (Action.BLOCKED, f"{WEB}@a")
    assert blocked.message == (
        f"{OTHER} is not in a: correct `adopt`, or leave it out to have a certificate issued"
    )


def test_an_identity_may_be_where_nobody_can_look(fleet: Fleet) -> None:
    fleet.leaves["web"] = adopting(ARN, targets=("b", "a"))
    fleet.store("a").reachable = False
    assert [row for row in shown(fleet.plan()) if "web" in row[1]] == []


def test_an_object_of_another_owner_is_left_alone(fleet: Fleet) -> None:
    before = put(fleet, labels={OWNER: "somebody_0011223344556677"})
    (blocked,) = fleet.plan().changes
    assert (blocked.action, blocked.reason) == (Action.BLOCKED, Reason.OCCUPIED)
    assert "somebody_0011223344556677" in blocked.message
    fleet.apply()
    assert fleet.store("a").objects[ARN].installed == before


def test_what_the_place_renews_by_itself_cannot_be_taken_over(fleet: Fleet) -> None:
    put(fleet, hosting=Hosting(HostingState.ACTIVE))
    (blocked,) = fleet.plan().changes
    assert "issued and renewed by the place itself" in blocked.message


def test_an_object_with_a_name_of_its_own_keeps_it(fleet: Fleet) -> None:
    del fleet.store("a").objects[ARN]
    put(fleet, id_="vault/legacy", name="legacy")
    fleet.leaves["web"] = adopting("vault/legacy")
    (blocked,) = fleet.plan().changes
    assert "write `objectName: legacy`" in blocked.message
    fleet.edit("web", targets=(("a", "legacy"),)).converge().wait(55).converge()
    assert fleet.installed("a", "legacy").sha256 == fleet.current("web").sha256


def test_two_objects_in_one_place_are_one_too_many(fleet: Fleet) -> None:
    put(fleet, id_=OTHER)
    fleet.leaves["web"] = adopting(ARN, OTHER)
    (blocked,) = fleet.plan().changes
    assert "adopt one of them" in blocked.message


def test_withdrawn_before_anything_was_issued_it_stays_without_our_labels(fleet: Fleet) -> None:
    before = fleet.converge().installed("a", "web")
    del fleet.leaves["web"]
    assert shown(fleet.plan()) == [("forget", f"{WEB}@a", "Orphaned")]
    fleet.converge()
    assert fleet.installed("a", "web") == replace(before, labels={})
    assert "web" not in fleet.journal.state.certificates


def test_withdrawn_from_one_target_it_stays_there(fleet: Fleet) -> None:
    fleet.converge().edit("web", targets=at("b"), adopt={})
    assert reasons(fleet.plan(), f"{WEB}@a") == {Action.FORGET: Reason.WITHDRAWN}
    fleet.converge()
    assert fleet.installed("a", "web").labels == {}


def test_withdrawn_after_ours_took_its_place_it_goes(fleet: Fleet) -> None:
    fleet.converge().wait(55).converge()
    del fleet.leaves["web"]
    assert shown(fleet.plan()) == [("remove", f"{WEB}@a", "Orphaned")]
    fleet.converge()
    assert "web" not in fleet.store("a").objects


def test_without_adopt_in_the_document_ours_takes_its_place(fleet: Fleet) -> None:
    fleet.converge().edit("web", adopt={}).converge()
    assert fleet.installed("a", "web").sha256 == fleet.current("web").sha256


def test_what_is_gone_after_it_was_adopted_is_not_replaced_unasked(fleet: Fleet) -> None:
    fleet.converge()
    del fleet.store("a").objects["web"]
    (blocked,) = fleet.plan().changes
    assert (blocked.action, blocked.reason) == (Action.BLOCKED, Reason.BLOCKED_BY)


def test_a_rename_takes_it_along(fleet: Fleet) -> None:
    fleet.converge().rename("web", "shop").edit("shop", targets=(("a", "web"),)).converge()
    assert fleet.installed("a", "web").labels[NAME] == "shop"
    assert fleet.journal.state.certificates["shop"].placements[0].is_adopted


def test_other_labels_are_put_on_it(fleet: Fleet) -> None:
    fleet.converge().edit("web", labels={"team": "shop"})
    assert reasons(fleet.plan(), f"{WEB}@a") == {Action.RELABEL: Reason.LABELS_CHANGED}
    fleet.converge()
    assert fleet.installed("a", "web").labels["team"] == "shop"


def test_what_ours_replaced_and_somebody_changed_is_no_adopted_object(fleet: Fleet) -> None:
    fleet.converge().wait(55).converge()
    objects = fleet.store("a").objects
    held = objects["web"]
    objects["web"] = replace(held, installed=replace(held.installed, serial="1", sha256="11" * 32))
    assert reasons(fleet.plan(), WEB) == {Action.ISSUE: Reason.KEY_UNAVAILABLE}


def test_a_second_object_for_what_is_installed_already_is_told_and_stops_nothing(
    fleet: Fleet,
) -> None:
    fleet.leaves = {"web": Leaf()}
    fleet.converge().edit("web", adopt={"a": (ARN,)})
    (blocked,) = fleet.plan().changes
    assert f"leave {ARN} out of `adopt`" in blocked.message
    fleet.wait(25)
    assert reasons(fleet.plan(), WEB) == {Action.ISSUE: Reason.RENEWING}


def test_an_existing_certificate_is_installed_over_what_its_document_adopts(fleet: Fleet) -> None:
    fleet.leaves["other"] = replace(
        fleet.leaves["other"], targets=at("b", "a"), adopt={"a": (ARN,)}
    )
    del fleet.leaves["web"]
    fleet.converge()
    assert fleet.installed("a", "other").id == ARN
    assert fleet.installed("a", "other").sha256 == fleet.current("other").sha256


def test_what_was_changed_meanwhile_is_left_alone(fleet: Fleet) -> None:
    session = fleet.session()
    put(fleet, serial="5", sha256="55" * 32)
    events = list(apply(session, pending(make_plan(session.world).changes)))
    assert events[-1].status is EventStatus.FAILED
    assert "plan again" in events[-1].message
    held = fleet.installed("a", ARN)
    assert (held.sha256, held.labels) == ("55" * 32, {})


@pytest.mark.parametrize("error", [NotFound("gone"), Transient("again")])
def test_a_failure_is_told_and_the_next_run_goes_on(fleet: Fleet, error: Exception) -> None:
    assert isinstance(error, NotFound | Transient)
    fleet.store("a").fail("adopt", error)
    (event,) = fleet.apply()
    assert (event.status, event.message) == (EventStatus.FAILED, str(error))
    fleet.converge()


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("at_wave", range(1, 7))
@pytest.mark.parametrize("life", [60, 5])
def test_a_crash_at_any_wave_leaves_what_the_next_run_finishes(
    fleet: Fleet, at_wave: int, life: int, *, after: bool
) -> None:
    put(fleet, not_after=START + timedelta(days=life))
    fleet.journal.crash_at, fleet.journal.crash_after = at_wave, after
    with suppress(Crash):
        fleet.apply()
    fleet.journal.crash_at = None
    fleet.store("a").staged.clear()
    fleet.converge()
    assert fleet.store("a").objects.keys() == {"web"}
    assert (fleet.installed("a", "web").serial == "abc123") == (life == 60)


@pytest.mark.parametrize("on_remove", OnRemove)
def test_what_becomes_of_it_at_the_end_is_known_from_the_start(
    fleet: Fleet, on_remove: OnRemove
) -> None:
    fleet.edit("web", on_remove=on_remove).converge()
    assert fleet.journal.state.certificates["web"].on_remove is on_remove


def test_inventory_and_history_tell_what_stands_for_it(fleet: Fleet) -> None:
    put(fleet, not_after=START + timedelta(days=60))
    before = fleet.journal.state.certificates.get("web")
    fleet.converge()
    world = fleet.world()
    (row,) = [r for r in inventory(world, diff(world)) if r.name == "web"]
    assert (row.status, row.serial, row.days_left) == ("adopted", "abc123", 60)
    record = fleet.journal.state.certificates["web"]
    assert list(deeds(before, record)) == [f"to be adopted in a: {ARN}"]
    told = explain(world, WEB)
    assert told is not None
    text = render_explanation(told)
    assert f"in a as web: adopted, {ARN}" in text
    fleet.wait(51)
    world = fleet.world()
    (row,) = [r for r in inventory(world, diff(world)) if r.name == "web"]
    assert row.status == "to be issued"


def test_what_nobody_reviewed_is_not_issued_by_the_nightly_run(fleet: Fleet) -> None:
    put(fleet, not_after=START + timedelta(days=5))
    nightly = Selection(due_only=True)
    assert fleet.plan(nightly).changes == ()
    fleet.store("a").fail("adopt", Transient("again"))
    statuses = {str(e.action): e.status for e in fleet.apply()}
    assert statuses == {
        "adopt": EventStatus.FAILED,
        "issue": EventStatus.SKIPPED,
        "install": EventStatus.SKIPPED,
    }
    put(fleet)
    fleet.converge().wait(55)
    assert {str(c.action) for c in fleet.plan(nightly).changes} >= {"issue", "install"}
