"""Keys that are made in their target: no copy anywhere, and every crash resumed or told."""

from contextlib import suppress
from dataclasses import replace
from datetime import timedelta

import pytest
from fleet import Fleet
from fleet_documents import START, Leaf, at
from fleet_sights import reasons
from memory_ledger import Crash

from providers import x509
from providers.abilities import KeyRequest
from providers.base import Installed
from providers.errors import Transient
from providers.memory import MemoryTarget
from providers.secret import Secret
from providers.x509.signing_request import requested_key
from reconciler.events import Event, EventStatus
from reconciler.ledger.records import Status
from schemas.certificate import Algorithm, Custody
from schemas.plan import Action, Reason
from schemas.request import KeyType

WEB = "certificate/web"
P256 = KeyType(algorithm=Algorithm.ECDSA, size=256)


@pytest.fixture
def fleet() -> Fleet:
    return Fleet(leaves={"web": Leaf(custody=Custody.TARGET)})


def told(events: list[Event], action: Action) -> Event:
    (found,) = [
        event for event in events if event.action is action and "certificate" in event.address
    ]
    return found


def test_the_ledger_never_holds_the_key(fleet: Fleet, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: KeyType) -> Secret:
        raise AssertionError("a key was made outside the target")

    monkeypatch.setattr("reconciler.apply.leaf_reservations.new_key", refuse)
    fleet.converge()
    assert fleet.kept_keys() == {}
    assert fleet.current("web").bundle is None
    held = fleet.store("a").objects["web"]
    assert held.bundle is not None
    assert held.bundle.private_key is None
    assert fleet.current("web").custody is Custody.TARGET
    assert fleet.store("a").keys == {}


def test_each_renewal_has_a_key_of_its_own_in_the_same_object(fleet: Fleet) -> None:
    before, key = fleet.converge().installed("a", "web"), fleet.current("web").spki
    fleet.wait(25).converge()
    after = fleet.installed("a", "web")
    assert (after.id, after.serial) == (before.id, fleet.current("web").serial)
    assert fleet.current("web").spki != key


def test_what_the_target_cannot_be_asked_for_is_told_before_anything_is_issued(
    fleet: Fleet,
) -> None:
    fleet.store("a").reachable = False
    assert reasons(fleet.plan(), WEB) == {Action.BLOCKED: Reason.BLOCKED_BY}
    fleet.store("a").reachable = True
    fleet.foreign("a", "web")
    (blocked,) = [c for c in fleet.plan().changes if c.address == WEB]
    assert "its key is made in a, where memory:a/web is not certform's" in blocked.message
    assert fleet.store("a").calls["make_key"] == 0


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("at_wave", range(1, 8))
@pytest.mark.parametrize("renewed", [False, True])
def test_a_crash_at_any_wave_is_resumed_with_the_same_key(
    fleet: Fleet, at_wave: int, *, after: bool, renewed: bool
) -> None:
    if renewed:
        fleet.converge().wait(25)
    fleet.journal.crash_at, fleet.journal.crash_after = at_wave, after
    with suppress(Crash):
        fleet.apply()
    fleet.journal.crash_at = None
    fleet.store("a").staged.clear()
    waiting = fleet.store("a").keys.get("web")
    fleet.converge()
    if waiting is not None:
        assert requested(fleet) == x509.spki(waiting.public_key())
    assert fleet.installed("a", "web").sha256 == fleet.current("web").sha256
    abandoned = [
        i for i in fleet.journal.state.certificates["web"].issuances if i.status is Status.ABANDONED
    ]
    assert abandoned == []


def requested(fleet: Fleet) -> bytes:
    certificate = fleet.current("web").certificate
    assert certificate is not None
    return x509.facts(certificate.encode()).spki


def crashed(fleet: Fleet, wave: int) -> Fleet:
    """Let a run die after one of the ledger's waves: 1 reserves the certificate, 2 records it."""
    fleet.journal.crash_at, fleet.journal.crash_after = wave, True
    with suppress(Crash):
        fleet.apply()
    fleet.journal.crash_at = None
    return fleet


@pytest.fixture
def begun() -> Fleet:
    """A repository whose CA and other certificate are there, so that the first waves are those of `web`."""
    fleet = Fleet(leaves={"other": Leaf(targets=at("b"))}).converge()
    fleet.leaves["web"] = Leaf(custody=Custody.TARGET)
    return fleet


def test_a_key_that_was_made_right_before_a_crash_is_the_one_that_is_used(begun: Fleet) -> None:
    class Dying(MemoryTarget):
        def make_key(self, request: KeyRequest, /) -> bytes:
            super().make_key(request)
            raise Crash

    begun.kinds["a"] = Dying
    with suppress(Crash):
        begun.apply()
    assert "web" not in begun.journal.state.certificates
    made = x509.spki(begun.store("a").keys["web"].public_key())
    begun.kinds.clear()
    assert requested(begun.converge()) == made


def test_a_reservation_whose_key_is_gone_makes_way_for_another(begun: Fleet) -> None:
    fleet = crashed(begun, 1)
    (pending,) = fleet.journal.state.certificates["web"].issuances
    assert pending.status is Status.RESERVED
    del fleet.store("a").keys["web"]
    fleet.converge()
    statuses = [i.status for i in fleet.journal.state.certificates["web"].issuances]
    assert statuses == [Status.ABANDONED, Status.ISSUED]


