"""A forecast as a picture: a bar for each week, stacked by issuer, and the other regimes as lines over it."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from xml.etree.ElementTree import Element

from reconciler.forecast import Forecast, Series
from reconciler.render import svg
from reconciler.render.forecast import heading, span, sums, warnings
from reconciler.render.summary import count

WIDTH, PLOT = 980, 260
LEFT, RIGHT = 64, 28
_LEGEND, _NOTE = 22, 20
_ISSUERS = 5
"""How many issuers have a colour of their own; the others share one."""
_TICKS = 14
"""The most labels of the axis below."""
_NOTES = 6
_LINES = ("grave", "s2", "s3")


@dataclass(frozen=True, slots=True)
class _Frame:
    """Where the plot is, and how numbers become places in it."""

    ahead: Forecast
    top: float
    most: int

    @property
    def step(self) -> float:
        """The width of a week."""
        return (WIDTH - LEFT - RIGHT) / len(self.ahead.weeks)

    @property
    def bottom(self) -> float:
        """The height at which nothing is."""
        return self.top + PLOT

    def x(self, week: float) -> float:
        """Return where a week begins."""
        return LEFT + self.step * week

    def y(self, number: float) -> float:
        """Return how high a number stands."""
        return self.bottom - PLOT * number / self.most

    def day(self, day: date) -> float:
        """Return where a day is."""
        return self.x((day - self.ahead.begins).days / 7)


def render_svg(ahead: Forecast) -> str:
    """Return a forecast as an SVG picture."""
    issuers, notes = _stack(ahead), list(warnings(ahead))
    others = ahead.series[1:]
    legend = 78 + _LEGEND * (1 + len(others))
    frame = _Frame(ahead, legend + 42, _ceiling(ahead))
    shown = notes[:_NOTES]
    height = int(frame.bottom + 44 + _NOTE * (len(shown) + (len(notes) > _NOTES)) + 14)
    root = svg.drawing(WIDTH, height, "Certificates to issue, week by week", _described(ahead))
    _head(root, ahead, [name for name, _ in issuers])
    _grid(root, frame)
    _bars(root, frame, [numbers for _, numbers in issuers])
    for place, series in enumerate(others):
        _line(root, frame, series, _LINES[place % len(_LINES)])
    _marks(root, frame)
    _axis(root, frame)
    if len(notes) > _NOTES:
        shown.append(f"and {len(notes) - _NOTES:,} more to see to")
    for place, note in enumerate(shown):
        y = frame.bottom + 48 + _NOTE * place
        svg.text(
            root, (LEFT, y), f"▲ {svg.fitted(note, WIDTH - LEFT - RIGHT, 13)}", "fill-grave strong"
        )
    return svg.written(root)


def _described(ahead: Forecast) -> str:
    told = [f"{series.regime.label}: {sums(ahead, series)}" for series in ahead.series]
    return ". ".join([heading(ahead), *told, *warnings(ahead)])


def _stack(ahead: Forecast) -> list[tuple[str, tuple[int, ...]]]:
    """Return the bars' layers as the documents say: the busiest issuers, and all others as one."""
    known = ahead.series[0].issuers.items()
    busiest = sorted(known, key=lambda each: (-sum(each[1]), each[0]))
    first, rest = busiest[:_ISSUERS], busiest[_ISSUERS:]
    if rest:
        sums_of = tuple(map(sum, zip(*(numbers for _, numbers in rest), strict=True)))
        first.append((f"{len(rest):,} more issuers", sums_of))
    return first


def _ceiling(ahead: Forecast) -> int:
    """Return a round number that no week is above."""
    most = max(max(series.weeks) for series in ahead.series)
    size = 10 ** math.floor(math.log10(max(most, 4)))
    steps = (1, 1.2, 1.6, 2, 2.4, 3, 4, 5, 6, 8, 10)
    return int(next(size * step for step in steps if size * step >= most and size * step % 4 == 0))


def _head(root: Element, ahead: Forecast, issuers: Sequence[str]) -> None:
    svg.text(root, (24, 36), "Certificates to issue, week by week", "title fill-ink")
    named = count(ahead.certificates, "certificate")
    svg.text(
        root, (24, 58), svg.fitted(f"{ahead.project}: {named}, {span(ahead)}", 900), "fill-faint"
    )
    _legend(root, ahead.series[0], 84, "s0", sums(ahead, ahead.series[0]))
    for place, series in enumerate(ahead.series[1:]):
        look = _LINES[place % len(_LINES)]
        _legend(root, series, 84 + _LEGEND * (place + 1), look, sums(ahead, series))
    x, y = 24.0, 84.0 + _LEGEND * len(ahead.series)
    for place, name in enumerate(issuers):
        label = svg.fitted(name, 170)
        if x + 30 + len(label) * 7 > WIDTH - 210:
            break
        svg.box(root, (x, y - 9, 10, 10), f"fill-s{place % svg.SERIES}", radius=2)
        svg.text(root, (x + 16, y), label, "fill-ink small")
        x += 34 + len(label) * 6.4
    if ahead.authorities:
        words = "◆ a CA is issued or renewed"
        svg.text(root, (WIDTH - RIGHT, y), words, "fill-ink small", anchor="end")


