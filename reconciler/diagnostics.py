"""What a user is told about a mistake: where it is, what is wrong and what to do next."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Self

from schemas.plan import Source

MOST_FINDINGS = 1_000
"""More than these nobody reads, and whoever proposes a change could have a machine make them for ever."""


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


class TooMany(Exception):
    """There is more wrong than is worth telling; the findings say so."""


class Findings(list[Diagnostic]):
    """Findings as they are made; raises `TooMany` where somebody adds to more than enough."""

    def append(self, finding: Diagnostic, /) -> None:
        """Add one."""
        full = len(self) >= MOST_FINDINGS
        super().append(
            error("there is more wrong than that: put this right first") if full else finding
        )
        if full:
            raise TooMany

    def extend(self, findings: Iterable[Diagnostic], /) -> None:
        """Add several, and let no more be made than are taken."""
        for finding in findings:
            self.append(finding)

    def __iadd__(self, findings: Iterable[Diagnostic], /) -> Self:  # type: ignore[override,misc]
        self.extend(findings)
        return self


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
