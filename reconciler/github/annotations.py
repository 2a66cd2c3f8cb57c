"""Findings as remarks on the lines of a file, as GitHub shows them."""

from collections.abc import Iterable, Sequence
from pathlib import PurePosixPath

from reconciler.diagnostics import Diagnostic, Severity
from reconciler.github.workflow import Annotation, Level
from reconciler.render.escape import visible, visible_lines

ROOT = PurePosixPath()
_LEVELS = {Severity.ERROR: Level.ERROR, Severity.WARNING: Level.WARNING}


def annotated(
    diagnostics: Iterable[Diagnostic], folder: PurePosixPath = ROOT
) -> Sequence[Annotation]:
    """Return a remark for each finding; `folder` is where the Project is in the repository."""
    return [_annotation(each, folder) for each in diagnostics]


def _annotation(diagnostic: Diagnostic, folder: PurePosixPath) -> Annotation:
    lines = (*visible_lines(diagnostic.detail), *visible_lines(diagnostic.hint))
    source = diagnostic.source
    return Annotation(
        level=_LEVELS[diagnostic.severity],
        title=visible(diagnostic.summary),
        message="\n".join(lines) or visible(diagnostic.summary),
        file=str(folder / source.file) if source else "",
        line=source.line if source else 0,
        column=source.column if source else 0,
    )
