"""By which terms CRLs are made, who may change them, and who signs where the key is not here."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from ceremony_table import Table, offline_fleet
from fleet import Fleet
from fleet_documents import Leaf
from fleet_sights import reasons, shown

from reconciler.ledger.contract import Wave
from reconciler.ledger.publications import CrlRecord, CrlTerms
from reconciler.ledger.records import Status
from reconciler.reviewing import Fingerprints
from reconciler.selection import Selection
from schemas.custody import Kept
from schemas.plan import Action, Change, Reason

NIGHT = Selection(due_only=True)
ROOT = ("root", 1, None)


@pytest.fixture
def fleet() -> Fleet:
    return Fleet(leaves={"web": Leaf(days=300, renew_before=100)}).converge()


def edit(fleet: Fleet, **fields: Any) -> Fleet:
    fleet.cas["root"] = replace(fleet.cas["root"], **fields)
    return fleet


def crl(fleet: Fleet) -> CrlRecord:
    return fleet.journal.state.crls[ROOT]


def life(fleet: Fleet) -> timedelta:
    return crl(fleet).next_update - crl(fleet).this_update


def at_the_list(fleet: Fleet) -> dict[str, Change]:
    return {c.id: c for c in fleet.plan().changes if c.address == "crl/root-g1"}


def test_an_edit_is_a_change_of_its_own_that_needs_review(fleet: Fleet) -> None:
    found = at_the_list(edit(fleet, crl_days=2, crl_refresh=1))
    settle, publish = found["configure:crl/root-g1"], found["publish:crl/root-g1"]
    told = {field.path: (field.before, field.after) for field in settle.fields}
    assert told == {"crl.duration": ("7d", "2d"), "crl.refreshBefore": ("half", "1d")}
    assert (settle.due, publish.due, publish.reason) == (False, False, Reason.SPEC_CHANGED)
    assert settle.id in publish.requires
    fleet.converge()
    assert life(fleet) == timedelta(days=2)
    assert crl(fleet).terms == CrlTerms(duration=2 * 86400, refresh_before=86400)


def test_a_night_makes_crls_by_the_terms_that_were_reviewed(fleet: Fleet) -> None:
    edit(fleet, crl_days=90).wait(4)
    fleet.apply(NIGHT)
    assert life(fleet) == timedelta(days=7)
    assert at_the_list(fleet).keys() == {"configure:crl/root-g1", "publish:crl/root-g1"}
    fleet.wait(4)
    publish = at_the_list(fleet)["publish:crl/root-g1"]
    assert (publish.reason, publish.due) == (Reason.EXPIRING, True)
    fleet.converge()
    assert life(fleet) == timedelta(days=90)


def test_a_list_whose_time_has_come_waits_for_no_revocation_that_nobody_reviewed(
    fleet: Fleet,
) -> None:
    fleet.wait(4).revoke("leak", "web")
    fleet.pinned = True
    fleet.apply(NIGHT)
    assert crl(fleet).this_update > fleet.now - timedelta(days=1)
    assert fleet.current("web").status is Status.ISSUED
    fleet.pinned = False
    fleet.converge()
    assert fleet.published()["root-g1.crl"].revoked


def test_it_is_signed_anew_when_it_was_asked_to_be(fleet: Fleet) -> None:
    edit(fleet, crl_refresh=1).converge()
    assert shown(fleet.wait(5.9).plan()) == []
    assert reasons(fleet.wait(0.1).plan(), "crl/root-g1") == {Action.PUBLISH: Reason.EXPIRING}


def test_an_earlier_refresh_makes_nothing_due_before_it_was_reviewed(fleet: Fleet) -> None:
    edit(fleet.wait(2), crl_refresh=6)
    assert not any(change.due for change in fleet.plan().changes)
    number = crl(fleet).number
    fleet.apply(NIGHT)
    assert crl(fleet).number == number
    fleet.converge()


def test_a_revocation_is_told_although_an_edit_waits_for_its_review(fleet: Fleet) -> None:
    edit(fleet, crl_days=90).wait(0.1).revoke("inc", "web")
    plan = fleet.plan()
    known = {c.fingerprint for c in plan.changes if c.action is not Action.CONFIGURE}
    verdict = Fingerprints(frozenset(known)).judge(plan)
    assert [each.change.id for each in verdict.refused] == ["configure:crl/root-g1"]
    assert "publish:crl/root-g1" in {step.id for step in verdict.allowed}


def test_a_ledger_of_before_goes_by_the_dates_of_its_crl(fleet: Fleet) -> None:
    old = crl(fleet).model_copy(update={"terms": None})
    fleet.journal.write(Wave(message="as it was", crls=[old]))
    assert shown(fleet.plan()) == []
    assert at_the_list(edit(fleet, crl_days=3)).keys() == {
        "configure:crl/root-g1",
        "publish:crl/root-g1",
    }


def test_new_parts_are_named_only_once_they_were_reviewed(fleet: Fleet) -> None:
    edit(fleet, crl_shards=3).wait(210)
    fleet.apply(NIGHT)
    assert fleet.current("web").urls.crl == "http://pki.example.com/root-g1.crl"
    fleet.converge()
    fleet.wait(210).converge()
    assert "-s" in str(fleet.current("web").urls.crl)


def lists(fleet: Fleet) -> list[tuple[str, str, str]]:
    return [each for each in shown(fleet.plan()) if each[1] == "crl/root-g1"]


def test_a_list_whose_key_is_offline_waits_for_a_ceremony_and_is_published_from_there() -> None:
    fleet = offline_fleet()
    table = Table(fleet)
    table.hold()
    fleet.converge().wait(4)
    (waits,) = (c for c in fleet.plan().changes if c.address == "crl/root-g1")
    assert (waits.action, waits.reason) == (Action.BLOCKED, Reason.CEREMONY)
    assert waits.message == "next update 2026-01-08; its key is offline: certform ceremony export"
    fleet.apply()
    assert lists(fleet) == [("blocked", "crl/root-g1", "Ceremony")], "apply signs nothing for it"
    table.hold()
    signed = fleet.journal.state.crls[ROOT]
    assert lists(fleet) == [("publish", "crl/root-g1", "NotFound")]
    fleet.converge()
    assert fleet.published()["root-g1.crl"].sha256 == signed.sha256
    del fleet.publisher.files["root-g1.crl"]
    fleet.converge()
    assert fleet.published()["root-g1.crl"].number == signed.number, "the same once more"


def test_what_an_offline_ca_revokes_is_told_by_the_next_ceremony() -> None:
    fleet = offline_fleet()
    table = Table(fleet)
    table.hold()
    fleet.converge().wait(1).compromise("mid").apply()
    serial = fleet.journal.state.authorities["mid"].first(1)
    assert serial is not None
    assert serial.status is Status.REVOKED
    assert lists(fleet) == [("blocked", "crl/root-g1", "Ceremony")]
    table.hold()
    fleet.apply()
    assert fleet.published()["root-g1.crl"].revoked == {serial.serial}


def test_nobody_signs_a_list_for_what_is_only_an_anchor(fleet: Fleet) -> None:
    state = fleet.journal.state
    root = state.authorities["root"]
    issuances = tuple(
        i.model_copy(update={"request": i.request.model_copy(update={"key_ref": "none"})})
        for i in root.issuances
    )
    record = root.model_copy(update={"issuances": issuances})
    fleet.journal.state = replace(state, authorities={"root": record})
    fleet.cas["root"] = replace(fleet.cas["root"], custody=Kept.NONE)
    del fleet.publisher.files["root-g1.crl"]
    assert lists(fleet.wait(8)) == []
