"""What a user is told about a mistake: where it is, what is wrong and what to do next."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from schemas.plan import Source


class Severity(StrEnum):
    """An error stops the run, a warning does not."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One finding. `summary` is one line; `hint` says what to do."""

    severity: Severity
    summary: str
    source: Source | None = None
    detail: str = ""
    hint: str = ""


def error(
    summary: str, source: Source | None = None, *, detail: str = "", hint: str = ""
) -> Diagnostic:
    """Return a finding that stops the run."""
    return Diagnostic(Severity.ERROR, summary, source, detail, hint)


def warning(
    summary: str, source: Source | None = None, *, detail: str = "", hint: str = ""
) -> Diagnostic:
    """Return a finding that does not."""
    return Diagnostic(Severity.WARNING, summary, source, detail, hint)


def in_order(diagnostics: Iterable[Diagnostic]) -> tuple[Diagnostic, ...]:
    """Return findings by place, repeats left out."""
    unique = dict.fromkeys(diagnostics)
    return tuple(
        sorted(
            unique,
            key=lambda d: (
                (d.source.file, d.source.line, d.source.column) if d.source else ("", 0, 0),
                d.summary,
            ),
        )
    )


def has_errors(diagnostics: Iterable[Diagnostic]) -> bool:
    """Whether any finding stops the run."""
    return any(d.severity is Severity.ERROR for d in diagnostics)