def _legend(root: Element, series: Series, y: float, look: str, words: str) -> None:
    if look == "s0":
        svg.box(root, (24, y - 9, 18, 10), "fill-s0", radius=2)
    else:
        svg.line(root, [(24, y - 4), (42, y - 4)], f"thick stroke-{look}")
    svg.text(root, (50, y), svg.fitted(series.regime.label, 480), "fill-ink strong")
    svg.text(root, (WIDTH - RIGHT, y), words, "fill-ink", anchor="end")


def _grid(root: Element, frame: _Frame) -> None:
    for quarter in range(5):
        number = frame.most * quarter / 4
        y = frame.y(number)
        svg.line(root, [(LEFT, y), (WIDTH - RIGHT, y)], "thin stroke-rule")
        svg.text(root, (LEFT - 8, y + 4), f"{number:,.0f}", "fill-faint small", anchor="end")


def _bars(root: Element, frame: _Frame, layers: Sequence[tuple[int, ...]]) -> None:
    gap = min(2.0, frame.step * 0.2)
    below = [0] * len(frame.ahead.weeks)
    for layer, numbers in enumerate(layers):
        drawn = "".join(
            _bar(frame, week, below[week], n, gap) for week, n in enumerate(numbers) if n
        )
        below = [low + number for low, number in zip(below, numbers, strict=True)]
        if drawn:
            svg.path(root, drawn, f"fill-s{layer % svg.SERIES}")


def _bar(frame: _Frame, week: int, low: int, number: int, gap: float) -> str:
    left, width = frame.x(week) + gap / 2, frame.step - gap
    top, height = frame.y(low + number), frame.y(low) - frame.y(low + number)
    return f"M{left:.1f} {top:.1f}h{width:.1f}v{height:.1f}h{-width:.1f}z"


def _line(root: Element, frame: _Frame, series: Series, look: str) -> None:
    points = [
        (frame.x(week + side), frame.y(number))
        for week, number in enumerate(series.weeks)
        for side in (0, 1)
    ]
    svg.line(root, points, f"thick stroke-{look}")


def _marks(root: Element, frame: _Frame) -> None:
    """Draw the days from which on certificates may live less long, and those when a CA is issued."""
    days = {
        step.since: f"{step.longest.days} d at most"
        for series in frame.ahead.series
        for step in series.regime.steps
        if frame.ahead.weeks[0] < step.since <= frame.ahead.weeks[-1]
    }
    for day, words in sorted(days.items()):
        x = frame.day(day)
        late = x > WIDTH - 130
        svg.line(root, [(x, frame.top - 12), (x, frame.bottom)], "thin dashed stroke-ink")
        at = (x - 5 if late else x + 5, frame.top - 8)
        svg.text(root, at, f"{day}: {words}", "fill-ink small", anchor="end" if late else "start")
    for event in frame.ahead.authorities:
        x, y = frame.day(event.at.date()), frame.bottom
        look = "fill-grave" if event.ceremony else "fill-ink"
        mark = svg.path(root, f"M{x:.1f} {y - 6:.1f}l5 6l-5 6l-5 -6z", f"{look} stroke-paper")
        svg.told(mark, f"{event.address} is issued, {event.at.date()}")


def _axis(root: Element, frame: _Frame) -> None:
    for x, label in _ticks(frame):
        svg.line(root, [(x, frame.bottom), (x, frame.bottom + 5)], "thin stroke-faint")
        svg.text(root, (x + 3, frame.bottom + 20), label, "fill-faint small")


def _ticks(frame: _Frame) -> Iterator[tuple[float, str]]:
    """Yield the first days of months, quarters or years, as many as have room."""
    first, last = frame.ahead.weeks[0], frame.ahead.weeks[-1]
    months = (last.year - first.year) * 12 + last.month - first.month
    every = next((each for each in (1, 3, 6, 12) if months / each <= _TICKS), 12)
    for month in range(first.year * 12 + first.month, last.year * 12 + last.month):
        year, place = divmod(month, 12)
        if place % every == 0:
            form = "%b" if place and every == 1 else "%b %Y" if every < 12 else "%Y"
            day = date(year, place + 1, 1)
            yield frame.day(day), day.strftime(form)
