"""Observing: what cannot be read is unknown, whichever look at it fails."""

from fleet import Fleet, Leaf, at, shown

from providers.errors import Unreachable
from providers.memory import MemoryTarget


class Unmarked(MemoryTarget):
    """A target that reads as empty, and whose marker cannot be read."""

    def initialised(self) -> bool:
        raise Unreachable("the marker cannot be read")


def test_a_target_whose_marker_cannot_be_read_is_unknown() -> None:
    fleet = Fleet(leaves={"web": Leaf(targets=at("a", "b"))}).converge()
    fleet.store("a").objects.clear()
    fleet.kinds["a"] = Unmarked
    assert shown(fleet.plan()) == [("blocked", "target/a", "TargetUnknown")]
    assert fleet.world().observation("a").detail == "the marker cannot be read"
