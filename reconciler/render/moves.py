"""Moves to another CA in words: what becomes of the old certificates, and what is new with the others."""

from collections.abc import Callable, Iterator

from reconciler.render.escape import code, prose, visible
from reconciler.render.room import Part
from reconciler.render.spending import spending
from reconciler.render.summary import count
from schemas.plan import MoveReport, Plan

_Shown = Callable[[str], str]
"""Lays out a name."""


def moves_in_text(plan: Plan) -> Iterator[str]:
    """Yield each move as a heading and a line for each thing to know, for a terminal."""
    if plan.moves:
        yield "Moves to another CA:"
    for report in plan.moves:
        yield f"  {_title(report, visible)}"
        yield from (f"    - {line}" for line in _lines(plan, report, visible))


def moves_in_markdown(plan: Plan) -> Iterator[Part]:
    """Yield the same as a list."""
    if plan.moves:
        yield Part(
            items=[_item(plan, report) for report in plan.moves],
            rest=lambda left: f"- and {count(left, 'more move')}",
            opening="**Moves to another CA:**\n\n",
            share=0.2,
        )


def _item(plan: Plan, report: MoveReport) -> str:
    lines = "".join(f"\n  - {line}" for line in _lines(plan, report, code, prose))
    return f"- {_title(report, code)}{lines}"


def _title(report: MoveReport, name: _Shown) -> str:
    number = count(report.certificates, "certificate")
    return f"{number} from {name(report.before)} to {name(report.after)}"


def _lines(plan: Plan, report: MoveReport, name: _Shown, plain: _Shown = visible) -> Iterator[str]:
    yield _before(report, name)
    if report.ignored:
        fields = ", ".join(map(name, report.ignored))
        yield f"{name(report.after)} decides by itself, whatever the documents say: {fields}"
    if report.other_root:
        yield _trust(report, name)
    for issuer in plan.issuers:
        if f"issuer/{issuer.name}" == report.after.partition(" ")[0]:
            yield f"this plan asks {name(report.after)} for {plain('; '.join(spending(issuer)))}"


def _before(report: MoveReport, name: _Shown) -> str:
    """Say what becomes of what the CA of before issued."""
    served = (
        f"what {name(report.before)} issued is served until the new one is installed and verified"
    )
    if report.valid_until is None:
        return f"{served}; then it is revoked"
    rest = (
        "unless a Revocation names it"
        if report.revocable
        else "and no Revocation can reach it, as no Issuer of that name revokes at that CA any more"
    )
    until = f"valid until {report.valid_until:%Y-%m-%d}, {rest}"
    if report.revoked:
        return f"{served}; then {report.revoked:,} are revoked, the others are not: {until}"
    return f"{served}; afterwards it is not revoked: {until}"


def _trust(report: MoveReport, name: _Shown) -> str:
    """Say which root clients have to trust from then on."""
    if report.root is None:
        return (
            f"clients have to trust the root of {name(report.after)} by then: it is in a Bundle only"
            " where that names its file"
        )
    where = ", ".join(name(f"bundle/{each}") for each in report.bundles)
    held = f"it is in {where}" if where else "it is in no Bundle"
    return f"clients have to trust {name(f'authority/{report.root}')} by then: {held}"
