"""What the clouds' solvers share: the nearest zone, listings with an end, and changes of what was read."""

from collections.abc import Iterable
from dataclasses import dataclass, field

import pytest

from providers import recordsets
from providers.errors import Ambiguous, Conflict, NotFound, Unreachable
from providers.recordsets import Held, Moved, add, remove
from providers.zones import Zone, closest, every


@dataclass
class Contended:
    """A record set that somebody else changes each time it was read."""

    reads: int = 0
    written: list[tuple[str, ...]] = field(default_factory=list)

    def read(self) -> Held[str]:
        self.reads += 1
        return Held((f"theirs-{self.reads}",))

    def swap(self, _held: Held[str], _values: tuple[str, ...], /) -> str | None:
        raise Moved("not what it was")


@dataclass
class Fickle:
    """A record set whose every change is made, and whose every answer is lost."""

    values: tuple[str, ...] = ()
    changes: int = 0

    def read(self) -> Held[str]:
        return Held(self.values)

    def swap(self, _held: Held[str], values: tuple[str, ...], /) -> str | None:
        self.values = values
        self.changes += 1
        raise Ambiguous("no answer")


def test_a_record_set_that_others_change_all_the_time_is_given_up() -> None:
    records, slept = Contended(), list[float]()
    with pytest.raises(Moved):
        add(records, "ours", slept.append)
    assert records.reads == recordsets.TRIES
    assert len(slept) == recordsets.TRIES - 1
    assert max(slept) <= 5


@dataclass
class Unreadable:
    """A record set that nobody tells of."""

    reads: int = 0

    def read(self) -> Held[str]:
        self.reads += 1
        raise Ambiguous("no answer")

    def swap(self, _held: Held[str], _values: tuple[str, ...], /) -> str | None:
        raise AssertionError


def test_what_cannot_be_read_is_not_read_again_and_again_since_that_was_done_already() -> None:
    records = Unreadable()
    with pytest.raises(Ambiguous):
        add(records, "ours", list[float]().append)
    assert records.reads == 1


def test_what_is_seen_to_have_happened_is_not_done_again() -> None:
    records, slept = Fickle(), list[float]()
    add(records, "ours", slept.append)
    assert (records.values, records.changes) == (("ours",), 1)
    remove(records, "ours", slept.append)
    assert (records.values, records.changes) == ((), 2)


def _zones(*names: str) -> Iterable[Zone]:
    return (Zone(name, f"id-{place}") for place, name in enumerate(names))


@pytest.mark.parametrize("name", ["a.b.example.com", "A.B.Example.COM.", "b.example.com"])
def test_the_nearest_zone_above_or_at_a_name_holds_it(name: str) -> None:
    zones = _zones("com", "example.com", "b.example.com", ".example.com", "", "c.b.example.com")
    assert closest(name, zones, "here").name == "b.example.com"


@pytest.mark.parametrize("names", [(), ("",), ("ample.com",), ("x.example.com",), ("*.com",)])
def test_a_zone_is_not_guessed(names: tuple[str, ...]) -> None:
    with pytest.raises(NotFound, match="no public zone of here holds"):
        closest("www.example.com", _zones(*names), "here")


def test_a_farther_zone_that_is_there_twice_is_in_nobodys_way() -> None:
    zones = _zones("example.com", "example.com", "www.example.com")
    assert closest("a.www.example.com", zones, "here").name == "www.example.com"
    with pytest.raises(Conflict, match="id-0, id-1"):
        closest("mail.example.com", _zones("example.com", "example.com"), "here")


def test_every_page_is_read_once() -> None:
    pages = {None: (("a",), "1"), "1": ((), "2"), "2": (("b", "c"), "")}
    assert list(every(lambda mark: pages[mark])) == ["a", "b", "c"]


def test_a_listing_of_ever_new_pages_is_given_up() -> None:
    marks = iter(range(1_000_000))
    with pytest.raises(Unreachable, match="does not end"):
        list(every(lambda _: ((), str(next(marks)))))
