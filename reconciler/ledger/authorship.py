"""Who wrote a wave, by which command and from which documents: told by the lock and kept in history.

A commit of the ledger carries it as trailers (git-interpret-trailers(1)), the last paragraph of its
message.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from schemas.scalars import format_instant

ACCEPTS_TIME = "Accepts-Time"
"""The trailer of a wave that goes on with an earlier time; its value is the time given up."""


@dataclass(frozen=True, slots=True)
class Author:
    """Who writes. `documents` says which ones were read, `actor` on whose behalf; both may be unknown."""

    command: str = "certform"
    documents: str = ""
    actor: str = ""

    def trailers(self) -> dict[str, str]:
        """Return what a commit says of its author."""
        told = {"Command": self.command, "Documents": self.documents, "Actor": self.actor}
        return {name: value for name, value in told.items() if value}


def with_trailers(message: str, trailers: Mapping[str, str]) -> str:
    """Return a commit message that ends with trailers; what cannot be printed is replaced."""
    lines = (f"{name}: {_printable(value)}" for name, value in trailers.items())
    subject = "\n".join(map(_printable, message.split("\n")))
    return "\n\n".join([subject, "\n".join(lines)])


def trailers_of(message: str) -> dict[str, str]:
    """Return the trailers that end a commit message; a message of one paragraph has none."""
    subject, _, last = message.strip().rpartition("\n\n")
    lines = last.split("\n") if subject else []
    return dict(line.split(": ", 1) for line in lines if ": " in line)


def accepting(former: datetime) -> dict[str, str]:
    """Return the trailer with which a wave gives up the time of the one before it."""
    return {ACCEPTS_TIME: format_instant(former)}


def _printable(text: str) -> str:
    return "".join(c if c.isprintable() else "?" for c in text)
