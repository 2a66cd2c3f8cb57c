"""Findings as a compiler shows them: what is wrong, the line it is on, and what to do next."""

from collections.abc import Callable, Iterable, Iterator
from unicodedata import east_asian_width

import click

from reconciler.diagnostics import Diagnostic, Severity
from reconciler.render.escape import inert, visible, visible_lines
from reconciler.render.summary import count
from schemas.pkcs11 import without_pin
from schemas.plan import Source

Sources = Callable[[str], str | None]
"""Returns the text of a file of the repository, None where there is none to show."""

_TITLES = {Severity.ERROR: ("Error", "bright_red"), Severity.WARNING: ("Warning", "yellow")}
_WINDOW = 96
"""The longest excerpt of a source line, in characters."""


def render_diagnostics(diagnostics: Iterable[Diagnostic], sources: Sources, *, colour: bool) -> str:
    """Return findings in the order given, each with its source line, and how many there are."""
    told = tuple(diagnostics)
    lines = _Lines(sources)
    sections = ["\n".join(map(inert, _told(d, lines, colour=colour))) for d in told]
    return "\n\n".join([*sections, tally(told)]) + "\n" if told else ""


def tally(diagnostics: Iterable[Diagnostic]) -> str:
    """Return how many errors and warnings there are, `3 errors, 1 warning`."""
    severities = [diagnostic.severity for diagnostic in diagnostics]
    numbers = {severity: severities.count(severity) for severity in Severity}
    return ", ".join(count(n, str(severity)) for severity, n in numbers.items() if n)


class _Lines:
    """The lines of source files as they may be shown, each file read and split once."""

    def __init__(self, sources: Sources) -> None:
        self._sources = sources
        self._known: dict[str, list[str]] = {}

    def line(self, source: Source) -> str | None:
        if source.file not in self._known:
            text = without_pin(self._sources(source.file) or "")
            self._known[source.file] = text.split("\n")
        lines = self._known[source.file]
        return lines[source.line - 1] if 0 < source.line <= len(lines) else None


def _told(diagnostic: Diagnostic, lines: _Lines, *, colour: bool) -> Iterator[str]:
    title, shade = _TITLES[diagnostic.severity]
    label = click.style(f"{title}:", fg=shade, bold=True) if colour else f"{title}:"
    yield f"{label} {visible(diagnostic.summary)}"
    if diagnostic.source:
        yield from _placed(diagnostic.source, lines.line(diagnostic.source))
    for line in visible_lines(diagnostic.detail):
        yield f"  {inert(line)}"
    for place, line in enumerate(visible_lines(diagnostic.hint)):
        yield f"  {'hint:' if place == 0 else '     '} {line}"


def _placed(source: Source, line: str | None) -> Iterator[str]:
    yield f"  on {visible(source.file)}:{source.line}:{source.column}"
    if line is None or not line.strip():
        return
    start = max(0, source.column - 1 - _WINDOW // 2) if len(line) > _WINDOW else 0
    before = _excerpt(line[start : max(start, source.column - 1)])
    rest = _excerpt(line[max(start, source.column - 1) : start + _WINDOW])
    left, right = "…" if start else "", "…" if start + _WINDOW < len(line) else ""
    number = f"{source.line:>5}"
    yield f"{number} | {left}{before}{rest}{right}"
    yield f"{' ' * len(number)} | {' ' * _columns(left + before)}^"


def _excerpt(text: str) -> str:
    return visible(text.rstrip("\r").replace("\t", " "))


def _columns(text: str) -> int:
    """Return how many columns a terminal needs for a text: wide characters take two."""
    return sum(2 if east_asian_width(c) in "WF" else 1 for c in text)
