"""Apply against the truth: what stands where, what is recorded, and what a failure leaves."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace

import pytest
from fleet import Fleet
from fleet_documents import Ca, Leaf, at
from fleet_sights import shown
from memory_ledger import Crash

from providers.errors import Rejected, Transient
from providers.memory import MemoryTarget
from providers.secret import Secret
from reconciler.apply import apply, session
from reconciler.events import Event, EventStatus
from reconciler.ledger.records import Status
from reconciler.planning import make_plan, pending
from schemas.certificate import Custody, OnRemove, RotationPolicy

WEB = "certificate/web"


@pytest.fixture
def fleet() -> Fleet:
    leaves = {"web": Leaf("mid", at("a", "b")), "api": Leaf("mid", at("a"))}
    return Fleet(cas={"root": Ca(), "mid": Ca("root")}, leaves=leaves).converge()


def ended(events: Iterable[Event]) -> dict[str, Event]:
    return {f"{event.action} {event.address}": event for event in events}


def test_a_thousand_installs_are_one_reload_and_few_waves() -> None:
    leaves = {f"c{n}": Leaf(targets=at("a", "b")) for n in range(1000)}
    fleet = Fleet(leaves=leaves, publish=False).converge()
    assert fleet.store("a").calls["activate"] == fleet.store("b").calls["activate"] == 1
    assert fleet.journal.waves <= 8
    assert fleet.kept_keys() == {}


def test_a_batch_that_takes_long_keeps_the_lock(monkeypatch: pytest.MonkeyPatch) -> None:
    fleet = Fleet(leaves={f"c{n}": Leaf(targets=at("a")) for n in range(20)}, publish=False)
    renewed: list[int] = []
    monkeypatch.setattr(session, "RENEW_AFTER", -1.0)
    monkeypatch.setattr(fleet.journal, "renew", lambda: renewed.append(fleet.journal.waves))
    fleet.apply()
    assert max(renewed.count(waves) for waves in set(renewed)) >= 20


@pytest.mark.parametrize("call", ["stage:web", "switch:web", "verify:web"])
def test_one_certificate_that_fails_stops_no_other_and_gives_way_to_the_old_one(
    fleet: Fleet, call: str
) -> None:
    before = fleet.installed("a", "web")
    fleet.wait(25).store("a").fail(call, Transient("injected"))
    events = ended(fleet.apply())
    assert events[f"install {WEB}@a"].status is EventStatus.FAILED
    assert "injected" in events[f"install {WEB}@a"].message
    assert events[f"install {WEB}@b"].status is EventStatus.DONE
    assert events["install certificate/api@a"].status is EventStatus.DONE
    assert fleet.installed("a", "web") == before
    assert set(fleet.kept_keys().values()) == {"web"}, "the key waits for the second attempt"
    fleet.converge()
    assert fleet.kept_keys() == {}


@pytest.mark.parametrize("call", ["stage", "switch", "activate", "verify"])
def test_a_target_that_fails_as_a_whole_stops_itself_alone(fleet: Fleet, call: str) -> None:
    before = {n: fleet.installed("a", n) for n in ("web", "api")}
    fleet.wait(25).store("a").fail(call, *[Transient("injected")] * 2)
    events = ended(fleet.apply())
    fleet.store("a").failures.clear()
    failed = {key for key, event in events.items() if event.status is EventStatus.FAILED}
    assert failed == {f"install {WEB}@a", "install certificate/api@a"}
    assert {n: fleet.installed("a", n) for n in ("web", "api")} == before
    assert fleet.store("a").served == {n: i.sha256 for n, i in before.items()}
    fleet.converge()


class Choosy(MemoryTarget):
    """A target whose consumer takes nothing while something called `bad` is there."""

    def activate(self) -> None:
        super().activate()
        if "bad" in self.store.objects:
            raise Rejected("what is this?")


def test_one_that_the_consumer_does_not_take_stops_no_other(fleet: Fleet) -> None:
    fleet.leaves |= {name: Leaf(targets=at("a")) for name in ("bad", "good", "new")}
    fleet.wait(25).kinds["a"] = Choosy
    for _ in range(2):
        events = ended(fleet.apply())
        failed = {key for key, event in events.items() if event.status is not EventStatus.DONE}
        assert failed == {"install certificate/bad@a"}
        told = events["install certificate/bad@a"].message
        assert told == "what is this? (it is taken away again: nothing was there before)"
        held = fleet.store("a").objects
        assert set(held) == set(fleet.store("a").served) == {"web", "api", "good", "new"}
        assert all(each.settled for each in held.values())
        assert set(fleet.kept_keys().values()) == {"bad"}, "its key waits for the next attempt"
    del fleet.kinds["a"]
    fleet.converge()
    assert fleet.kept_keys() == {}


def test_what_nothing_preceded_is_taken_away_when_nobody_serves_it() -> None:
    fleet = Fleet(leaves={"web": Leaf(targets=at("a"))}, publish=False)
    fleet.store("a").fail("verify:web", Rejected("no"))
    event = ended(fleet.apply())[f"install {WEB}@a"]
    assert event.message == "no (it is taken away again: nothing was there before)"
    assert fleet.store("a").objects == {}
    fleet.converge()


def test_a_rename_that_nobody_tells_of_takes_nothing_away_before_the_new_one_works() -> None:
    fleet = Fleet(leaves={"web": Leaf(targets=at("a", "b"))}).converge()
    fleet.leaves = {"bad": fleet.leaves["web"]}
    fleet.kinds = dict.fromkeys(("a", "b"), Choosy)
    events = ended(fleet.apply())
    for target in ("a", "b"):
        assert events[f"remove {WEB}@{target}"].status is EventStatus.SKIPPED
        assert list(fleet.store(target).objects) == ["web"]
    fleet.kinds = {}
    fleet.converge()
    assert list(fleet.store("a").objects) == list(fleet.store("b").objects) == ["bad"]


def test_a_crl_is_not_published_for_a_revocation_that_did_not_happen(fleet: Fleet) -> None:
    fleet.wait(0.1).revoke("inc", "web").store("b").fail("verify:web", Transient("no"))
    before = dict(fleet.publisher.files)
    events = ended(fleet.apply())
    assert events["publish crl/mid-g1"].status is EventStatus.SKIPPED
    assert fleet.publisher.files == before
    fleet.converge()


def test_a_crl_that_is_due_anyway_is_published_without_the_revocation(fleet: Fleet) -> None:
    fleet.wait(4).revoke("inc", "web").store("b").fail("verify:web", Transient("no"))
    before = dict(fleet.publisher.files)
    events = ended(fleet.apply())
    assert events["publish crl/mid-g1"].status is EventStatus.DONE
    assert fleet.publisher.files["mid-g1.crl"] != before["mid-g1.crl"]
    assert fleet.published()["mid-g1.crl"].revoked == set()


def test_a_revocation_waits_for_the_replacement_and_others_are_published_meanwhile(
    fleet: Fleet,
) -> None:
    old = {name: fleet.current(name).serial for name in ("web", "api")}
    fleet.wait(0.1).revoke("inc", "web", "api").store("b").fail("verify:web", Transient("no"))
    events = ended(fleet.apply())
    assert events[f"revoke {WEB}#{old['web']}"].status is EventStatus.SKIPPED
    assert events[f"revoke {WEB}#{old['web']}"].message == f"requires {WEB}@b"
    assert events["publish crl/mid-g1"].status is EventStatus.DONE
    assert fleet.published()["mid-g1.crl"].revoked == {old["api"]}
    fleet.converge()
    assert fleet.published()["mid-g1.crl"].revoked == set(old.values())


def test_one_crl_that_cannot_be_read_stops_no_other(fleet: Fleet) -> None:
    fleet.publisher.files["mid-g1.crl"] = b"garbage"
    fleet.wait(100)
    events = ended(fleet.apply())
    assert events["publish crl/mid-g1"].status is EventStatus.FAILED
    assert "move it away" in events["publish crl/mid-g1"].message
    assert events["publish crl/root-g1"].status is EventStatus.DONE


def test_crl_numbers_rise_after_every_loss(fleet: Fleet) -> None:
    numbers = []
    for accident in ("files lost", "ledger lost", "nothing lost"):
        fleet.wait(4)
        if accident == "files lost":
            fleet.publisher.files.clear()
        elif accident == "ledger lost":
            fleet.journal.state = replace(fleet.journal.state, crls={})
        fleet.converge()
        numbers.append(fleet.publisher.numbers["mid-g1.crl"])
    assert numbers == sorted(set(numbers))


def test_a_published_revocation_that_the_ledger_lost_stays_published(fleet: Fleet) -> None:
    old = fleet.current("web").serial
    fleet.wait(0.1).revoke("inc", "web").converge()
    record = fleet.journal.state.certificates["web"]
    kept = tuple(i for i in record.issuances if i.serial != old)
    fleet.journal.rewrite(record.model_copy(update={"issuances": kept}))
    fleet.wait(4).converge()
    assert fleet.published()["mid-g1.crl"].revoked == {old}


@pytest.mark.parametrize("unseen", ["unreachable", "away"])
def test_a_key_waits_for_a_target_that_cannot_be_seen(fleet: Fleet, unseen: str) -> None:
    fleet.wait(25)
    fleet.store("b").reachable = unseen == "away"
    fleet.away |= {"b"} if unseen == "away" else set()
    fleet.apply()
    serial = fleet.current("web").serial
    assert fleet.kept_keys() == {serial: "web"}
    assert pending(fleet.plan().changes) == ()
    fleet.store("b").reachable = True
    fleet.away.clear()
    assert [step.id for step in fleet.plan().changes] == [f"install:{WEB}@b"]
    fleet.converge()
    assert fleet.current("web").serial == fleet.installed("b", "web").serial == serial
    assert fleet.kept_keys() == {}


def test_a_key_that_never_changes_changes_when_it_is_revoked() -> None:
    leaf = Leaf(custody=Custody.LEDGER, rotation=RotationPolicy.NEVER)
    fleet = Fleet(leaves={"web": leaf}).converge()
    first = fleet.current("web").spki
    assert fleet.wait(25).converge().current("web").spki == first
    assert fleet.wait(0.1).revoke("inc", "web").converge().current("web").spki != first


def test_a_revoked_key_is_erased() -> None:
    fleet = Fleet(leaves={"web": Leaf(custody=Custody.LEDGER)}).converge()
    old = fleet.current("web").serial
    fleet.wait(0.1).revoke("inc", "web").converge()
    assert old not in fleet.kept_keys()
    assert set(fleet.kept_keys().values()) == {"web"}


def test_only_the_ca_that_signs_is_opened(fleet: Fleet, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[bytes] = []
    session = fleet.edit("web", names=("n.example.com",)).session()
    unseal = session.sops.decrypt

    def decrypt(ciphertext: bytes) -> Secret:
        opened.append(ciphertext)
        return unseal(ciphertext)

    monkeypatch.setattr(session.sops, "decrypt", decrypt)
    list(apply(session, pending(make_plan(session.world).changes)))
    assert opened == [fleet.journal.authority_keys["mid", 1]]


EDITS: Mapping[str, Callable[[Fleet], object]] = {
    "first": lambda _: None,
    "renewal": lambda f: f.wait(25),
    "edit": lambda f: f.edit("web", names=("n.example.com",)),
    "rename": lambda f: f.rename("web", "shop"),
    "removal": lambda f: f.leaves.clear(),
    "move": lambda f: f.edit("web", targets=at("b")),
    "revocation": lambda f: f.wait(0.1).revoke("inc", "web"),
    "generation": lambda f: f.cas.update(mid=Ca("root", generation=2)),
}


def begun(edit: str) -> Fleet:
    cas = {"root": Ca(), "mid": Ca("root")}
    leaves = {"web": Leaf("mid", at("a", "b")), "api": Leaf("mid", at("a"))}
    fleet = Fleet(cas=cas, leaves=leaves)
    if edit != "first":
        fleet.converge()
    EDITS[edit](fleet)
    return fleet


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("edit", EDITS)
def test_a_crash_at_any_wave_is_made_good_by_the_next_run(edit: str, after: bool) -> None:
    whole = begun(edit)
    start = whole.journal.waves
    whole.converge()
    issued = {s for r in whole.journal.state.certificates.values() for s in (len(r.issuances),)}
    count = whole.journal.waves - start
    assert count > 0
    for wave in range(1, count + 1):
        fleet = begun(edit)
        fleet.journal.crash_at, fleet.journal.crash_after = wave, after
        with pytest.raises(Crash):
            fleet.apply()
        for store in fleet.stores.values():
            store.staged.clear()
        fleet.converge()
        assert fleet.kept_keys() == {}
        counts = {len(r.issuances) for r in fleet.journal.state.certificates.values()}
        assert max(counts) <= max(issued), "more was issued than without the crash"
        known = {i.serial for r in fleet.journal.state.certificates.values() for i in r.issuances}
        assert {held.installed.serial for _, held in fleet.ours()} <= known


def test_a_forgotten_object_is_left_without_our_labels_and_whole(fleet: Fleet) -> None:
    fleet.edit("api", on_remove=OnRemove.FORGET, names=("x.example.com",)).converge()
    before = fleet.installed("a", "api")
    del fleet.leaves["api"]
    fleet.converge()
    assert fleet.installed("a", "api") == replace(before, labels={})
    assert fleet.journal.state.certificates["api"].placements == ()


def test_a_step_that_is_not_done_yet_is_told_as_started_first(fleet: Fleet) -> None:
    events = [(e.address, e.status) for e in fleet.wait(25).stream()]
    for address, status in events:
        if status is EventStatus.DONE:
            assert events.index((address, EventStatus.STARTED)) < events.index((address, status))
    assert shown(fleet.plan()) == []
    assert fleet.current("web").status is Status.ISSUED
