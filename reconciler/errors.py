"""What the reconciler raises, each with the exit code the command ends with.

ReconcilerError (1)
├── InvalidInput (1)    the repository's documents, or an argument, are wrong: diagnostics
├── Refused (3)         stale or unreviewed plan, guard, ledger, lock
│   ├── Unsafe          too much at once, or a wrong clock
│   ├── LedgerRefused   missing, foreign, rolled back, unsigned
│   └── Locked          somebody else is writing
├── Incomplete (4)      some changes were applied and some were not
└── Interrupted (130)   a signal asked to stop
"""

from collections.abc import Mapping, Sequence
from typing import ClassVar

from reconciler.diagnostics import Diagnostic, error


class ReconcilerError(Exception):
    """Something the user must hear of. `detail` may be several lines; `hint` says what to do next."""

    exit_code: ClassVar[int] = 1

    def __init__(self, message: str, *, detail: str = "", hint: str = "") -> None:
        super().__init__(message)
        self.detail = detail
        self.hint = hint

    @property
    def diagnostics(self) -> tuple[Diagnostic, ...]:
        """The findings to show."""
        return (error(str(self), detail=self.detail, hint=self.hint),)

    @property
    def sources(self) -> Mapping[str, str]:
        """The texts that findings point into, by file, as far as they were read."""
        return {}


class InvalidInput(ReconcilerError):
    """Documents or arguments are wrong."""

    def __init__(
        self, diagnostics: Sequence[Diagnostic], sources: Mapping[str, str] | None = None
    ) -> None:
        super().__init__("\n".join(d.summary for d in diagnostics))
        self._diagnostics = tuple(diagnostics)
        self._sources = sources or {}

    @property
    def diagnostics(self) -> tuple[Diagnostic, ...]:
        """The findings to show."""
        return self._diagnostics

    @property
    def sources(self) -> Mapping[str, str]:
        """The texts that were read."""
        return self._sources


class Refused(ReconcilerError):
    """Certform will not do this as things stand."""

    exit_code: ClassVar[int] = 3


class Unsafe(Refused):
    """The guard has findings, each with a hint of its own."""

    def __init__(self, diagnostics: Sequence[Diagnostic]) -> None:
        super().__init__("\n".join(d.summary for d in diagnostics))
        self._diagnostics = tuple(diagnostics)

    @property
    def diagnostics(self) -> tuple[Diagnostic, ...]:
        """The findings to show."""
        return self._diagnostics


class LedgerRefused(Refused):
    """The ledger is missing, foreign, rolled back or unsigned."""


class Locked(Refused):
    """Somebody else is writing the ledger."""


class Incomplete(ReconcilerError):
    """Some changes were applied and some were not."""

    exit_code: ClassVar[int] = 4


class Interrupted(ReconcilerError):
    """A signal asked to stop, and nothing more was begun."""

    exit_code: ClassVar[int] = 130
