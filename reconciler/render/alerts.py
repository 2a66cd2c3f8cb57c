"""The boxes above a plan in Markdown: what cannot be undone, who will be spoken to, what nobody could see."""

import json
from collections.abc import Iterator, Sequence

from reconciler.diagnostics import Diagnostic, Severity
from reconciler.render.blocks import Block, blocks
from reconciler.render.diagnostics import tally
from reconciler.render.escape import code, flowing, prose
from reconciler.render.fields import brief
from reconciler.render.outage import outage_of, worded
from reconciler.render.room import Part
from reconciler.render.summary import count
from reconciler.render.table import link, what, where, why
from reconciler.render.vocabulary import Kind, by_risk
from schemas.plan import Action, Change, FieldChange, Plan, Reason, TargetReport

_MOST = 10
"""How many lines a box has before the rest is a number; the table has a row for each."""


def alert(level: str, first: str, lines: Sequence[str], share: float = 0.25) -> Part:
    """Return a box of GitHub's (`NOTE`, `WARNING`, `CAUTION`); lines that do not fit are counted."""
    more = max(0, len(lines) - _MOST)
    shown = [*lines[:_MOST], f"and {more:,} more"] if more else lines
    return Part(
        items=[f"> - {line}" for line in shown],
        rest=lambda left: f"> - and {left + max(0, more - 1):,} more",
        opening=f"> [!{level}]\n> {first}\n",
        share=share,
    )


def alerts(plan: Plan, blob_url: str, warnings: Sequence[Diagnostic]) -> Iterator[Part]:
    """Yield the boxes of a plan, the gravest first."""
    if down := outage_of(plan.changes):
        yield _outage(down)
    told = blocks(plan.changes)
    if lasting := sorted(filter(_is_lasting, told), key=lambda block: by_risk(block.kind)):
        yield _undoable(lasting, blob_url)
    if warnings:
        yield alert("WARNING", f"**{tally(warnings)}**", findings(warnings, blob_url))
    configured = [change for change in plan.changes if change.action is Action.CONFIGURE]
    if moved := [c for c in configured if c.reason is Reason.CONNECTION_CHANGED]:
        first = (
            f"**{count(len(moved), 'connection')} change{'s' if len(moved) == 1 else ''}:** once"
        )
        yield alert(
            "WARNING", f"{first} merged, this is what is spoken to.", _configured(moved, blob_url)
        )
    if opened := [c for c in configured if _opens_keys(c)]:
        yield alert("WARNING", "**Who can open keys changes.**", _configured(opened, blob_url))
    if unknown := [t for t in plan.targets if t.status == "unknown"]:
        first = f"**{count(len(unknown), 'target')} could not be checked:** nothing changes there."
        yield alert("WARNING", first, _found(unknown))
    if assumed := [t for t in plan.targets if t.status == "assumed"]:
        first = (
            f"**Nobody looked at {count(len(assumed), 'target')}:** the plan takes for granted what "
            "is there."
        )
        yield alert("NOTE", first, [_assumed(target) for target in assumed])


def _outage(places: Sequence[str]) -> Part:
    """Return the box that says whom a revocation takes down at once, or an anchor that goes."""
    first = (
        f"**{worded(len(places))}:** what is served there is revoked, or trusted no more, at once"
        " (`immediate: true`), and nothing takes its place yet."
    )
    return alert("CAUTION", first, [code(place) for place in places], share=0.3)


def _opens_keys(change: Change) -> bool:
    terms = change.address.startswith(("crl/", "ocsp/", "bundle/"))
    return change.reason is not Reason.CONNECTION_CHANGED and not terms


def _is_lasting(block: Block) -> bool:
    """Whether a block does what nobody can undo: what is replaced below a CA trusts its new key alone."""
    ours = block.subject.startswith("authority/")  # its key goes with a CA that is forgotten
    gone = ours and block.kind in (Kind.REPLACE, Kind.FORGET)
    return gone or block.kind in (Kind.REVOKE, Kind.REMOVE)


def _undoable(lasting: Sequence[Block], blob_url: str) -> Part:
    number = count(len(lasting), "action")
    return alert(
        "CAUTION",
        f"**{number} cannot be undone:**",
        [_lasting(block, blob_url) for block in lasting],
        share=0.3,
    )


def _lasting(block: Block, blob_url: str) -> str:
    said = f"**{block.kind.value.legend}** {what(block)}"
    if block.kind is Kind.REVOKE:
        said += f" {code(block.lead.address.partition('#')[2])}"
    if block.kind is Kind.REMOVE and (places := where(block)):
        said += f" from {places}"
    anyway = ", due anyway" if block.lead.due else ", not of this pull request"
    whose = anyway if block.lead.proposed is False else ""
    return f"{said}: {prose(flowing(why(block)))}{whose}{link(block.lead.source, blob_url)}"


def _configured(changes: Sequence[Change], blob_url: str) -> list[str]:
    return [
        f"{code(each.address)}{link(each.source, blob_url)}: {prose(flowing(each.message))}"
        + "".join(f"<br>{_both(field)}" for field in each.fields[:_MOST])
        for each in changes
    ]


def _both(field: FieldChange) -> str:
    """Return a field's old and new value, each as it is: somebody has to recognise an address."""
    if isinstance(field.before, list | tuple) and isinstance(field.after, list | tuple):
        return prose(brief(field))
    return f"{prose(field.path)}: {_value(field.before)} → {_value(field.after)}"


def _value(value: object) -> str:
    if value is None:
        return "nothing"
    return code(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))


def _found(targets: Sequence[TargetReport]) -> list[str]:
    return [f"{code(t.name)}: {prose(flowing(t.detail or 'no reason given'))}" for t in targets]


def _assumed(target: TargetReport) -> str:
    held = count(target.certificates, "certificate") if target.certificates else "nothing"
    why = f": {prose(flowing(target.detail))}" if target.detail else ""
    return f"{code(target.name)}, taken to hold {held}{why}"


def findings(diagnostics: Sequence[Diagnostic], blob_url: str) -> list[str]:
    """Return a line for each finding, errors first, each with what to do and where it is."""
    graver = sorted(diagnostics, key=lambda found: found.severity is not Severity.ERROR)
    return [_finding(found, blob_url) for found in graver]


def _finding(found: Diagnostic, blob_url: str) -> str:
    parts = [prose(flowing(found.summary)) + link(found.source, blob_url)]
    parts += [prose(flowing(found.detail))] if found.detail else []
    parts += [f"<i>{prose(flowing(found.hint))}</i>"] if found.hint else []
    return "<br>".join(parts)
