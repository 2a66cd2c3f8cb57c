"""The life of a CA: renewed with its key, under another parent, replaced, crossed, kept ready."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from ca_life import blocks, chain, edit, issues, line
from fleet import Fleet
from fleet_documents import Ca, Leaf
from fleet_sights import named, shown

from providers.errors import Denied
from providers.x509 import facts
from reconciler.apply import apply
from reconciler.events import EventStatus
from reconciler.ledger.records import AuthorityRecord, CertificateRecord
from reconciler.planning import make_plan, pending
from reconciler.selection import Selection
from schemas.custody import Kept
from schemas.plan import Action, Reason
from schemas.revocation import RevocationReason

WEB = "certificate/web"
SERVICES = "authority/services"
LONG = {"root": Ca(days=3650), "services": Ca("root", days=1825)}
SHORT = {"root": Ca(days=3650), "services": Ca("root", days=300)}
NIGHT = Selection(due_only=True)


@pytest.fixture
def fleet() -> Fleet:
    return Fleet(cas=dict(LONG), leaves={"web": Leaf("services")}).converge()


@pytest.fixture
def short() -> Fleet:
    return Fleet(cas=dict(SHORT), leaves={"web": Leaf("services")}).converge()


def test_everything_of_ours_says_who_signed_it(fleet: Fleet) -> None:
    root, services = (fleet.signed_under(name, 1) for name in ("root", "services"))
    assert (root.signer, services.signer) == (root.serial, root.serial)
    assert fleet.current("web").signer == services.serial


def test_a_ledger_that_does_not_say_so_has_nothing_to_do(fleet: Fleet) -> None:
    state = fleet.journal.state
    fleet.journal.state = replace(
        state,
        certificates={n: _unsigned(r) for n, r in state.certificates.items()},
        authorities={n: _unsigned(r) for n, r in state.authorities.items()},
    )
    assert shown(fleet.plan()) == []
    assert line(fleet, fleet.current("web")) == [("services", 1), ("root", 1)]


def _unsigned(record: Any) -> Any:
    assert isinstance(record, AuthorityRecord | CertificateRecord)
    old = tuple(i.model_copy(update={"signer": None}) for i in record.issuances)
    return record.model_copy(update={"issuances": old})


def test_a_ca_is_renewed_with_its_key_before_what_it_issues_is_cut_short(short: Fleet) -> None:
    first = short.signed_under("services", 1)
    short.wait(300 - 29)
    step = named(short.plan(), Action.ISSUE, SERVICES)
    assert (step.reason, step.due) == (Reason.RENEWING, True)
    short.converge()
    second = short.signed_under("services", 1)
    assert (second.spki, second.request) == (first.spki, first.request)
    web = short.current("web")
    assert web.not_after - web.not_before == timedelta(days=30, seconds=-1)
    assert web.signer == second.serial


def test_a_leaf_keeps_the_chain_it_has_until_its_own_renewal(short: Fleet) -> None:
    short.wait(300 - 37).converge()
    first, had = short.signed_under("services", 1), short.current("web")
    short.wait(8)
    assert issues(short.plan()) == {SERVICES: Reason.RENEWING}
    short.converge()
    assert short.current("web") == had
    assert had.signer == first.serial != short.signed_under("services", 1).serial


def test_a_root_renews_itself(fleet: Fleet) -> None:
    edit(fleet, "root", renew_before=3000)
    first = fleet.signed_under("root", 1)
    fleet.wait(700)
    assert issues(fleet.plan())["authority/root"] is Reason.RENEWING
    fleet.converge()
    second = fleet.signed_under("root", 1)
    assert second.signer == second.serial != first.serial
    mine, before = (facts((i.certificate or "").encode()) for i in (second, first))
    assert mine.certificate.subject == before.certificate.subject
    assert second.spki == first.spki


def test_a_ca_that_cannot_be_renewed_now_goes_on_signing(short: Fleet) -> None:
    short.wait(300 - 29)
    session = short.session()
    session._signers["root", 1] = Denied("its key is not at hand")
    events = [e for e in apply(session, pending(make_plan(session.world).changes)) if e.final]
    told = {f"{e.action}:{e.address}": e.status for e in events}
    assert told[f"issue:{SERVICES}"] is EventStatus.FAILED
    assert told[f"issue:{WEB}"] is EventStatus.DONE
    assert short.current("web").signer == short.signed_under("services", 1).serial


def test_below_a_parent_that_ends_nothing_is_renewed_in_vain(short: Fleet) -> None:
    edit(short, "root", retired=True)
    short.wait(3650 - 100)
    short.apply()
    short.wait(2)
    assert SERVICES not in issues(short.plan())


def test_an_edit_that_makes_a_ca_due_is_reviewed(short: Fleet) -> None:
    short.base = short.desired()
    short.wait(40)
    edit(short, "services", renew_before=289)
    step = named(short.plan(), Action.ISSUE, SERVICES)
    assert (step.reason, step.due) == (Reason.RENEWING, False)


def test_a_raised_root_brings_everything_below_it_along_in_one_plan(fleet: Fleet) -> None:
    key, web = fleet.signed_under("services", 1).spki, fleet.current("web")
    edit(fleet, "root", generation=2)
    plan = fleet.plan()
    assert issues(plan) == {
        "authority/root": Reason.NOT_FOUND,
        SERVICES: Reason.ISSUER_CHANGED,
        WEB: Reason.CHAIN_CHANGED,
    }
    (moved,) = named(plan, Action.ISSUE, SERVICES).fields
    assert moved.before == ["root generation 1"]
    assert moved.after == ["root generation 2"]
    (raised,) = named(plan, Action.ISSUE, "authority/root").fields
    assert (raised.path, raised.before, raised.after) == ("generation", 1, 2)
    fleet.converge()
    assert fleet.signed_under("services", 1).spki == key
    assert fleet.signed_under("root", 2).spki != fleet.signed_under("root", 1).spki
    assert line(fleet, fleet.current("web")) == [("services", 1), ("root", 2)]
    assert line(fleet, web) == [("services", 1), ("root", 1)], "what was signed stays as it was"
    assert chain(fleet, "web") == (["Example services G1 by Example root G2"], ["Example root G2"])


def test_what_hangs_deeper_is_signed_again_below_its_parent() -> None:
    cas = {"root": Ca(), "mid": Ca("root", days=2000), "low": Ca("mid", days=1000)}
    fleet = Fleet(cas=cas, leaves={"web": Leaf("low")}).converge()
    edit(fleet, "root", generation=2)
    assert issues(fleet.plan()) == {
        "authority/root": Reason.NOT_FOUND,
        "authority/mid": Reason.ISSUER_CHANGED,
        "authority/low": Reason.CHAIN_CHANGED,
        WEB: Reason.CHAIN_CHANGED,
    }
    fleet.converge()
    assert line(fleet, fleet.current("web")) == [("low", 1), ("mid", 1), ("root", 2)]


def test_a_ca_moves_below_another_parent_with_its_key(fleet: Fleet) -> None:
    fleet.cas["other"] = Ca(days=3650)
    key = fleet.signed_under("services", 1).spki
    edit(fleet, "services", parent="other")
    assert issues(fleet.plan())[SERVICES] is Reason.ISSUER_CHANGED
    fleet.converge()
    assert fleet.signed_under("services", 1).spki == key
    assert line(fleet, fleet.current("web")) == [("services", 1), ("other", 1)]


def test_what_else_differs_is_never_changed_in_place_and_stops_no_renewal(short: Fleet) -> None:
    edit(short, "services", parent="other", permits=("example.com",))
    short.cas["other"] = Ca(days=3650)
    assert blocks(short.plan())[SERVICES][0] is Reason.SPEC_CHANGED
    short.wait(300 - 29)
    plan = short.plan()
    assert blocks(plan)[SERVICES][0] is Reason.SPEC_CHANGED
    assert issues(plan)[SERVICES] is Reason.RENEWING
    short.apply()
    assert line(short, short.signed_under("services", 1)) == [("root", 1)]


def test_a_root_gets_no_parent(fleet: Fleet) -> None:
    fleet.cas["above"] = Ca(days=4000)
    edit(fleet, "root", parent="above")
    assert blocks(fleet.plan())["authority/root"][0] is Reason.SPEC_CHANGED


def test_a_revocation_moves_a_ca_on_and_says_so(fleet: Fleet) -> None:
    fleet.compromise("services", reason=RevocationReason.SUPERSEDED)
    step = named(fleet.plan(), Action.ISSUE, SERVICES)
    assert step.message == "revocation/services-g1 (superseded) gives up generation 1"
    assert [(f.before, f.after) for f in step.fields] == [(1, 2)]
    fleet.compromise("services")
    assert issues(fleet.plan()) == {SERVICES: Reason.COMPROMISED, WEB: Reason.COMPROMISED}
    fleet.apply()
    assert line(fleet, fleet.current("web")) == [("services", 2), ("root", 1)]


def test_a_generation_that_waits_stops_no_renewal(fleet: Fleet) -> None:
    words = "generation 2 takes the place of 1: waits for the ceremony: certform ceremony export"
    waits = (Reason.CEREMONY, words)
    edit(fleet, "root", generation=2, custody=Kept.OFFLINE)
    assert issues(fleet.plan()) == {}
    assert blocks(fleet.plan()) == {"authority/root": waits}
    edit(fleet, "services", generation=2, custody=Kept.OFFLINE)
    assert issues(fleet.plan()) == {}
    assert blocks(fleet.plan()) == {"authority/root": waits, SERVICES: waits}
    fleet.wait(25)
    step = named(fleet.plan(), Action.ISSUE, WEB)
    assert (step.reason, step.due) == (Reason.RENEWING, True)
    assert fleet.apply()
    assert line(fleet, fleet.current("web")) == [("services", 1), ("root", 1)]


def test_nor_does_one_that_nobody_has_reviewed(fleet: Fleet) -> None:
    edit(fleet, "services", generation=2)
    edit(fleet, "root", generation=2, crossed=True)
    fleet.wait(25)
    fleet.pinned = True
    assert issues(fleet.plan(NIGHT)) == {WEB: Reason.RENEWING}
    fleet.apply(NIGHT)
    assert line(fleet, fleet.current("web")) == [("services", 1), ("root", 1)]


def test_but_what_is_given_up_signs_nothing_any_more(fleet: Fleet) -> None:
    edit(fleet, "services", custody=Kept.OFFLINE)
    fleet.compromise("services").wait(25)
    plan = fleet.plan()
    assert issues(plan) == {}
    assert blocks(plan)[WEB][0] is Reason.BLOCKED_BY


def test_a_retired_ca_is_left_as_it_is(fleet: Fleet) -> None:
    fleet.leaves.clear()
    edit(fleet, "services", retired=True, standby=True, renew_before=1800).converge()
    edit(fleet, "root", generation=2)
    fleet.wait(1000)
    assert {a for a in issues(fleet.plan()) if "services" in a} == set()


def test_what_is_only_trusted_needs_nothing_and_signs_nothing(fleet: Fleet) -> None:
    fleet.cas["theirs"] = Ca(custody=Kept.NONE)
    fleet.cas["below"] = Ca("theirs")
    plan = fleet.plan()
    assert issues(plan) == {}
    assert blocks(plan) == {
        "authority/below": (
            Reason.BLOCKED_BY,
            "authority/theirs cannot sign: see what blocks it",
        )
    }


def test_nobody_is_renewed_all_the_time_for_a_ca_that_lives_as_long_as_its_root() -> None:
    tree = {"root": Ca(days=365), "services": Ca("root", days=365)}
    fleet = Fleet(cas=tree, publish=False).converge()
    assert shown(fleet.wait(210).plan()) == []
    assert issues(fleet.wait(60).plan()) == {"authority/root": Reason.RENEWING}
    fleet.converge()
    assert shown(fleet.wait(90).plan()) == []


def test_a_leaf_that_ends_with_its_ca_is_not_renewed_each_night() -> None:
    fleet = Fleet(cas={"root": Ca(days=60)}, leaves={"web": Leaf()}, publish=False).converge()
    edit(fleet, "root", retired=True)
    fleet.wait(22).converge().wait(22).converge()
    assert fleet.current("web").not_after == fleet.signed_under("root", 1).not_after
    assert shown(fleet.wait(13).plan()) == []
    edit(fleet, "root", retired=False)
    assert issues(fleet.plan()) == {"authority/root": Reason.RENEWING, WEB: Reason.RENEWING}
