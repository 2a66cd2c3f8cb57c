"""What a place issues by itself: asked for, waited for, replaced beside, and removed by its identity."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
from fleet import Fleet
from fleet_documents import Leaf
from fleet_sights import named, reasons, shown
from memory_ledger import Crash

from providers.base import HostingState
from providers.errors import Ambiguous
from providers.memory_hosting import MemoryHost, give_up, grant, use
from reconciler.events import EventStatus
from reconciler.inventory import inventory
from schemas.certificate import Algorithm, OnRemove
from schemas.issuer import AmazonIssuer, IssuerSpec, VaultIssuer
from schemas.plan import Action, Reason
from schemas.request import KeyType

AMAZON = IssuerSpec(aws_acm=AmazonIssuer())
VAULT = IssuerSpec(azure_key_vault=VaultIssuer(issuer_name="DigiCert"))
WEB, THERE = "certificate/web", "certificate/web@a"
LIFE = timedelta(days=200)


def _fleet(issuer: str = "amazon") -> Fleet:
    return Fleet(
        leaves={"web": Leaf(issuer=issuer)},
        issuers={"amazon": AMAZON, "vault": VAULT},
        kinds={"a": MemoryHost},
    )


@pytest.fixture
def fleet() -> Fleet:
    return _fleet()


def _granted(fleet: Fleet, serial: str = "a1") -> Fleet:
    """Ask, and let the place issue what was asked for."""
    done = fleet.apply()
    assert {e.status for e in done} <= {EventStatus.DONE}
    grant(fleet.store("a"), "web", serial, fleet.now + LIFE)
    return fleet


def _objects(fleet: Fleet) -> set[str]:
    return {held.installed.id for held in fleet.store("a").objects.values()}


def test_it_is_asked_for_and_never_issued_here(fleet: Fleet) -> None:
    step = named(fleet.plan(), Action.INSTALL, THERE)
    assert step.reason is Reason.NOT_FOUND
    assert not any(c.action is Action.ISSUE for c in fleet.plan().changes if c.address == WEB)
    _granted(fleet).converge()
    record = fleet.journal.state.certificates["web"]
    assert record.issuances == ()
    (placement,) = record.placements
    assert placement.object_id == fleet.installed("a", "web").id
    assert placement.hosted
    assert not placement.is_adopted


def test_while_it_is_pending_the_plan_says_which_dns_records_to_create(fleet: Fleet) -> None:
    fleet.apply()
    plan = fleet.plan()
    assert [c for c in shown(plan) if c[1] == THERE] == [("blocked", THERE, "Pending")]
    message = named(plan, Action.BLOCKED, THERE).message
    assert "_x1.example.com CNAME _y1.validations.example" in message
    assert fleet.apply() == []
    assert fleet.store("a").calls["host"] == 1


def test_its_renewals_are_no_drift_and_count_for_the_next_expiry(fleet: Fleet) -> None:
    _granted(fleet).converge()
    first = fleet.plan().next_expiry
    assert first is not None
    assert (first.address, first.not_after) == (WEB, fleet.now + LIFE)
    fleet.wait(150)
    grant(fleet.store("a"), "web", "b2", fleet.now + LIFE)
    assert [c for c in shown(fleet.plan()) if c[1].startswith(WEB)] == []
    later = fleet.plan().next_expiry
    assert later is not None
    assert later.not_after == fleet.now + LIFE


def test_the_inventory_knows_it(fleet: Fleet) -> None:
    def row() -> tuple[str, str]:
        world = fleet.world()
        (found,) = [r for r in inventory(world, fleet.plan().changes) if r.address == WEB]
        return found.status, found.serial

    assert row() == ("to be issued", "")
    fleet.apply()
    assert row() == ("pending", "")
    grant(fleet.store("a"), "web", "a1", fleet.now + LIFE)
    fleet.converge()
    assert row() == ("ok", "a1")


def test_other_names_take_a_new_object_and_the_old_one_goes_when_nothing_uses_it(
    fleet: Fleet,
) -> None:
    _granted(fleet).converge()
    old = fleet.installed("a", "web").id
    use(fleet.store("a"), "web", "a load balancer")
    fleet.edit("web", names=("new.example.com",))
    step = named(fleet.plan(), Action.INSTALL, THERE)
    assert step.reason is Reason.SPEC_CHANGED
    assert [field.path for field in step.fields] == ["dnsNames"]
    fleet.apply()
    assert _objects(fleet) == {old, fleet.installed("a", "web").id}
    old_address = f"{THERE}:{old}"
    assert {r for _, a, r in shown(fleet.plan()) if a == old_address} == {"Pending"}
    grant(fleet.store("a"), "web", "b2", fleet.now + LIFE)
    assert {r for _, a, r in shown(fleet.plan()) if a == old_address} == {"InUse"}
    use(fleet.store("a"), old)
    fleet.converge()
    assert _objects(fleet) == {fleet.installed("a", "web").id}
    assert len(fleet.journal.state.certificates["web"].placements) == 1


def test_another_key_is_a_change_where_the_place_obeys_it(fleet: Fleet) -> None:
    _granted(fleet).converge()
    store = fleet.store("a")
    held = store.objects["web"]
    content = held.installed.content
    assert content is not None
    other = replace(content, key=KeyType(algorithm=Algorithm.RSA, size=2048))
    store.objects["web"] = replace(held, installed=replace(held.installed, content=other))
    step = named(fleet.plan(), Action.INSTALL, THERE)
    assert [field.path for field in step.fields] == ["privateKey"]


def test_what_can_be_changed_in_place_keeps_its_object() -> None:
    fleet = _granted(_fleet("vault")).converge()
    old = fleet.installed("a", "web").id
    fleet.edit("web", names=("new.example.com",))
    _granted(fleet, "b2").converge()
    assert _objects(fleet) == {old}


def test_what_failed_is_told_and_asked_for_again_on_request(fleet: Fleet) -> None:
    fleet.apply()
    give_up(fleet.store("a"), "web")
    blocked = named(fleet.plan(), Action.BLOCKED, THERE)
    assert blocked.reason is Reason.FAILED
    assert "CAA records forbid it" in blocked.message
    assert f"--replace {WEB}" in blocked.message
    fleet.replace = frozenset({WEB})
    assert reasons(fleet.plan(), THERE) == {Action.INSTALL: Reason.REQUESTED}
    fleet.apply()
    fleet.replace = frozenset()
    grant(fleet.store("a"), "web", "b2", fleet.now + LIFE)
    fleet.converge()
    assert len(_objects(fleet)) == 1


def test_it_is_removed_by_its_identity_although_nobody_knows_its_serial(fleet: Fleet) -> None:
    _granted(fleet).converge()
    grant(fleet.store("a"), "web", "c3", fleet.now + LIFE)
    del fleet.leaves["web"]
    fleet.converge()
    assert _objects(fleet) == set()
    assert "web" not in fleet.journal.state.certificates or not (
        fleet.journal.state.certificates["web"].placements
    )


def test_what_has_our_label_and_an_identity_nobody_knows_stays(fleet: Fleet) -> None:
    _granted(fleet).converge()
    record = fleet.journal.state.certificates["web"]
    fleet.journal.rewrite(record.model_copy(update={"placements": ()}))
    del fleet.leaves["web"]
    found = [c for c in fleet.plan().changes if c.address.startswith(WEB)]
    assert [c.action for c in found] == [Action.BLOCKED]
    fleet.apply()
    assert len(_objects(fleet)) == 1


def test_it_may_be_forgotten_and_stays(fleet: Fleet) -> None:
    fleet.edit("web", on_remove=OnRemove.FORGET)
    _granted(fleet).converge()
    del fleet.leaves["web"]
    fleet.converge()
    assert len(_objects(fleet)) == 1


def test_a_certificate_of_ours_gives_way_when_the_place_has_issued_and_not_before() -> None:
    fleet = _fleet("root").converge()
    serial = fleet.current("web").serial
    fleet.edit("web", issuer="amazon")
    assert reasons(fleet.plan(), THERE) == {Action.INSTALL: Reason.ISSUER_CHANGED}
    assert Action.REMOVE not in {step.action for step in fleet.plan().changes}
    fleet.apply()
    old = next(i for i in _objects(fleet) if i != fleet.installed("a", "web").id)
    fleet.apply()
    assert old in _objects(fleet)
    grant(fleet.store("a"), "web", "a1", fleet.now + LIFE)
    fleet.converge()
    assert _objects(fleet) == {fleet.installed("a", "web").id}
    assert fleet.current("web").serial == serial  # it is still known: it may be revoked


def test_what_a_place_issued_gives_way_to_a_certificate_of_ours(fleet: Fleet) -> None:
    _granted(fleet).converge()
    fleet.edit("web", issuer="root")
    fleet.converge()
    assert fleet.installed("a", "web").serial == fleet.current("web").serial
    (placement,) = fleet.journal.state.certificates["web"].placements
    assert not placement.hosted


def test_a_successor_that_is_only_asked_for_takes_nobodys_place() -> None:
    fleet = _fleet("root").converge()
    old = fleet.installed("a", "web").id
    del fleet.leaves["web"]
    fleet.leaves["other"] = Leaf(issuer="amazon")
    fleet.apply()
    fleet.apply()
    assert old in _objects(fleet)
    grant(fleet.store("a"), "other", "a1", fleet.now + LIFE)
    fleet.converge()
    assert old not in _objects(fleet)


def test_what_is_revoked_waits_for_the_place_to_issue_the_successor() -> None:
    fleet = _fleet("root").converge()
    serial = fleet.current("web").serial
    fleet.wait(1).revoke("incident", "web")
    fleet.edit("web", issuer="amazon")
    fleet.apply()
    assert fleet.journal.state.certificates["web"].issuances[0].revoked is None
    grant(fleet.store("a"), "web", "a1", fleet.now + LIFE)
    fleet.converge()
    (issuance,) = fleet.journal.state.certificates["web"].issuances
    assert issuance.serial == serial
    assert issuance.revoked is not None


def test_a_rename_keeps_the_object(fleet: Fleet) -> None:
    _granted(fleet).converge()
    fleet.edit("web", targets=(("a", "web"),)).rename("web", "site")
    fleet.converge()
    assert len(_objects(fleet)) == 1
    assert fleet.journal.state.certificates["site"].placements[0].hosted


def test_labels_are_changed_on_what_the_place_issued(fleet: Fleet) -> None:
    _granted(fleet).converge()
    fleet.edit("web", labels={"team": "shop"})
    assert reasons(fleet.plan(), THERE) == {Action.RELABEL: Reason.LABELS_CHANGED}
    fleet.converge()
    assert fleet.installed("a", "web").labels["team"] == "shop"


def test_what_is_not_ours_is_not_touched(fleet: Fleet) -> None:
    fleet.foreign("a", "web")
    assert reasons(fleet.plan(), THERE) == {Action.BLOCKED: Reason.OCCUPIED}


def test_a_target_that_cannot_be_read_is_not_asked(fleet: Fleet) -> None:
    fleet.store("a").reachable = False
    assert [c for c in shown(fleet.plan()) if c[1].startswith(WEB)] == []


def test_a_refusal_is_told_and_tried_again(fleet: Fleet) -> None:
    fleet.store("a").fail("host", Ambiguous("broken"))
    events = {e.address: e for e in fleet.apply()}
    assert events[THERE].message == "broken"
    _granted(fleet).converge()


def _crashed(prepare_issuer: str) -> Iterator[Fleet]:
    for after in (False, True):
        for wave in range(1, 10):
            fleet = _granted(_fleet(prepare_issuer)).converge()
            fleet.edit("web", names=("new.example.com",))
            fleet.journal.crash_at, fleet.journal.crash_after = wave, after
            try:
                fleet.apply()
            except Crash:
                yield fleet
            else:
                break


def test_a_crash_at_any_wave_loses_no_object() -> None:
    tried = 0
    for fleet in _crashed("amazon"):
        fleet.journal.crash_at = None
        fleet.apply()
        state = fleet.installed("a", "web").hosting
        assert state is not None
        assert state.state is HostingState.PENDING
        grant(fleet.store("a"), "web", "b2", fleet.now + LIFE)
        fleet.converge()
        assert _objects(fleet) == {fleet.installed("a", "web").id}
        tried += 1
    assert tried >= 2
