"""A new root that the old one vouches for, and a generation that is kept ready."""

import pytest
from ca_life import chain, edit, issues, order_of
from fleet import Fleet
from fleet_documents import Ca, Leaf, at
from fleet_sights import named
from trusting import Trust

from schemas.certificate import Custody
from schemas.plan import Action, Reason
from schemas.revocation import RevocationReason

WEB = "certificate/web"


@pytest.fixture
def fleet() -> Fleet:
    cas = {"root": Ca(days=3650), "services": Ca("root", days=1825)}
    return Fleet(cas=cas, leaves={"web": Leaf("services")}).converge()


@pytest.fixture
def short() -> Fleet:
    cas = {"root": Ca(days=3650), "services": Ca("root", days=300)}
    return Fleet(cas=cas, leaves={"web": Leaf("services")}).converge()


def test_a_new_root_is_vouched_for_by_the_old_one(fleet: Fleet) -> None:
    edit(fleet, "root", generation=2, crossed=True)
    assert issues(fleet.plan())["cross/root-g2"] is Reason.CROSS_SIGNED
    fleet.converge()
    record = fleet.journal.state.authorities["root"]
    cross, own = record.crossed(2), record.issued(2)
    assert cross is not None
    assert own is not None
    assert (cross.spki, cross.signer) == (own.spki, fleet.signed_under("root", 1).serial)
    assert cross.not_after <= min(own.not_after, fleet.signed_under("root", 1).not_after)
    assert chain(fleet, "web") == (
        ["Example services G1 by Example root G2", "Example root G2 by Example root G1"],
        ["Example root G2", "Example root G1"],
    )
    assert (cross.urls.crl or "").endswith("root-g1.crl")


@pytest.mark.parametrize("custody", [Custody.LEDGER, Custody.UNTIL_INSTALLED])
def test_so_it_is_when_that_is_asked_for_later(fleet: Fleet, custody: Custody) -> None:
    fleet.edit("web", custody=custody).converge()
    edit(fleet, "root", generation=2).converge()
    web = fleet.current("web")
    edit(fleet, "root", crossed=True)
    step = named(fleet.plan(), Action.INSTALL, f"{WEB}@a")
    assert any("cross/root-g2" in id_ for id_ in order_of(fleet.plan(), step.id))
    fleet.converge()
    assert chain(fleet, "web")[1] == ["Example root G2", "Example root G1"]
    assert (fleet.current("web") == web) is (custody is Custody.LEDGER)


def test_another_cross_certificate_changes_no_chain(fleet: Fleet) -> None:
    edit(fleet, "root", generation=2, crossed=True).converge()
    cross, web = fleet.journal.state.authorities["root"].crossed(2), chain(fleet, "web")
    assert cross is not None
    edit(fleet, "root", renew_before=3200)
    fleet.wait(19).converge()
    fleet.wait(3650 * 0.9 - 19)
    fleet.apply()
    assert "cross/root-g2" not in issues(fleet.plan()), "it would last no longer"
    assert chain(fleet, "web")[0][:1] == web[0][:1]


@pytest.mark.parametrize("reason", [RevocationReason.KEY_COMPROMISE, RevocationReason.SUPERSEDED])
def test_what_is_given_up_vouches_for_nothing(fleet: Fleet, reason: RevocationReason) -> None:
    edit(fleet, "root", crossed=True)
    fleet.compromise("root", reason=reason)
    assert "cross/root-g2" not in issues(fleet.plan())


def test_a_chain_has_no_cross_certificate_that_ends_before_the_leaf(fleet: Fleet) -> None:
    fleet.wait(3650 - 25)
    edit(fleet, "root", generation=2, crossed=True)
    edit(fleet, "services", generation=2)
    fleet.apply()
    assert chain(fleet, "web")[1] == ["Example root G2"]


def test_a_generation_is_kept_ready_and_used_when_it_is_raised_to(fleet: Fleet) -> None:
    edit(fleet, "services", standby=True)
    assert issues(fleet.plan()) == {"standby/services-g2": Reason.STANDBY}
    fleet.converge()
    kept = fleet.signed_under("services", 2)
    edit(fleet, "services", standby=False, generation=2)
    assert issues(fleet.plan()) == {WEB: Reason.ISSUER_CHANGED}
    fleet.converge()
    assert fleet.current("web").signer == kept.serial


def test_so_it_is_when_a_revocation_moves_on_to_it(fleet: Fleet) -> None:
    edit(fleet, "services", standby=True)
    fleet.converge()
    fleet.compromise("services")
    assert issues(fleet.plan()) == {WEB: Reason.COMPROMISED, "standby/services-g3": Reason.STANDBY}


def test_what_is_kept_ready_is_renewed_and_moves_like_the_rest(short: Fleet) -> None:
    edit(short, "services", standby=True)
    short.converge()
    key = short.signed_under("services", 2).spki
    edit(short, "root", generation=2)
    assert issues(short.plan())["standby/services-g2"] is Reason.ISSUER_CHANGED
    short.converge()
    short.wait(300 - 29)
    assert issues(short.plan())["standby/services-g2"] is Reason.RENEWING
    short.converge()
    assert short.signed_under("services", 2).spki == key


def test_a_generation_that_never_was_or_is_given_up_is_passed_over() -> None:
    tree = {"root": Ca(crossed=True), "services": Ca("root", days=1000)}
    fleet = Fleet(cas=tree, leaves={"web": Leaf("services")}).converge()
    edit(fleet, "root", generation=3).converge()
    assert chain(fleet, "web")[0][-1] == "Example root G3 by Example root G1"
    fleet.compromise("root", 3).converge()
    assert chain(fleet, "web")[0][-1] == "Example root G4 by Example root G1"


def test_it_is_signed_by_what_others_know_also_where_a_rotation_overtakes_another() -> None:
    tree = {"root": Ca(crossed=True), "services": Ca("root", days=1000)}
    bundles = {"corp": Trust(targets=at("a", "b"))}
    fleet = Fleet(cas=tree, leaves={"web": Leaf("services")}, bundles=bundles).converge()
    fleet.away = {"b"}
    edit(fleet, "root", generation=2).apply()
    edit(fleet, "root", generation=3).apply()
    fleet.away.clear()
    fleet.converge()
    assert chain(fleet, "web")[0][-1] == "Example root G3 by Example root G1"
