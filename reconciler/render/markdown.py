"""A plan as GitHub-flavoured Markdown, for a comment or a job summary, cut to a limit if asked."""

from collections.abc import Iterator, Sequence
from urllib.parse import quote

from reconciler.render.blocks import Block, blocks, place_of, subject_of
from reconciler.render.escape import code, fence, flowing, inert, prose
from reconciler.render.fields import brief
from reconciler.render.story import Line, in_short, tell
from reconciler.render.summary import (
    count,
    counts,
    documents_of,
    matching,
    next_expiry,
    what_if,
)
from reconciler.render.text import costs, shortened
from reconciler.render.vocabulary import ISSUES, Kind, by_risk
from schemas.plan import Change, Plan, Source, TargetReport

_SAMPLE = 10
"""How many warnings, or places of one row, are named before the rest is a number."""
_KEPT = frozenset({">", "!", ".", "?"})
"""Signs that a `diff` block has no colour for, so that they are written out."""
_RESERVE = 300
"""Characters kept free for the sentences that say what was left out."""


def render_markdown(plan: Plan, limit: int | None = None, *, blob_url: str = "") -> str:
    """Return a plan of at most `limit` characters; rows and blocks are left out whole, and counted.

    `blob_url`, such as `https://github.com/o/r/blob/SHA`, makes sources links. A limit below some
    4,000 characters may not be kept: header and warnings are always whole.
    """
    head, foot = _head(plan), _foot(plan)
    told = sorted(blocks(plan.changes), key=lambda block: by_risk(block.kind))
    room = None if limit is None else limit - len(head) - len(foot) - _RESERVE
    table = _table(told, None if room is None else room // 2, blob_url)
    details = _details(told, plan, None if room is None else room - len(table))
    return "\n\n".join(filter(None, (head, table, details, foot))) + "\n"


def _head(plan: Plan) -> str:
    title = counts(plan) if plan.changes else "no changes"
    parts = [f"### Certificates: {title} ({prose(plan.project)})"]
    if ahead := what_if(plan):
        parts.append(_alert("NOTE", [prose(ahead)]))
    if irreversible := [b for b in blocks(plan.changes) if b.kind is Kind.REVOKE]:
        parts.append(_alert("CAUTION", _undoable(irreversible)))
    if unknown := [t for t in plan.targets if t.status == "unknown"]:
        lines = [
            f"{code(t.name)}: {prose(flowing(t.detail or 'no reason given'))}" for t in unknown
        ]
        first = f"**{count(len(unknown), 'target')} could not be checked:** nothing changes there."
        parts.append(_alert("WARNING", [first, *_sample(lines)]))
    if plan.selection:
        parts.append(f"Only: {', '.join(_sample([code(s) for s in plan.selection]))}")
    return "\n\n".join(parts)


def _undoable(revoked: Sequence[Block]) -> list[str]:
    first = f"**{count(len(revoked), 'action')} cannot be undone:**"
    lines = [f"revoke {_what(b)} {code(_serial(b.lead))}: {prose(_why(b))}" for b in revoked]
    return [first, *_sample(lines)]


def _serial(change: Change) -> str:
    return change.address.partition("#")[2]


def _sample(lines: list[str]) -> list[str]:
    rest = len(lines) - _SAMPLE
    return [*lines[:_SAMPLE], f"and {rest:,} more"] if rest > 0 else lines


def _alert(level: str, lines: Sequence[str]) -> str:
    first, *rest = lines
    return "\n".join([f"> [!{level}]", f"> {first}", *(f"> - {line}" for line in rest)])


def _table(told: Sequence[Block], room: int | None, blob_url: str) -> str:
    if not told:
        return ""
    header = "| | What | Change | Why | Where |\n|--|--|--|--|--|"
    rows = [_row(block, blob_url) for block in told]
    kept = _fitting(rows, None if room is None else room - len(header))
    left = len(rows) - kept
    more = f"\n\n**{left:,} more** without a row here." if left else ""
    return "\n".join((header, *rows[:kept])) + more


def _row(block: Block, blob_url: str) -> str:
    form = block.kind.value
    verb = f"**{form.legend}**" if by_risk(block.kind) <= by_risk(Kind.BLOCKED) else form.legend
    why = prose(flowing(_why(block))) + _link(block.lead.source, blob_url)
    cells = (code(form.sign), _what(block), verb, why, _where(block))
    return f"| {' | '.join(cells)} |"


def _what(block: Block) -> str:
    if block.kind is Kind.PUBLISH and block.others:
        return count(len(block.changes), "file")
    if block.kind is Kind.PUBLISH:
        return code(block.lead.address)
    return code(subject_of(block.subject))


def _why(block: Block) -> str:
    lead = block.lead
    if block.kind is Kind.REVOKE:
        reason = str((lead.after or {}).get("reason", lead.reason))
        return lead.message if reason in lead.message else f"{lead.message} ({reason})"
    if lead.fields and block.kind in ISSUES:
        return "; ".join(brief(field) for field in lead.fields)
    messages = list(dict.fromkeys(change.message for change in block.changes))
    return lead.message if block.kind in ISSUES else "; ".join(messages[:3])


def _where(block: Block) -> str:
    if block.kind is Kind.PUBLISH:
        files = [(change.after or {}).get("file", change.address) for change in block.changes]
        return ", ".join(_sample([code(str(file)) for file in files]))
    places = [place_of(change.address) for change in block.changes]
    return ", ".join(_sample([code(place) for place in places if place]))


def _link(source: Source | None, blob_url: str) -> str:
    if source is None:
        return ""
    shown = code(str(source))
    if not blob_url:
        return f" ({shown})"
    return f' (<a href="{blob_url}/{quote(source.file)}#L{source.line}">{shown}</a>)'


def _details(told: Sequence[Block], plan: Plan, room: int | None) -> str:
    if not told:
        return ""
    texts = list(_diff_texts(told, plan))
    kept = _fitting(texts, None if room is None else room - _RESERVE)
    left = len(texts) - kept
    if not kept:
        return f"The full plan ({left:,} changes) does not fit here."
    content = "\n".join(texts[:kept]).rstrip("\n")
    lines = content.count("\n") + 1
    more = f"\n\n**{left:,} more** changes do not fit here." if left else ""
    title = f"<details><summary>Full plan: {count(lines, 'line')}</summary>"
    return f"{title}\n\n{fence(content, 'diff')}{more}\n\n</details>"


def _diff_texts(told: Sequence[Block], plan: Plan) -> Iterator[str]:
    states = {target.name: str(target.status) for target in plan.targets}
    full, short = shortened(tuple(told))
    for block in full:
        yield "".join(f"{_diff_line(line)}\n" for line in tell(block, states))
    for rest in short.values():
        yield from (_diff_line(in_short(block)) for block in rest)


def _diff_line(line: Line) -> str:
    if line.heading:
        return inert(f"# {line.text}  {line.source}".rstrip())
    sign = f"{line.sign} " if line.sign in _KEPT else ""
    return inert(f"{_column(line)}{'    ' * line.depth} {sign}{line.text}".rstrip())


def _column(line: Line) -> str:
    """Return what GitHub colours a line of a `diff` block by: its first character."""
    if not line.sign:
        return " "
    by_sign = {"+": "+", "-": "-", "~": "!", ">": "+"}
    return by_sign.get(line.sign) or (line.kind.value.column if line.kind else " ")


def _fitting(texts: Sequence[str], room: int | None) -> int:
    """Return how many texts fit, with two characters to join each; all of them without a limit."""
    if room is None:
        return len(texts)
    used = 0
    for place, text in enumerate(texts):
        used += len(text) + 2
        if used > room:
            return place
    return len(texts)


def _costs(target: TargetReport) -> list[str]:
    return list(costs(target.budget)) if target.budget else []


def _foot(plan: Plan) -> str:
    parts = [] if plan.changes else [matching(plan)]
    parts += [f"{code(t.name)}: {'; '.join(said)}." for t in plan.targets if (said := _costs(t))]
    if expiry := next_expiry(plan):
        parts.append(f"Next expiry: {prose(expiry)}.")
    if plan.changes:
        parts.append(f"Plan {code(plan.digest)}.")
    parts.append(f"Documents: {code(documents_of(plan))}.")
    return " ".join(parts)
