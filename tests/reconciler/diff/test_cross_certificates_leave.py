"""A cross-certificate that is to be revoked leaves every chain in the same plan, and goes last."""

from dataclasses import replace

import pytest
from ca_life import chain, edit, issues, order_of
from fleet import Fleet
from fleet_documents import Ca, Leaf, at
from fleet_sights import named, shown

from reconciler.ledger.records import Issuance, Status
from schemas.certificate import Custody
from schemas.plan import Action, Change, Reason
from schemas.revocation import RevocationReason

WEB = "certificate/web"


def crossed(fleet: Fleet) -> Issuance:
    """The cross-certificate of the root's second generation."""
    found = fleet.journal.state.authorities["root"].crossing(2)
    assert found is not None
    return found


@pytest.fixture(params=[Custody.UNTIL_INSTALLED, Custody.LEDGER])
def fleet(request: pytest.FixtureRequest) -> Fleet:
    cas = {"root": Ca(days=3650), "services": Ca("root", days=1825)}
    leaves = {"web": Leaf("services", targets=at("a", "b"), custody=request.param)}
    fleet = Fleet(cas=cas, leaves=leaves).converge()
    edit(fleet, "root", generation=2, crossed=True).converge().wait(1)
    assert len(chain(fleet, "web")[1]) == 2
    return fleet


def revoking(fleet: Fleet) -> Change:
    """What becomes of the cross-certificate in a plan."""
    address = f"authority/root#{crossed(fleet).serial}"
    (found,) = (c for c in fleet.plan().changes if c.address == address)
    return found


def test_one_plan_takes_it_out_of_the_chains_and_then_revokes_it(fleet: Fleet) -> None:
    keyless = fleet.leaves["web"].custody is Custody.UNTIL_INSTALLED
    fleet.compromise("root", 1)
    plan, before = fleet.plan(), fleet.current("web").serial
    assert issues(plan) == ({WEB: Reason.COMPROMISED} if keyless else {})
    first = order_of(plan, revoking(fleet).id)
    assert {f"install:{WEB}@a", f"install:{WEB}@b"} <= first
    assert not named(plan, Action.INSTALL, f"{WEB}@a").due, "somebody has to look at it"
    fleet.converge()
    assert chain(fleet, "web")[1] == ["Example root G2"]
    assert (fleet.current("web").serial != before) is keyless
    assert crossed(fleet).status is Status.REVOKED
    revoked = crossed(fleet).revoked
    assert revoked is not None
    assert revoked.reason is RevocationReason.SUPERSEDED
    assert crossed(fleet).serial in fleet.published()["root-g1.crl"].revoked


def test_so_it_is_where_only_its_serial_is_named(fleet: Fleet) -> None:
    fleet.revoke("cross", serials=(crossed(fleet).serial,))
    assert f"install:{WEB}@a" in order_of(fleet.plan(), revoking(fleet).id)
    fleet.converge()
    assert crossed(fleet).status is Status.REVOKED
    assert chain(fleet, "web")[1] == ["Example root G2"]


def test_it_is_not_revoked_while_a_place_may_serve_it(fleet: Fleet) -> None:
    fleet.away.add("b")
    fleet.compromise("root", 1)
    step = revoking(fleet)
    assert (step.action, step.message) == (
        Action.BLOCKED,
        "b may still serve it and could not be looked at",
    )
    fleet.apply()
    assert crossed(fleet).status is Status.ISSUED
    fleet.away.clear()
    fleet.converge()
    assert crossed(fleet).status is Status.REVOKED


def test_at_once_it_is_and_whom_that_takes_down_is_said(fleet: Fleet) -> None:
    fleet.away.add("b")
    fleet.compromise("root", 1, immediate=True)
    step = revoking(fleet)
    assert (step.after or {})["outage"] == [f"{WEB}@b"]
    fleet.apply()
    assert crossed(fleet).status is Status.REVOKED
    fleet.away.clear()
    fleet.converge()


def test_a_failed_install_leaves_it_for_the_next_run(fleet: Fleet) -> None:
    fleet.compromise("root", 1, reason=RevocationReason.CA_COMPROMISE)
    fleet.store("b").reachable = False
    fleet.apply()
    assert crossed(fleet).status is Status.ISSUED
    fleet.store("b").reachable = True
    fleet.converge()
    assert crossed(fleet).status is Status.REVOKED


def test_where_nobody_is_told_of_the_chain_nothing_waits_for_it(fleet: Fleet) -> None:
    for target in ("a", "b"):
        objects = fleet.store(target).objects
        held = objects["web"]
        objects["web"] = replace(held, installed=replace(held.installed, trust=None))
    fleet.compromise("root", 1)
    assert revoking(fleet).action is Action.REVOKE
    assert not [each for each in shown(fleet.plan()) if each[1].startswith(WEB)]
