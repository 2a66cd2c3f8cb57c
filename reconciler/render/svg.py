"""Pictures as SVG that certform writes itself: no script, nothing fetched, readable by day and by night.

Colours are classes of one style sheet, which follows `prefers-color-scheme`; what a picture shows is
told in words by its `title` and `desc` (WAI-ARIA Graphics, SVG 2 section 5.8).
"""

from collections.abc import Iterable, Sequence
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from reconciler.render.escape import visible

NAMESPACE = "http://www.w3.org/2000/svg"
AVERAGE = 0.55
"""How wide a character is on the average, as a share of the font's size."""
SERIES = 6
"""How many colours there are for kinds of things."""

_LIGHT = {
    "paper": "#ffffff",
    "ink": "#1f2328",
    "faint": "#59636e",
    "rule": "#d1d9e0",
    "grave": "#c4320a",
    "box": "#f6f8fa",
    "s0": "#2563b8",
    "s1": "#0e8a7d",
    "s2": "#7b4fc9",
    "s3": "#b7791f",
    "s4": "#5f8f1f",
    "s5": "#8c959f",
}
_DARK = {
    "paper": "#0d1117",
    "ink": "#e6edf3",
    "faint": "#9198a1",
    "rule": "#30363d",
    "grave": "#ff9b70",
    "box": "#161b22",
    "s0": "#6ba6f5",
    "s1": "#45c4b0",
    "s2": "#b79bf2",
    "s3": "#e0b252",
    "s4": "#a3cc5c",
    "s5": "#6e7681",
}
_SHAPES = """
text{font:12px ui-sans-serif,system-ui,-apple-system,"Segoe UI",Helvetica,Arial,sans-serif}
text.title{font-size:19px;font-weight:600}text.strong{font-weight:600}text.small{font-size:11px}
text.mono{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,monospace}
.thin{fill:none;stroke-width:1}.thick{fill:none;stroke-width:2.5;stroke-linejoin:round}
.dashed{stroke-dasharray:4 4}.dotted{stroke-dasharray:1.5 4;stroke-linecap:round}
"""


def drawing(width: int, height: int, title: str, description: str) -> Element:
    """Return an empty picture with its style sheet; what it shows is told to who cannot see it."""
    root = Element(
        "svg",
        {
            "xmlns": NAMESPACE,
            "viewBox": f"0 0 {width} {height}",
            "width": str(width),
            "height": str(height),
            "role": "img",
            "aria-labelledby": "title desc",
        },
    )
    SubElement(root, "title", {"id": "title"}).text = visible(title)
    SubElement(root, "desc", {"id": "desc"}).text = visible(description)
    SubElement(root, "style").text = _style()
    box(root, (0.5, 0.5, width - 1, height - 1), "fill-paper stroke-rule thin", radius=8)
    return root


def _style() -> str:
    dark = "".join(_rules(_DARK))
    light = "".join(_rules(_LIGHT))
    return f"{_SHAPES}{light}@media (prefers-color-scheme:dark){{{dark}}}"


def _rules(colours: dict[str, str]) -> Iterable[str]:
    for name, colour in colours.items():
        yield f".fill-{name}{{fill:{colour}}}.stroke-{name}{{stroke:{colour}}}"


def box(
    parent: Element, frame: tuple[float, float, float, float], look: str, *, radius: float = 0
) -> Element:
    """Draw a rectangle: its left, its top, its width and its height."""
    x, y, width, height = frame
    place = {"x": _n(x), "y": _n(y), "width": _n(width), "height": _n(height), "class": look}
    return SubElement(parent, "rect", {**place, **({"rx": _n(radius)} if radius else {})})


def line(parent: Element, points: Sequence[tuple[float, float]], look: str) -> Element:
    """Draw a line through some points."""
    joined = " ".join(f"{_n(x)},{_n(y)}" for x, y in points)
    return SubElement(parent, "polyline", {"points": joined, "class": look})


def path(parent: Element, commands: str, look: str) -> Element:
    """Draw a path (SVG 2 section 9)."""
    return SubElement(parent, "path", {"d": commands, "class": look})


def text(
    parent: Element, at: tuple[float, float], words: str, look: str, *, anchor: str = "start"
) -> Element:
    """Write one line of text; `anchor` says which end of it stands there."""
    place = {"x": _n(at[0]), "y": _n(at[1]), "class": look}
    written = SubElement(parent, "text", {**place, "text-anchor": anchor})
    written.text = visible(words)
    return written


def told(element: Element, words: str) -> Element:
    """Say in words what an element is, for a pointer that rests on it."""
    title = Element("title")
    title.text = visible(words)
    element.insert(0, title)
    return element


def fitted(words: str, room: float, size: float = 12) -> str:
    """Return as much of a text as fits in so many pixels, with an ellipsis where some is left out."""
    most = max(1, int(room / (size * AVERAGE)))
    seen = visible(words)
    return seen if len(seen) <= most else f"{seen[: most - 1]}…"


def written(root: Element) -> str:
    """Return a picture as text."""
    indent(root, " ")
    return tostring(root, encoding="unicode") + "\n"


def _n(number: float) -> str:
    return f"{number:.1f}".removesuffix(".0")
