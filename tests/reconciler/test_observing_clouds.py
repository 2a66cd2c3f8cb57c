"""Remote targets are read side by side, and what a listing does not show yet is looked up."""

import threading
from collections.abc import Mapping, Sequence
from dataclasses import replace

import pytest
from fleet import Fleet
from fleet_documents import Leaf, at
from fleet_sights import shown

from providers.base import Installed, Target
from providers.errors import MissingExtra, Unreachable
from providers.memory import MemoryTarget
from reconciler import observe as observing
from reconciler.observe import make_targets, observe
from reconciler.state import DesiredTarget, Observed
from schemas.clouds import AwsAcm
from schemas.target import TargetSpec

REGIONS = ("eu-west-1", "us-east-1")


@pytest.fixture
def fleet() -> Fleet:
    """One certificate in three targets."""
    return Fleet(leaves={"web": Leaf(targets=at("a", "b"))}).converge()


def read(fleet: Fleet, targets: Mapping[str, Target]) -> Observed:
    """Observe the fleet's targets as if they were two regions."""
    desired = fleet.desired()
    places = TargetSpec(aws_acm=AwsAcm(regions=REGIONS)).places().values()
    distant: dict[str, DesiredTarget] = {
        name: replace(target, spec=spec)
        for (name, target), spec in zip(desired.targets.items(), places, strict=True)
    }
    return observe(replace(desired, targets=distant), fleet.journal.state, targets, None)


def memory(fleet: Fleet, name: str, kind: type[MemoryTarget]) -> MemoryTarget:
    return kind(fleet.config(name), fleet.store(name))


def test_one_slow_cloud_does_not_hold_the_others(fleet: Fleet) -> None:
    other_is_done = threading.Event()

    class Slow(MemoryTarget):
        def observe(self) -> Sequence[Installed]:
            assert other_is_done.wait(30), "the others wait for this one"
            return super().observe()

    class Quick(MemoryTarget):
        def observe(self) -> Sequence[Installed]:
            found = super().observe()
            other_is_done.set()
            return found

    found = read(fleet, {"a": memory(fleet, "a", Slow), "b": memory(fleet, "b", Quick)})
    assert [each.status for each in found.targets.values()] == ["observed", "observed"]
    assert [list(each.installed) for each in found.targets.values()] == [["web"], ["web"]]


def test_one_that_fails_is_unknown_and_the_others_are_not(fleet: Fleet) -> None:
    class Broken(MemoryTarget):
        def observe(self) -> Sequence[Installed]:
            raise Unreachable("page 2 of 3 failed")

    found = read(fleet, {"a": memory(fleet, "a", Broken), "b": memory(fleet, "b", MemoryTarget)})
    assert found.targets["a"].status == "unknown"
    assert found.targets["a"].detail == "page 2 of 3 failed"
    assert found.targets["b"].status == "observed"


@pytest.mark.parametrize("there", [True, False])
def test_what_was_verified_and_is_not_listed_is_looked_up(fleet: Fleet, *, there: bool) -> None:
    asked: list[str] = []

    class Lagging(MemoryTarget):
        def observe(self) -> Sequence[Installed]:
            return ()

        def find(self, id_: str, /) -> Installed | None:
            asked.append(id_)
            return self.store.objects["web"].installed if there else None

    found = read(fleet, {"a": memory(fleet, "a", Lagging), "b": memory(fleet, "b", MemoryTarget)})
    assert asked == [fleet.installed("a", "web").id]
    assert list(found.targets["a"].installed) == (["web"] if there else [])


def test_what_was_verified_long_ago_and_is_not_listed_is_gone(fleet: Fleet) -> None:
    fleet.wait(2).leaves["new"] = Leaf(targets=at("b"))
    fleet.converge()

    class Emptied(MemoryTarget):
        def observe(self) -> Sequence[Installed]:
            return ()

        def find(self, id_: str, /) -> Installed | None:
            raise AssertionError(id_)

    found = read(fleet, {"a": memory(fleet, "a", Emptied), "b": memory(fleet, "b", MemoryTarget)})
    assert found.targets["a"].status == "observed"
    assert not found.targets["a"].installed


def test_what_was_verified_and_is_listed_without_its_labels_yet_is_looked_up(fleet: Fleet) -> None:
    class Lagging(MemoryTarget):
        def observe(self) -> Sequence[Installed]:
            (seen,) = super().observe()
            return (replace(seen, name=seen.id, labels={}),)

        def find(self, _: str, /) -> Installed | None:
            return self.store.objects["web"].installed

    found = read(fleet, {"a": memory(fleet, "a", Lagging), "b": memory(fleet, "b", MemoryTarget)})
    assert dict(found.targets["a"].installed) == {"web": fleet.installed("a", "web")}


def test_a_missing_library_makes_its_target_unknown_and_says_what_to_install(
    fleet: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing(*_: object) -> Target:
        raise MissingExtra("aws", "a target of kind aws-acm")

    monkeypatch.setattr(observing, "make_target", missing)
    desired, state = fleet.desired(), fleet.journal.state
    targets = make_targets(desired, state, fleet.config("a").root)
    found = observe(desired, state, targets, None).targets["a"]
    assert found.status == "unknown"
    assert "pip install 'certform[aws]'" in found.detail
    assert shown(fleet.plan()) == []
