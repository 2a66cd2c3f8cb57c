"""A whole plan as a `diff` block of Markdown, which GitHub colours by the first character of a line."""

from collections.abc import Iterator, Sequence

from reconciler.render.blocks import Block
from reconciler.render.escape import fenced, inert
from reconciler.render.room import Part
from reconciler.render.story import Line, in_short, tell
from reconciler.render.text import shortened
from schemas.plan import Plan

_KEPT = frozenset({">", "!", ".", "?"})
"""Signs that a `diff` block has no colour for, so that they are written out."""
_LONGEST = 400
"""Characters of one line; a longer one is cut, with an ellipsis."""


def diff(groups: Sequence[tuple[str, Sequence[Block]]], plan: Plan, rest: str) -> Part:
    """Return every block told in full, group by group; `rest` says where those are that do not fit."""
    texts = [text for title, told in groups for text in _texts(title, told, plan)]
    texts[-1:] = [text.rstrip("\n") for text in texts[-1:]]
    opening, ending = fenced("\n".join(texts), "diff")
    number = sum(text.count("\n") + 1 for text in texts)
    lines = f"{number:,} line" + ("" if number == 1 else "s")
    return Part(
        items=texts,
        rest=lambda left: f"\n\n{_missing(left)} not fit here{rest}.",
        opening=f"<details><summary>Full plan: {lines}</summary>\n\n{opening}\n",
        ending=f"\n{ending}",
        closing="\n\n</details>",
    )


def _missing(left: int) -> str:
    return "**1 more** change does" if left == 1 else f"**{left:,} more** changes do"


def _texts(title: str, told: Sequence[Block], plan: Plan) -> Iterator[str]:
    states = {target.name: str(target.status) for target in plan.targets}
    full, short = shortened(tuple(told))
    heading = [f"@@ {title} @@"] if title else []
    for block in full:
        yield "\n".join((*heading, *map(_line, tell(block, states)), ""))
        heading = []
    for others in short.values():
        yield from (_line(in_short(block)) for block in others)


def _line(line: Line) -> str:
    if line.heading:
        text = f"# {line.text}  {line.source}"
    else:
        sign = f"{line.sign} " if line.sign in _KEPT else ""
        text = f"{_column(line)}{'    ' * line.depth} {sign}{line.text}"
    text = inert(text.rstrip())
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


def _column(line: Line) -> str:
    """Return what GitHub colours a line of a `diff` block by: its first character."""
    if not line.sign:
        return " "
    by_sign = {"+": "+", "-": "-", "~": "!", ">": "+"}
    return by_sign.get(line.sign) or (line.kind.value.column if line.kind else " ")
