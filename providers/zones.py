"""Which zone a name is in, where a cloud lists its zones."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TypeVar

from providers.errors import Conflict, NotFound, Unreachable

Item = TypeVar("Item")
_MOST_PAGES = 10_000


@dataclass(frozen=True, slots=True)
class Zone:
    """A public zone: its name, lower case and without the dot at the end, and what its service calls it."""

    name: str
    id: str


def plain(name: str) -> str:
    """Return a domain name in lower case, without the dot at its end."""
    return name.lower().removesuffix(".")


def closest(name: str, zones: Iterable[Zone], where: str) -> Zone:
    """Return the zone that is nearest above a name, or at it; raises `NotFound`, and `Conflict` for two."""
    labels = plain(name).split(".")
    above = {".".join(labels[place:]): place for place in range(len(labels))}
    held = sorted((above[zone.name], zone.id, zone) for zone in zones if zone.name in above)
    if not held:
        raise NotFound(f"no public zone of {where} holds {name}")
    nearest = [zone for place, _, zone in held if place == held[0][0]]
    if len(nearest) > 1:
        ids = ", ".join(zone.id for zone in nearest)
        raise Conflict(
            f"{where} has {len(nearest)} public zones called {nearest[0].name} ({ids}): name the one that"
            " the parent zone delegates to in the solver's settings"
        )
    return nearest[0]


def every(ask: Callable[[str | None], tuple[Iterable[Item], str | None]]) -> Iterator[Item]:
    """Yield what is on every page; `ask` is given where a page begins, and tells where the next one does.

    Raises `Unreachable` for a listing that has no end.
    """
    mark: str | None = None
    seen: set[str] = set()
    while True:
        items, mark = ask(mark)
        yield from items
        if not mark:
            return
        if mark in seen or len(seen) == _MOST_PAGES:
            raise Unreachable("the listing of zones does not end as it should")
        seen.add(mark)
