"""What leaves the ledger, and when: nothing before it has expired and no CRL can name it any more."""

import pytest
from fleet import Fleet
from fleet_documents import Leaf, at
from fleet_sights import shown

from reconciler.ledger.records import Status
from reconciler.selection import Selection
from schemas.certificate import OnRemove


@pytest.fixture
def fleet() -> Fleet:
    leaves = {"web": Leaf(days=300, renew_before=100), "api": Leaf(on_remove=OnRemove.REVOKE)}
    return Fleet(leaves=leaves).converge()


def known(fleet: Fleet) -> set[str]:
    return set(fleet.journal.state.certificates)


def touch(fleet: Fleet, label: str) -> Fleet:
    """Let an apply write something that has nothing to do with it."""
    return fleet.edit("web", names=(f"{label}.example.com",)).converge()


def test_a_record_stays_until_all_of_it_has_expired(fleet: Fleet) -> None:
    fleet.edit("api", on_remove=OnRemove.REMOVE, names=("n.example.com",)).converge()
    del fleet.leaves["api"]
    touch(fleet.converge().wait(29), "a")
    assert known(fleet) == {"web", "api"}
    touch(fleet.wait(2), "b")
    assert known(fleet) == {"web"}


def test_nothing_is_written_only_to_drop_a_record(fleet: Fleet) -> None:
    fleet.publish = False
    fleet.edit("api", on_remove=OnRemove.REMOVE, names=("n.example.com",)).converge()
    del fleet.leaves["api"]
    fleet.converge().wait(60)
    tip = fleet.journal.state.tip
    assert shown(fleet.plan()) == []
    fleet.converge()
    assert fleet.journal.state.tip == tip
    assert "api" in known(fleet)


def test_what_was_revoked_stays_until_a_crl_leaves_it_out(fleet: Fleet) -> None:
    serial = fleet.current("api").serial
    del fleet.leaves["api"]
    fleet.converge().wait(29)
    touch(fleet, "a").wait(2)
    fleet.publisher.reachable = False
    fleet.edit("web", names=("b.example.com",)).apply()
    assert "api" in known(fleet), "its CRL still lists it"
    fleet.publisher.reachable = True

    def listed() -> bool:
        return serial in (fleet.world().observed.published or {})["root-g1.crl"].revoked

    assert listed()
    touch(fleet.wait(7), "c")
    assert listed(), "one CRL that was signed after its end still tells of it"
    touch(fleet.wait(7), "d")
    assert not listed()
    assert "api" in known(fleet)
    touch(fleet, "e")
    assert known(fleet) == {"web"}


def test_a_revoked_predecessor_goes_only_with_its_crl_entry(fleet: Fleet) -> None:
    old = fleet.current("web").serial
    fleet.wait(0.1).revoke("inc", "web").converge()
    fleet.revocations.clear()
    fleet.publisher.reachable = False
    fleet.wait(301).apply()
    statuses = {i.serial: i.status for i in fleet.journal.state.certificates["web"].issuances}
    assert statuses[old] is Status.REVOKED


def test_what_is_about_to_be_renamed_is_kept(fleet: Fleet) -> None:
    fleet.leaves["idle"] = Leaf(targets=(), days=20, renew_before=5)
    fleet.converge().wait(25).rename("idle", "fresh").edit("web", names=("n.example.com",))
    fleet.apply(Selection(addresses=("certificate/web",)))
    assert "idle" in known(fleet)
    fleet.converge()
    assert known(fleet) == {"web", "api", "fresh"}


@pytest.fixture
def late() -> Fleet:
    """A target that was away for longer than a certificate lives, and is back."""
    fleet = Fleet(leaves={"web": Leaf(targets=at("a", "b"))}).converge()
    fleet.away.add("b")
    for _ in range(3):
        fleet.wait(22).apply()
    fleet.away.clear()
    return fleet


def test_what_a_target_may_still_hold_is_known_until_it_was_replaced_there(late: Fleet) -> None:
    old = late.installed("b", "web").serial
    (step,) = late.plan().changes
    assert (step.id, step.reason, step.due) == ("install:certificate/web@b", "Superseded", True)
    late.converge().wait(22).converge()
    assert old not in {i.serial for i in late.journal.state.certificates["web"].issuances}


def test_what_a_target_still_holds_is_removed_when_nobody_wants_it_any_more(late: Fleet) -> None:
    del late.leaves["web"]
    late.converge()
    assert not late.store("b").objects
