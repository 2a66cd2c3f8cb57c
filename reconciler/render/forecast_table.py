"""A forecast as text for a terminal, and as Markdown: sums first, then a row for each week."""

from collections.abc import Iterator, Sequence

from reconciler.forecast import Forecast
from reconciler.render.escape import code, inert, prose, visible
from reconciler.render.forecast import heading, rows, sums, unit, warnings
from reconciler.render.summary import count

_BAR = 32
"""Characters of the longest bar."""
_FEWEST = 1
_ISSUERS = 8
"""How many issuers have a line of their own."""


def render_text(ahead: Forecast) -> str:
    """Return a forecast for a terminal; the bars are drawn with characters."""
    width = max(len(visible(series.regime.label)) for series in ahead.series)
    lines = [f"Issuances ahead of {heading(ahead)}", ""]
    for sign, series in zip(_signs(ahead), ahead.series, strict=True):
        lines.append(f"  {sign} {visible(series.regime.label):<{width}}   {sums(ahead, series)}")
    lines += [f"  ! {said}" for said in warnings(ahead)]
    lines += ["", *_by_issuer(ahead), "", *_table(ahead)]
    return "\n".join(map(inert, lines)) + "\n"


def _signs(ahead: Forecast) -> list[str]:
    return ["█", *["░"] * (len(ahead.series) - 1)]


def _by_issuer(ahead: Forecast) -> Iterator[str]:
    sums_of = issuers(ahead)
    width = max((len(visible(name)) for name, _ in sums_of), default=0)
    for name, numbers in sums_of:
        yield f"  {visible(name):<{width}}{_cells(numbers)}"


def issuers(ahead: Forecast) -> list[tuple[str, tuple[int, ...]]]:
    """Return the issuers with what each has to issue, by series, the busiest first; many are summed up."""
    names = dict.fromkeys(name for series in ahead.series for name in series.issuers)
    found = [(n, tuple(sum(s.issuers.get(n, ())) for s in ahead.series)) for n in names]
    busiest = sorted(found, key=lambda each: (-each[1][-1], each[0]))
    first, rest = busiest[:_ISSUERS], busiest[_ISSUERS:]
    if rest:
        totals = tuple(map(sum, zip(*(numbers for _, numbers in rest), strict=True)))
        first.append((f"{len(rest):,} more issuers", totals))
    return first


def _table(ahead: Forecast) -> Iterator[str]:
    told = list(rows(ahead))
    most = max((max(numbers) for _, numbers in told), default=0)
    yield f"  {unit(ahead)}"
    for label, numbers in told:
        yield f"  {label:<12}{_cells(numbers)}   {bar(numbers, most)}".rstrip()


def _cells(numbers: Sequence[int]) -> str:
    return "".join(f"{number:>10,}" for number in numbers)


def bar(numbers: Sequence[int], most: int) -> str:
    """Return a bar: solid as far as the first number goes, light beyond that up to the greatest."""
    first, longest = (_length(number, most) for number in (numbers[0], max(numbers)))
    return "█" * first + "░" * (longest - first)


def _length(number: int, most: int) -> int:
    return max(_FEWEST, round(_BAR * number / most)) if number else 0


def render_markdown(ahead: Forecast) -> str:
    """Return a forecast as GitHub-flavoured Markdown."""
    labels = [prose(series.regime.label) for series in ahead.series]
    lines = [f"### Issuances ahead of {prose(heading(ahead))}", ""]
    lines += [f"- {prose(s.regime.label)}: {prose(sums(ahead, s))}" for s in ahead.series]
    lines += [f"- **{prose(said)}**" for said in warnings(ahead)]
    lines += ["", f"| Issuer | {' | '.join(labels)} |", f"|--|{'--:|' * len(labels)}"]
    lines += [f"| {code(name)} | {_columns(numbers)} |" for name, numbers in issuers(ahead)]
    told = list(rows(ahead))
    most = max((max(numbers) for _, numbers in told), default=0)
    summary = (
        f"{count(len(told), 'row')}, by {unit(ahead).removesuffix(' of').removesuffix(' from')}"
    )
    lines += ["", f"<details><summary>{summary}</summary>", ""]
    lines += [f"| {unit(ahead).capitalize()} | {' | '.join(labels)} | |"]
    lines += [f"|--|{'--:|' * len(labels)}--|"]
    lines += [f"| {label} | {_columns(each)} | {bar(each, most)} |" for label, each in told]
    return "\n".join([*lines, "", "</details>"]) + "\n"


def _columns(numbers: Sequence[int]) -> str:
    return " | ".join(f"{number:,}" for number in numbers)
