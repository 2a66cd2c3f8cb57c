"""The nightly run: what time has made due is done, whatever else waits."""

from typing import NoReturn

import pytest
from fleet import Fleet
from fleet_documents import Ca, Leaf, at
from fleet_sights import shown
from memory_ledger import Crash

from providers.errors import Rejected, Transient
from reconciler.events import EventStatus
from reconciler.ledger.records import Status
from reconciler.selection import Selection
from schemas.certificate import Rollout
from schemas.request import LeafRequest

NIGHTLY = Selection(due_only=True)


@pytest.fixture
def fleet() -> Fleet:
    cas = {"root": Ca(), "mid": Ca("root")}
    return Fleet(cas=cas, leaves={"web": Leaf("mid", at("a", "b"))}).converge()


def test_an_install_that_failed_is_taken_up_again(fleet: Fleet) -> None:
    fleet.wait(25)
    fleet.store("a").fail("activate", Rejected("no"), Rejected("no"))
    first = {event.address: event.status for event in fleet.apply(NIGHTLY)}
    assert first["certificate/web@a"] is EventStatus.FAILED
    fleet.wait(1).apply(NIGHTLY)
    for target in ("a", "b"):
        assert fleet.installed(target, "web").sha256 == fleet.current("web").sha256


def test_a_target_that_was_away_gets_what_was_issued_meanwhile(fleet: Fleet) -> None:
    fleet.away = {"b"}
    fleet.wait(25).apply(NIGHTLY)
    assert fleet.kept_keys()
    fleet.away = {"a"}
    fleet.wait(1).apply(NIGHTLY)
    assert fleet.installed("b", "web").sha256 == fleet.current("web").sha256
    assert not fleet.kept_keys()


def test_an_open_edit_does_not_stop_a_renewal(fleet: Fleet) -> None:
    before = fleet.current("web")
    fleet.edit("web", names=("www.example.com", "new.example.com")).wait(25)
    fleet.pinned = True
    fleet.apply(NIGHTLY)
    renewed = fleet.current("web")
    assert renewed.serial != before.serial
    assert renewed.request == before.request
    fleet.pinned = False
    assert ("issue", "certificate/web", "SpecChanged") in shown(fleet.plan())


def test_an_edit_that_waits_for_the_renewal_comes_with_it_once_it_was_applied(
    fleet: Fleet,
) -> None:
    names = ("new.example.com", "www.example.com")
    fleet.edit("web", names=names, rollout=Rollout.ON_RENEWAL).pinned = True
    merged = fleet.desired()
    fleet.base = Fleet(cas=fleet.cas, leaves={"web": Leaf("mid", at("a", "b"))}).desired()
    assert ("issue", "certificate/web", "Renewing") in shown(fleet.wait(25).plan(NIGHTLY))
    assert fleet.world().desired.certificates["web"].request.dns_names != names
    fleet.base = merged
    fleet.apply(NIGHTLY)
    request = fleet.current("web").request
    assert isinstance(request, LeafRequest)
    assert request.dns_names == names


def test_an_edit_alone_is_not_made_at_night(fleet: Fleet) -> None:
    fleet.edit("web", names=("new.example.com",)).pinned = True
    assert fleet.apply(NIGHTLY) == []


def test_drift_does_not_stop_a_renewal_either(fleet: Fleet) -> None:
    before = fleet.current("web").serial
    fleet.spoil("a", "web", "cert.pem was changed by hand")
    assert fleet.apply(NIGHTLY) == []
    fleet.wait(25).apply(NIGHTLY)
    assert fleet.current("web").serial != before


def test_a_crl_that_was_signed_and_not_published_is_published(
    fleet: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    fleet.wait(4)

    def refuse(_files: object) -> NoReturn:
        raise Transient("full")

    with monkeypatch.context() as broken:
        broken.setattr(fleet.publisher, "publish", refuse)
        assert {e.status for e in fleet.apply(NIGHTLY)} == {EventStatus.FAILED}
    assert {e.status for e in fleet.apply(NIGHTLY)} == {EventStatus.DONE}
    assert shown(fleet.plan()) == []


def test_what_was_published_as_revoked_stays_revoked_when_the_ledger_was_rolled_back(
    fleet: Fleet,
) -> None:
    old = fleet.current("web")
    fleet.wait(0.1).revoke("leak", "web").converge()
    record = fleet.journal.state.certificates["web"]
    issuances = tuple(
        i.model_copy(update={"status": Status.ISSUED, "revoked": None})
        if i.serial == old.serial
        else i
        for i in record.issuances
    )
    rolled_back = record.model_copy(update={"issuances": issuances})
    fleet.journal.rewrite(rolled_back)
    fleet.revocations.clear()
    fleet.wait(4).apply(NIGHTLY)
    assert fleet.published()["mid-g1.crl"].revoked == {old.serial}


def test_a_strangers_crl_is_neither_believed_nor_replaced(fleet: Fleet) -> None:
    fleet.publisher.files["mid-g1.crl"] = fleet.publisher.files["root-g1.crl"]
    before = fleet.journal.state.crls["mid", 1, None].number
    events = {event.address: event for event in fleet.wait(4).apply(NIGHTLY)}
    assert events["crl/mid-g1"].status is EventStatus.FAILED
    assert "not signed by this CA" in events["crl/mid-g1"].message
    assert events["crl/root-g1"].status is EventStatus.DONE
    assert fleet.journal.state.crls["mid", 1, None].number == before


REPLACED = frozenset({"certificate/web"})


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("wave", [1, 2, 3])
def test_a_replacement_that_was_cut_short_is_finished_not_repeated(
    fleet: Fleet, wave: int, *, after: bool
) -> None:
    old = fleet.current("web").serial
    fleet.replace, fleet.journal.crash_at, fleet.journal.crash_after = REPLACED, wave, after
    with pytest.raises(Crash):
        fleet.apply()
    fleet.journal.crash_at = None
    fleet.apply()
    issued = [i for i in fleet.journal.state.certificates["web"].issuances if i.sha256]
    assert [i.serial for i in issued[:-1]] == [old], "issued once, however often it was asked"
    assert fleet.installed("b", "web").serial == issued[-1].serial


def test_a_replacement_is_made_where_nothing_is_on_its_way(fleet: Fleet) -> None:
    old = fleet.current("web").serial
    fleet.replace, fleet.away = REPLACED, {"b"}
    fleet.apply()
    first = fleet.current("web").serial
    fleet.apply()
    assert len({old, first, fleet.current("web").serial}) == 3
