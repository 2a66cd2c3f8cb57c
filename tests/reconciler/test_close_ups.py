"""What is looked at by itself: one failure makes the target unknown, says why, and is the last question."""

from dataclasses import replace

import pytest
from fleet import Fleet
from fleet_documents import Leaf

from providers.base import Content, Installed
from providers.errors import Denied
from providers.memory import MemoryTarget
from reconciler.observe import inspect


@pytest.fixture
def fleet() -> Fleet:
    """Two certificates that are to take over what stands in a target and is not told whole."""
    fleet = Fleet(targets=("a",))
    for name in ("one", "two"):
        found = fleet.foreign("a", name)
        fleet.leaves[name] = Leaf(adopt={"a": (found.id,)})
    return fleet


class Closer(MemoryTarget):
    """A place that tells more of each object by itself."""

    def inspect(self, installed: Installed, /) -> Installed:
        """Tell the content, or fail if that is wanted."""
        self.store.tell("inspect")
        self.store.tell("inspect", installed.name)
        return replace(installed, content=Content(common_name=installed.name))


def test_what_is_taken_over_is_told_whole(fleet: Fleet) -> None:
    fleet.kinds["a"] = Closer
    seen = inspect(fleet.world(), fleet.reach()).observation("a").installed
    assert {name: i.content and i.content.common_name for name, i in seen.items()} == {
        "one": "one",
        "two": "two",
    }


def test_a_failure_is_told_and_nothing_else_is_asked(fleet: Fleet) -> None:
    fleet.kinds["a"] = Closer
    fleet.store("a").failures["inspect:one"] = [Denied("it lacks a permission")]
    seen = inspect(fleet.world(), fleet.reach()).observation("a")
    assert (seen.status, seen.detail, dict(seen.installed)) == (
        "unknown",
        "it lacks a permission",
        {},
    )
    assert fleet.store("a").calls["inspect"] == 1
