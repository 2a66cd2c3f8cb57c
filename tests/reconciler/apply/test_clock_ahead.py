"""After a run whose clock was ahead: what it made is of no use before its time, and is made again."""

import pytest
from fleet import Fleet
from fleet_documents import Ca, Leaf, at
from fleet_sights import shown
from memory_ledger import Crash

from reconciler.ledger.records import Status
from reconciler.reviewing import compare
from schemas.certificate import RotationPolicy
from schemas.plan import Action

DAYS = 200
"""How far the clock was ahead: further than any certificate of these lives."""
WEB = "certificate/web"


@pytest.fixture
def fleet() -> Fleet:
    """Two certificates below an intermediate, the CAs and one of the two made at the right time."""
    cas = {"root": Ca(), "mid": Ca("root")}
    return Fleet(cas=cas, leaves={"web": Leaf("mid", at("a", "b")), "api": Leaf()}).converge()


def back(fleet: Fleet) -> Fleet:
    """Go on at the right time, a little after everything was made."""
    return fleet.wait(1 - DAYS)


def cut_short(fleet: Fleet) -> None:
    """Apply, and end right after the first wave, a reservation."""
    fleet.journal.crash_at, fleet.journal.crash_after = 1, True
    with pytest.raises(Crash):
        fleet.apply()
    fleet.journal.crash_at = None


def test_what_it_issued_is_issued_again_without_a_review(fleet: Fleet) -> None:
    saved = fleet.plan()
    plan = back(fleet.wait(DAYS).converge()).plan()
    assert ("issue", WEB, "NotYetValid") in shown(plan)
    assert compare(saved, plan).unreviewed == ()
    fleet.converge()
    for name in ("web", "api"):
        assert fleet.current(name).not_before < fleet.now < fleet.current(name).not_after


def test_what_it_reserved_is_given_up(fleet: Fleet) -> None:
    fleet.edit("web", rotation=RotationPolicy.NEVER).wait(DAYS)
    cut_short(fleet)
    reserved = fleet.journal.state.certificates["web"].pending
    assert reserved
    back(fleet)
    assert ("issue", WEB, "Resuming") not in shown(fleet.plan())
    fleet.wait(24).converge()
    assert fleet.current("web").not_before < fleet.now
    statuses = {i.serial: i.status for i in fleet.journal.state.certificates["web"].issuances}
    assert statuses[reserved.serial] is Status.ABANDONED


def test_the_key_of_what_it_reserved_is_erased(fleet: Fleet) -> None:
    fleet.wait(DAYS)
    cut_short(fleet)
    assert fleet.kept_keys()
    assert ("forget", "key/web", "Orphaned") in shown(back(fleet).plan())
    assert not fleet.converge().kept_keys()


def test_a_crl_of_a_time_to_come_is_signed_again_and_names_all_that_it_named(fleet: Fleet) -> None:
    serial = fleet.current("web").serial
    fleet.wait(0.1).revoke("inc", "web").converge()
    fleet.revocations.clear()
    fleet.wait(DAYS).converge()
    back(fleet)
    assert ("publish", "crl/mid-g1", "Expiring") in shown(fleet.plan())
    fleet.converge()
    assert fleet.journal.state.crls["mid", 1, None].this_update == fleet.now
    assert serial in fleet.published()["mid-g1.crl"].revoked


def test_a_ca_signs_nothing_before_its_time_and_says_what_helps(fleet: Fleet) -> None:
    fleet.wait(DAYS)
    fleet.cas["mid"] = Ca("root", generation=2)
    fleet.cas["other"] = Ca()
    back(fleet.converge()).apply()
    blocked = {c.address: c.message for c in fleet.plan().changes if c.action is Action.BLOCKED}
    starts = "not valid before 2026-07-19T23:55:00Z: wait, or"
    assert blocked == {
        "authority/mid": f"{starts} set generation: 3",
        "authority/other": f"{starts} set generation: 2",
        WEB: "authority/mid cannot sign: see what blocks it",
    }
    fleet.cas["mid"] = Ca("root", generation=3)
    del fleet.cas["other"]
    fleet.apply()
    assert fleet.current("web").not_before < fleet.now


def test_a_ca_that_it_reserved_is_reserved_again() -> None:
    fleet = Fleet(leaves={"web": Leaf()}).wait(DAYS)
    cut_short(fleet)
    back(fleet).converge()
    (_, root) = fleet.journal.state.authorities["root"].issuances
    assert root.not_before < fleet.now