def test_what_is_issued_and_not_installed_is_installed_with_the_key_that_waits(
    begun: Fleet,
) -> None:
    fleet = crashed(begun, 2)
    serial = fleet.current("web").serial
    assert reasons(fleet.plan(), f"{WEB}@a") == {Action.INSTALL: Reason.NOT_FOUND}
    fleet.converge()
    assert fleet.installed("a", "web").serial == serial


def test_a_key_that_went_meanwhile_is_told_with_the_way_out(begun: Fleet) -> None:
    fleet = crashed(begun, 2)
    serial = fleet.current("web").serial
    del fleet.store("a").keys["web"]
    event = told(fleet.apply(), Action.INSTALL)
    assert event.status is EventStatus.FAILED
    assert event.message.endswith(
        "if its key is gone there: certform apply --replace certificate/web"
    )
    fleet.replace = frozenset({WEB})
    assert reasons(fleet.plan(), WEB) == {Action.ISSUE: Reason.REQUESTED}
    fleet.apply()
    fleet.replace = frozenset()
    fleet.converge()
    assert fleet.installed("a", "web").serial not in (None, serial)


def test_an_object_that_was_lost_means_a_new_certificate(fleet: Fleet) -> None:
    del fleet.converge().store("a").objects["web"]
    issue = next(c for c in fleet.plan().changes if c.address == WEB)
    assert issue.reason is Reason.KEY_UNAVAILABLE
    assert issue.message == "a: nothing is installed there, and the key was made there and is gone"
    fleet.converge()


def test_moved_to_another_target_it_is_a_new_certificate(fleet: Fleet) -> None:
    fleet.converge().edit("web", targets=at("b"))
    assert reasons(fleet.plan(), WEB) == {Action.ISSUE: Reason.KEY_UNAVAILABLE}
    fleet.converge()
    assert "web" not in fleet.store("a").objects


def test_moved_before_it_was_ever_installed_it_is_a_new_certificate(begun: Fleet) -> None:
    fleet = crashed(begun, 2).edit("web", targets=at("b"))
    assert reasons(fleet.plan(), WEB) == {Action.ISSUE: Reason.KEY_UNAVAILABLE}
    fleet.converge()


@pytest.mark.parametrize("custody", [Custody.LEDGER, Custody.UNTIL_INSTALLED])
def test_custody_may_change_with_a_reservation_open(begun: Fleet, custody: Custody) -> None:
    crashed(begun, 1).edit("web", custody=custody).converge()
    begun.edit("web", custody=Custody.TARGET, days=31).converge()
    assert begun.current("web").custody is Custody.TARGET
    assert begun.kept_keys() == {}


def test_an_install_that_proves_wrong_is_tried_again_with_the_same_key(fleet: Fleet) -> None:
    fleet.converge().wait(25).store("a").fail("verify:web", Transient("not served"))
    assert told(fleet.apply(), Action.INSTALL).status is EventStatus.FAILED
    serial = fleet.current("web").serial
    fleet.converge()
    assert fleet.installed("a", "web").serial == serial


@pytest.mark.parametrize(
    ("answer", "words"),
    [(b"not a request", "is no good"), (None, "made a key of type ECDSA 256, not Ed25519")],
)
def test_an_answer_that_does_not_prove_itself_is_not_signed(
    fleet: Fleet, answer: bytes | None, words: str
) -> None:
    class Lying(MemoryTarget):
        def make_key(self, request: KeyRequest, /) -> bytes:
            wanted = request.request.model_copy(update={"key": P256})
            return answer or super().make_key(replace(request, request=wanted))

    fleet.kinds["a"] = Lying
    event = told(fleet.apply(), Action.ISSUE)
    assert words in event.message
    assert fleet.journal.state.certificates["web"].issuances == ()


def test_a_request_that_another_key_signed_is_refused(fleet: Fleet) -> None:
    target = fleet.reach()["a"]
    assert isinstance(target, MemoryTarget)
    wanted = fleet.desired().certificates["web"].request
    der = target.make_key(KeyRequest("web", wanted, {}))
    assert requested_key(der)[0] == wanted.key
    with pytest.raises(ValueError, match="not signed by its own key"):
        requested_key(der[:-1] + bytes([der[-1] ^ 1]))


def test_what_is_adopted_gets_its_key_made_in_place_once_it_is_due(begun: Fleet) -> None:
    found = Installed("x", "x", {}, "abc123", "00" * 32, START + timedelta(days=5))
    begun.store("a").put_foreign(found)
    begun.edit("web", adopt={"a": ("x",)}).converge()
    assert begun.installed("a", "web").id == "x"
    assert begun.installed("a", "web").serial == begun.current("web").serial
    assert begun.kept_keys() == {}


def test_one_key_is_in_one_place(fleet: Fleet) -> None:
    fleet.edit("web", targets=at("a", "b"))
    assert "in one place only" in told(fleet.apply(), Action.ISSUE).message
