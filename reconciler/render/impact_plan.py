"""What hangs by the CAs that a plan revokes or replaces: a line each, and in Markdown a picture in a fold."""

from collections.abc import Iterator

from reconciler.render.escape import code, flowing, prose, visible
from reconciler.render.graph_chart import Box, BoxKind, Chart
from reconciler.render.graph_mermaid import drawn
from reconciler.render.room import Part
from reconciler.render.summary import count
from schemas.plan import ImpactBranch, ImpactReport, LeftBehind, Plan

_NAMED = 3
"""How many certificates that are left a line names before the rest is a number."""


def in_text(plan: Plan) -> Iterator[str]:
    """Yield a line for each CA that is revoked or replaced, for a terminal."""
    if plan.impacts:
        yield "What hangs by the CAs that are replaced:"
    for report in plan.impacts or ():
        named = [f"{visible(each.address)}{_why(each)}" for each in report.left[:_NAMED]]
        yield f"  {visible(title(report))}: {_numbers(report)}; {_told(report, named)}"


def title(report: ImpactReport) -> str:
    """Return which CA it is, and that it is revoked where it is."""
    revoked = " (revoked)" if report.revoked else ""
    return f"{report.address} generation {report.generation}{revoked}"


def _numbers(report: ImpactReport) -> str:
    where = f"{count(report.certificates, 'certificate')} in {count(report.place_count, 'place')}"
    return where + (f", first end {report.first_end:%Y-%m-%d}" if report.first_end else "")


def _told(report: ImpactReport, named: list[str]) -> str:
    left = report.certificates - report.reissued
    if not report.certificates:
        return "nothing is to be re-issued"
    if not left:
        return "all re-issued by this plan"
    rest = left - len(named)
    more = [f"{rest:,} more"] if rest > 0 else []
    verb = "is" if left == 1 else "are"
    done = f"{report.reissued:,} re-issued by this plan, " if report.reissued else ""
    return f"{done}{left:,} {verb} not: {', '.join([*named, *more])}"


def _why(each: LeftBehind) -> str:
    return f" ({visible(flowing(each.why))})" if each.why else ""


def in_markdown(plan: Plan) -> Iterator[Part]:
    """Yield the lines of the CAs that are revoked or replaced, and their pictures, folded away."""
    if not plan.impacts:
        return
    yield Part(
        items=[f"- {_line(report)}" for report in plan.impacts],
        rest=lambda left: f"- and {count(left, 'more CA')}",
        opening="**What hangs by the CAs that are replaced:**\n\n",
        share=0.2,
    )
    yield Part(
        items=[_fold(report) for report in plan.impacts if report.certificates],
        rest=lambda left: f"{count(left, 'picture')} of it without room here.",
        joint="\n\n",
        share=0.2,
    )


def _line(report: ImpactReport) -> str:
    named = [
        code(each.address) + (f" ({prose(flowing(each.why))})" if each.why else "")
        for each in report.left[:_NAMED]
    ]
    revoked = ", which is **revoked**" if report.revoked else ""
    which = f"{code(report.address)} generation {report.generation}{revoked}"
    return f"{which}: {_numbers(report)}; {_told(report, named)}"


def _fold(report: ImpactReport) -> str:
    which = f"{code(report.address)} generation {report.generation}"
    summary = f"<summary>A picture of what hangs by {which}</summary>"
    return f"<details>{summary}\n\n```mermaid\n{drawn(_chart(report))}```\n\n</details>"


def _chart(report: ImpactReport) -> Chart:
    """Return the CAs with how many certificates hang by each, and the places these are in."""
    shown = Chart()
    for branch in report.branches:
        box = Box(BoxKind.AUTHORITY, _lines(branch), 0)
        shown.add(box, branch.above)
    for place in report.places:
        leading = [
            at
            for at, branch in enumerate(report.branches)
            if any(each.place == place.place for each in branch.places)
        ]
        number = count(place.certificates, "certificate")
        shown.add(Box(BoxKind.PLACE, (place.place, number), 1), *leading)
    if (rest := report.place_count - len(report.places)) > 0:
        shown.left_out = f"and {count(rest, 'more place')}"
    return shown


def _lines(branch: ImpactBranch) -> tuple[str, ...]:
    until = f", until {branch.not_after:%Y-%m-%d}" if branch.not_after else ""
    number = count(branch.certificates, "certificate")
    return branch.address, f"generation {branch.generation}{until}", number
