"""What a picture of an impact shows: boxes in columns, and arrows; long lists are one box.

CAs stand to the left, below them their certificates, and to the right the places. There are never more
boxes than a reader takes in, however large the fleet is.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from reconciler.holdings import Line
from reconciler.impact import FallenAuthority, FallenCertificate, Impact
from reconciler.render.summary import count

MOST_CAS = 24
"""How many CAs have a box; those with the fewest certificates are left out first, and counted."""
MOST_PLACES = 16
_ALONE = 12
"""Up to so many certificates in all each has a box of its own."""
_GROUPS = 4
"""How many groups of certificates, by where they are, one CA has; the others are one."""


class BoxKind(StrEnum):
    """What a box stands for."""

    AUTHORITY = "authority"
    CERTIFICATES = "certificates"
    PLACE = "place"
    BUNDLE = "bundle"


@dataclass(frozen=True, slots=True)
class Box:
    """One box: its lines, the first of them its name, and why a plan alone cannot replace what it is."""

    kind: BoxKind
    lines: tuple[str, ...]
    column: int
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Arrow:
    """From one box to another, by their places in the list; a dotted one leads to who trusts an anchor."""

    start: int
    end: int
    dotted: bool = False


@dataclass(slots=True)
class Chart:
    """Boxes and arrows; a box stands after those that lead to it."""

    boxes: list[Box] = field(default_factory=list)
    arrows: list[Arrow] = field(default_factory=list)
    left_out: str = ""

    def add(self, box: Box, *starts: int | None, dotted: bool = False) -> int:
        """Add a box with arrows from others to it, and return its place."""
        self.boxes.append(box)
        end = len(self.boxes) - 1
        self.arrows += [Arrow(start, end, dotted) for start in starts if start is not None]
        return end


def chart(fallen: Impact) -> Chart:
    """Return the boxes and arrows of an impact."""
    drawn, known = Chart(), {each.line: each for each in fallen.authorities}
    kept = _kept(fallen)
    columns = {line: _depth(line, known) for line in known}
    deepest = max(columns.values(), default=0)
    at: dict[Line, int] = {}
    for each in sorted(kept, key=lambda each: (columns[each.line], each.line)):
        box = Box(BoxKind.AUTHORITY, _authority(each), columns[each.line])
        at[each.line] = drawn.add(box, at.get(each.above) if each.above else None)
    groups: list[tuple[int, _Group]] = []
    alone = len(fallen.certificates) <= _ALONE
    for line in sorted(set(fallen.below) if not known else set(fallen.below) & set(at)):
        if line not in at:
            at[line] = drawn.add(Box(BoxKind.AUTHORITY, (_named(line),), 0))
        for group in _groups(fallen.below[line], alone=alone):
            box = Box(BoxKind.CERTIFICATES, _lines(group), deepest + 1, _warnings(group))
            groups.append((drawn.add(box, at[line]), group))
    _add_places(drawn, fallen, groups, deepest + 2)
    for bundle in fallen.bundles[:MOST_PLACES]:
        roots = [place for line, place in at.items() if line[0] in bundle.roots]
        where = f"in {', '.join(bundle.places[:3])}" if bundle.places else "in no place"
        more = f" and {len(bundle.places) - 3:,} more" if len(bundle.places) > 3 else ""
        box = Box(BoxKind.BUNDLE, (bundle.address, where + more), deepest + 2)
        drawn.add(box, *roots, dotted=True)
    if missing := len(fallen.authorities) - len(kept):
        drawn.left_out = f"{count(missing, 'CA')} with the fewest certificates left out"
    return drawn


def _named(line: Line) -> str:
    return f"{line[0]} generation {line[1]}" if line[1] else line[0]


def _kept(fallen: Impact) -> Sequence[FallenAuthority]:
    """Return the CAs that have a box: those that the most certificates hang by."""
    above = {each.line: each.above for each in fallen.authorities}
    weight: Counter[Line] = Counter()
    for line, those in fallen.below.items():
        up: Line | None = line
        while up is not None and up in above:
            weight[up] += len(those)
            up = above[up]
    heaviest = sorted(fallen.authorities, key=lambda each: (-weight[each.line], each.line))
    return heaviest[:MOST_CAS]


def _depth(line: Line, known: dict[Line, FallenAuthority]) -> int:
    above = known[line].above
    return 0 if above is None or above not in known else 1 + _depth(above, known)


def _authority(each: FallenAuthority) -> tuple[str, ...]:
    if not each.line[1]:
        return (each.address,)
    until = f"until {each.not_after:%Y-%m-%d}" if each.not_after else "not issued yet"
    offline = ", offline" if each.offline else ""
    return each.address, f"generation {each.line[1]}, {until}{offline}"


@dataclass(frozen=True, slots=True)
class _Group:
    """Certificates that are in the same places; `name` is that of a single one."""

    those: tuple[FallenCertificate, ...]
    places: tuple[str, ...]
    name: str = ""


def _groups(those: Sequence[FallenCertificate], *, alone: bool) -> Iterator[_Group]:
    if alone:
        yield from (_Group((each,), each.places, each.address) for each in those)
        return
    by_place: dict[tuple[tuple[str, ...], bool], list[FallenCertificate]] = {}
    for each in those:
        by_place.setdefault((each.places, bool(each.impediments)), []).append(each)
    fullest = sorted(by_place.items(), key=lambda item: (-len(item[1]), item[0]))
    for (places, _), found in fullest[:_GROUPS]:
        yield _Group(tuple(found), places)
    if rest := [each for _, found in fullest[_GROUPS:] for each in found]:
        yield _Group(tuple(rest), tuple(sorted({p for each in rest for p in each.places})))


def _lines(group: _Group) -> tuple[str, ...]:
    ends = [each.not_after for each in group.those if each.not_after]
    first = "the first ends" if len(group.those) > 1 else "ends"
    end = f"{first} {min(ends):%Y-%m-%d}" if ends else "not issued yet"
    return group.name or count(len(group.those), "certificate"), end


def _warnings(group: _Group) -> tuple[str, ...]:
    why = Counter(str(impediment) for each in group.those for impediment in each.impediments)
    return tuple(words for words, _ in why.most_common(2))


def _add_places(
    drawn: Chart, fallen: Impact, groups: Sequence[tuple[int, _Group]], column: int
) -> None:
    places = list(fallen.places.items())
    shown = dict(places[:MOST_PLACES])
    for name, number in shown.items():
        leading = [at for at, group in groups if name in group.places]
        box = Box(BoxKind.PLACE, (name, count(number, "certificate")), column)
        drawn.add(box, *leading)
    if rest := places[MOST_PLACES:]:
        leading = [at for at, group in groups if set(group.places) - shown.keys()]
        drawn.add(Box(BoxKind.PLACE, (f"{count(len(rest), 'more place')}",), column), *leading)
