"""A chart as a picture: columns from the CAs at the left to the places at the right, numbers above."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from xml.etree.ElementTree import Element

from reconciler.impact import Impact
from reconciler.render import svg
from reconciler.render.graph_chart import Arrow, Box, BoxKind, Chart, chart
from reconciler.render.impact import replaceable, told_in_one
from reconciler.render.summary import count

_WIDE, _APART, _GAP = 264, 56, 14
"""Pixels: how wide a box is, and how far one is from the next beside and below it."""
_LINE, _PAD = 16, 10
_MARGIN, _HEAD = 28, 118
_LOOKS = {
    BoxKind.AUTHORITY: "s0",
    BoxKind.CERTIFICATES: "s1",
    BoxKind.PLACE: "s2",
    BoxKind.BUNDLE: "s3",
}
_NUMBERS = 150


@dataclass(frozen=True, slots=True)
class _Spot:
    """Where a box is."""

    box: Box
    x: float
    y: float

    @property
    def height(self) -> float:
        """How high the box is."""
        return _height(self.box)

    @property
    def middle(self) -> float:
        """Where arrows come and go."""
        return self.y + self.height / 2


def render_svg(fallen: Impact) -> str:
    """Return what falls as an SVG picture."""
    shown = chart(fallen)
    spots = _placed(shown)
    width = int(max([760, *(spot.x + _WIDE + _MARGIN for spot in spots.values())]))
    bottom = max([_HEAD + 40, *(spot.y + spot.height for spot in spots.values())])
    height = int(bottom + _MARGIN + 8 + (20 if shown.left_out else 0))
    said = f"{told_in_one(fallen)}. {replaceable(fallen).rstrip(':')}."
    root = svg.drawing(width, height, _title(fallen), said)
    _head(root, fallen, width)
    for arrow in shown.arrows:
        _arrow(root, arrow, spots)
    for spot in spots.values():
        _box(root, spot)
    if shown.left_out:
        svg.text(root, (_MARGIN, height - 16), shown.left_out, "fill-faint small")
    return svg.written(root)


def _title(fallen: Impact) -> str:
    return f"What falls with {fallen.title}" if fallen.subject else fallen.title


def _head(root: Element, fallen: Impact, width: int) -> None:
    room = width - 2 * _MARGIN
    svg.text(root, (_MARGIN, 38), svg.fitted(_title(fallen), room, 19), "title fill-ink")
    for place, (number, words, look) in enumerate(_numbers(fallen)):
        x = _MARGIN + _NUMBERS * place
        svg.text(root, (x, 74), number, f"title fill-{look}")
        svg.text(root, (x, 92), words, "fill-faint small")


def _numbers(fallen: Impact) -> list[tuple[str, str, str]]:
    """Return the numbers above the picture, each with its words and its colour."""
    number, stuck = len(fallen.certificates), len(fallen.stuck)
    told = [
        (f"{number:,}", count(number, "certificate").partition(" ")[2], "ink"),
        (f"{len(fallen.places):,}", count(len(fallen.places), "place").partition(" ")[2], "ink"),
        (f"{number - stuck:,}", "a plan alone replaces", "s1"),
        (
            f"{stuck:,}",
            "need somebody" if stuck != 1 else "needs somebody",
            "grave" if stuck else "ink",
        ),
    ]
    if fallen.ends:
        told.append((f"{fallen.ends[0]:%Y-%m-%d}", "is when the first ends", "ink"))
    return told


def _height(box: Box) -> float:
    return 2 * _PAD + _LINE * (len(box.lines) + len(box.warnings)) - 2


def _placed(shown: Chart) -> Mapping[int, _Spot]:
    """Return where each box is: below one another by column, as near as may be to what leads to it."""
    spots: dict[int, _Spot] = {}
    order = {at: place for place, at in enumerate(_in_order(shown))}
    for column in sorted({box.column for box in shown.boxes}, reverse=True):
        members = [at for at, box in enumerate(shown.boxes) if box.column == column]
        wanted = {at: _wish(shown, at, spots) for at in members}
        y = float(_HEAD)
        for at in sorted(
            members, key=lambda at: (wanted[at] is not None and wanted[at], order[at])
        ):
            box = shown.boxes[at]
            y = max(y, (wanted[at] or y + _height(box) / 2) - _height(box) / 2)
            spots[at] = _Spot(box, _MARGIN + (_WIDE + _APART) * column, y)
            y += _height(box) + _GAP
    return spots


def _in_order(shown: Chart) -> Sequence[int]:
    """Return the boxes as a walk from the roots meets them."""
    below: dict[int, list[int]] = {}
    led = set()
    for arrow in shown.arrows:
        below.setdefault(arrow.start, []).append(arrow.end)
        led.add(arrow.end)
    walked: dict[int, None] = {}
    ahead = [at for at in reversed(range(len(shown.boxes))) if at not in led]
    while ahead:
        at = ahead.pop()
        walked.setdefault(at)
        ahead += [each for each in reversed(below.get(at, ())) if each not in walked]
    return tuple(walked)


def _wish(shown: Chart, at: int, spots: Mapping[int, _Spot]) -> float | None:
    """Return at which height a box stands best: in the middle of those that it leads to."""
    ends = [spots[a.end].middle for a in shown.arrows if a.start == at and a.end in spots]
    return sum(ends) / len(ends) if ends else None


def _arrow(root: Element, arrow: Arrow, spots: Mapping[int, _Spot]) -> None:
    start, end = spots[arrow.start], spots[arrow.end]
    if arrow.dotted:
        svg.path(root, _around(start, end, spots), "thin dashed stroke-faint")
        return
    curve = f"M{start.x + _WIDE:.1f} {start.middle:.1f}"
    curve += _bend(start.x + _WIDE, start.middle, end)
    svg.path(root, curve, "thin stroke-faint")
    svg.path(root, f"M{end.x:.1f} {end.middle:.1f}l-6 -3.5v7z", "fill-faint")


def _bend(x: float, y: float, end: _Spot) -> str:
    middle = (x + end.x) / 2
    return f"C{middle:.1f} {y:.1f} {middle:.1f} {end.middle:.1f} {end.x:.1f} {end.middle:.1f}"


def _around(start: _Spot, end: _Spot, spots: Mapping[int, _Spot]) -> str:
    """Return a way from below one box to another that crosses none: beneath all columns between."""
    between = [spot.y + spot.height for spot in spots.values() if spot.x < end.x]
    floor, x = max(between) + _GAP, start.x + _WIDE / 2
    down = f"M{x:.1f} {start.y + start.height:.1f}V{floor - 8:.1f}q0 8 8 8"
    return f"{down}H{end.x - _APART:.1f}{_bend(end.x - _APART, floor, end)}"


def _box(root: Element, spot: _Spot) -> None:
    box, look = spot.box, _LOOKS[spot.box.kind]
    edge = "grave" if box.warnings else look
    svg.box(root, (spot.x, spot.y, _WIDE, spot.height), f"fill-box stroke-{edge} thin", radius=6)
    svg.box(root, (spot.x, spot.y, 5, spot.height), f"fill-{edge}", radius=2)
    for place, words in enumerate((*box.lines, *box.warnings)):
        y = spot.y + _PAD + _LINE * (place + 1) - 6
        warns = place >= len(box.lines)
        shade = (
            "fill-ink strong" if not place else "fill-grave small" if warns else "fill-faint small"
        )
        size = 12.5 if not place else 11
        said = svg.fitted(words, _WIDE - 24, size)
        written = svg.text(root, (spot.x + 15, y), said, shade)
        if said != words:
            svg.told(written, words)
