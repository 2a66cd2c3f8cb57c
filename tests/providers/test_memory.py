"""The in-memory target fails when it is told to, once for each time."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from installing import Wanted

from providers.abilities import Staged
from providers.base import Installed, TargetConfig
from providers.conformance import OURS, request, sound
from providers.errors import Rejected, Throttled, Transient, Unreachable
from providers.memory import MemoryTarget
from providers.memory_store import MemoryStore
from providers.specimens import Specimens
from schemas.target import LocalDirectory, TargetSpec


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()


@pytest.fixture
def target(store: MemoryStore, tmp_path: Path) -> MemoryTarget:
    spec = TargetSpec(local_directory=LocalDirectory(path="tls"))
    return MemoryTarget(TargetConfig("memory", spec, OURS, tmp_path), store)


@pytest.fixture
def wanted() -> Wanted:
    now = datetime.now(UTC)
    specimens = Specimens.make(now)
    return lambda name="web", predecessor=None: request(
        name, specimens.bundle("www.example.com", now), predecessor
    )


@pytest.mark.parametrize("call", ["install", "stage", "switch"])
def test_a_failed_call_leaves_nothing_and_the_next_one_succeeds(
    target: MemoryTarget, store: MemoryStore, wanted: Wanted, call: str
) -> None:
    store.fail(call, Transient("once"))
    with pytest.raises(Transient):
        target.install(wanted())
    assert target.observe() == ()
    assert target.install(wanted()) in target.observe()


@pytest.mark.parametrize("call", ["activate", "verify", "verify:web"])
def test_what_is_refused_is_taken_away_where_nothing_was_before(
    target: MemoryTarget, store: MemoryStore, wanted: Wanted, call: str
) -> None:
    store.fail(call, Transient("once"))
    with pytest.raises(Transient):
        target.install(wanted())
    assert target.observe() == ()
    assert target.install(wanted()) in target.observe()


def test_errors_come_in_order_and_in_their_place(
    target: MemoryTarget, store: MemoryStore, wanted: Wanted
) -> None:
    store.fail("stage:a", Throttled("slow", 2.0), Transient("again"))
    requests = [wanted("a"), wanted("b")]
    assert [type(each).__name__ for each in target.stage(requests)] == ["Throttled", "Staged"]
    assert [type(each).__name__ for each in target.stage(requests)] == ["Transient", "Staged"]
    assert [type(each).__name__ for each in target.stage(requests)] == ["Staged", "Staged"]
    assert store.calls["stage"] == 3


def test_an_unreachable_place_is_unknown_and_what_it_holds_outlives_the_target(
    target: MemoryTarget, store: MemoryStore, wanted: Wanted, tmp_path: Path
) -> None:
    installed = target.install(wanted())
    store.reachable = False
    with pytest.raises(Unreachable):
        target.observe()
    store.reachable = True
    spec = TargetSpec(local_directory=LocalDirectory(path="tls"))
    again = MemoryTarget(TargetConfig("memory", spec, OURS, tmp_path), store)
    assert again.observe() == (installed,)


def test_a_new_object_beside_the_old_one_takes_its_name_and_nothing_else(
    target: MemoryTarget, wanted: Wanted
) -> None:
    old = target.install(wanted())
    request = replace(wanted(predecessor=old), replace=True)
    new = target.install(request)
    assert new.id != old.id
    assert {each.id: each.name for each in target.observe()} == {new.id: "web", old.id: "web~web"}
    assert target.install(request) == new
    target.remove(old)
    assert target.observe() == (new,)


def test_what_is_refused_gives_its_name_back_to_what_stands_beside_it(
    target: MemoryTarget, store: MemoryStore, wanted: Wanted
) -> None:
    old = target.install(wanted())
    store.fail("verify", Transient("once"))
    with pytest.raises(Transient):
        target.install(replace(wanted(predecessor=old), replace=True))
    assert target.observe() == (old,)


def test_what_was_not_activated_is_not_served(target: MemoryTarget, wanted: Wanted) -> None:
    (staged,) = target.stage([wanted()])
    (switched,) = target.switch([sound(staged, Staged)])
    shown = sound(switched, Installed)
    assert isinstance(next(iter(target.verify([shown]))), Rejected)
    target.activate()
    assert list(target.verify([shown])) == [shown]
