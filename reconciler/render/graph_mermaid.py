"""A chart as a Mermaid flowchart, which GitHub draws in Markdown (https://mermaid.js.org/syntax/flowchart.html).

A label is text in quotes; whatever is no letter, digit or plain sign is written as a character code, so that
no name can end the label, begin a directive or a link, or close the block around it.
"""

from collections.abc import Iterator

from reconciler.impact import Impact
from reconciler.render.escape import visible
from reconciler.render.graph_chart import Box, BoxKind, Chart, chart

_PLAIN = frozenset(" .,:/-_()")
_LONGEST = 60
_SHAPES = {
    BoxKind.AUTHORITY: ("[", "]"),
    BoxKind.CERTIFICATES: ("([", "])"),
    BoxKind.PLACE: ("[/", "/]"),
    BoxKind.BUNDLE: ("{{", "}}"),
}


def render_mermaid(fallen: Impact) -> str:
    """Return what falls as the text of a Mermaid flowchart."""
    return drawn(chart(fallen))


def drawn(shown: Chart) -> str:
    """Return a chart as the text of a Mermaid flowchart."""
    return "".join(f"{line}\n" for line in _lines(shown))


def _lines(shown: Chart) -> Iterator[str]:
    yield "flowchart LR"
    for place, box in enumerate(shown.boxes):
        opening, closing = _SHAPES[box.kind]
        yield f'  n{place}{opening}"{_label(box)}"{closing}'
    for arrow in shown.arrows:
        yield f"  n{arrow.start} {'-.->' if arrow.dotted else '-->'} n{arrow.end}"
    if shown.left_out:
        yield f'  more["{escaped(shown.left_out)}"]'
    if grave := [f"n{place}" for place, box in enumerate(shown.boxes) if box.warnings]:
        yield "  classDef grave stroke:#c4320a,stroke-width:2px"
        yield f"  class {','.join(grave)} grave"


def _label(box: Box) -> str:
    return "<br/>".join(map(escaped, (*box.lines, *box.warnings)))


def escaped(text: str) -> str:
    """Return text for a label in quotes."""
    seen = visible(text)
    cut = seen if len(seen) <= _LONGEST else f"{seen[: _LONGEST - 1]}…"
    return "".join(c if c.isalnum() or c in _PLAIN else f"#{ord(c)};" for c in cut)
