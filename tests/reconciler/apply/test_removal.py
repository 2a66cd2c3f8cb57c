"""Removing: the consumer is asked first, and what it cannot do without comes back."""

from collections.abc import Iterable, Mapping, Sequence

import pytest
from fleet import Fleet
from fleet_documents import Leaf, at
from fleet_sights import shown

from providers.base import Installed
from providers.errors import ProviderError, Rejected, Transient
from providers.memory import MemoryTarget
from reconciler.apply import Session
from reconciler.events import Event, EventStatus

REMOVE_WEB = "remove certificate/web@a"


@pytest.fixture
def fleet() -> Fleet:
    """Two certificates that no document asks for any more."""
    made = Fleet(leaves={name: Leaf(targets=at("a")) for name in ("web", "api")}).converge()
    made.leaves.clear()
    made.store("a").calls.clear()
    return made


def ended(events: Iterable[Event]) -> Mapping[str, Event]:
    return {f"{event.action} {event.address}": event for event in events}


def test_the_consumer_is_asked_once_and_before_anything_is_deleted(fleet: Fleet) -> None:
    order: list[str] = []

    class Listening(MemoryTarget):
        def activate(self) -> None:
            order.append("activate")
            super().activate()

        def remove(self, installed: Installed, /) -> None:
            order.append("remove")
            super().remove(installed)

    fleet.kinds["a"] = Listening
    fleet.converge()
    assert order == ["activate", "remove", "remove"]
    assert fleet.store("a").objects == {}
    assert fleet.store("a").served == {}


def test_what_the_consumer_cannot_do_without_comes_back_and_is_removed_by_a_later_run(
    fleet: Fleet,
) -> None:
    store = fleet.store("a")
    before = dict(store.objects)
    store.fail("activate", Rejected("nginx names it"))
    event = ended(fleet.apply())[REMOVE_WEB]
    assert event.status is EventStatus.FAILED
    assert event.message == "nginx names it (it is back)"
    assert store.objects == before
    assert store.calls["activate"] == 2
    assert set(store.served) == {"web", "api"}
    assert fleet.journal.state.certificates["web"].placements
    fleet.converge()
    assert store.objects == {}
    assert not fleet.journal.state.certificates["web"].placements


def test_a_consumer_that_is_not_content_with_the_old_state_either_is_told(fleet: Fleet) -> None:
    fleet.store("a").fail("activate", Rejected("no"), Rejected("still no"))
    event = ended(fleet.apply())[REMOVE_WEB]
    assert event.message == "no (it is back); and with it back: still no"


def test_the_lock_is_kept_after_each_slow_activation(
    fleet: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[str] = []

    class Slow(MemoryTarget):
        def activate(self) -> None:
            calls.append("activated")
            super().activate()

    monkeypatch.setattr(Session, "stay_alive", lambda _session: calls.append("alive"))
    fleet.kinds["a"] = Slow
    fleet.store("a").fail("activate", Rejected("no"))
    fleet.apply()
    assert calls == ["alive", "alive", "activated", "alive", "activated", "alive"]


@pytest.mark.parametrize("verb", ["withdraw", "remove"])
def test_one_that_fails_stops_no_other(fleet: Fleet, verb: str) -> None:
    fleet.store("a").fail(f"{verb}:web", Transient("injected"))
    events = ended(fleet.apply())
    assert events[REMOVE_WEB].message == "injected"
    assert events["remove certificate/api@a"].status is EventStatus.DONE
    assert "api" not in fleet.store("a").objects
    fleet.converge()
    assert fleet.store("a").objects == {}


def test_one_that_cannot_be_put_back_is_told_and_taken_up_by_the_next_run(fleet: Fleet) -> None:
    fleet.store("a").fail("activate", Rejected("no"))
    fleet.store("a").fail("reinstate:web", Transient("gone quiet"))
    event = ended(fleet.apply())[REMOVE_WEB]
    assert event.message == "no; and it could not be put back: gone quiet"
    assert ("remove", "certificate/web@a", "Orphaned") in shown(fleet.plan())
    fleet.converge()
    assert fleet.store("a").objects == {}


def test_the_lock_is_kept_while_one_certificate_after_the_other_is_verified(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    kept: list[str] = []

    class Slow(MemoryTarget):
        def verify(self, installed: Sequence[Installed], /) -> Iterable[Installed | ProviderError]:
            for result in super().verify(installed):
                kept.append("verified")
                yield result

    monkeypatch.setattr(Session, "stay_alive", lambda _session: kept.append("alive"))
    leaves = {f"c{n}": Leaf(targets=at("a")) for n in range(3)}
    Fleet(leaves=leaves, kinds={"a": Slow}, publish=False).converge()
    first = kept.index("verified")
    assert kept[first : first + 6] == ["verified", "alive"] * 3


def test_a_verification_that_breaks_off_fails_for_all_that_are_left() -> None:
    class Breaking(MemoryTarget):
        def verify(self, installed: Sequence[Installed], /) -> Iterable[Installed | ProviderError]:
            yield installed[0]
            raise Transient("broke off")

    leaves = {f"c{n}": Leaf(targets=at("a")) for n in range(3)}
    fleet = Fleet(leaves=leaves, kinds={"a": Breaking}, publish=False)
    events = ended(fleet.apply())
    assert events["install certificate/c0@a"].status is EventStatus.DONE
    assert "broke off" in events["install certificate/c1@a"].message
    assert "broke off" in events["install certificate/c2@a"].message


def test_after_a_failed_activation_the_old_is_back_before_anything_that_may_be_slow(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    fleet = Fleet(leaves={"web": Leaf(targets=at("a"))}, publish=False).converge()
    before = fleet.installed("a", "web")
    fleet.wait(25).store("a").fail("activate", Rejected("no"))

    def slow(_session: Session) -> None:
        assert fleet.store("a").calls["activate"] < 2 or fleet.installed("a", "web") == before

    fleet.store("a").calls.clear()
    monkeypatch.setattr(Session, "stay_alive", slow)
    fleet.apply()
    assert fleet.store("a").calls["activate"] == 2
    assert fleet.installed("a", "web") == before
