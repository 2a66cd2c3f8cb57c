"""The refs of a ledger: their names, where they are, and one that moves."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from reconciler.git import Git

KEYS, LOCK, SEEN = "refs/certform/keys", "refs/certform/lock", "refs/certform/seen"
NAMES = ("ledger", "keys", "lock")
"""What the refs at the ledger's place are called where this repository follows them."""


@dataclass(frozen=True, slots=True)
class Tips:
    """The three refs of a ledger as full commit ids, None where there is none.

    `seen` is the last tip this clone had accepted before the others were read, so that a writer
    who moves on meanwhile is not taken for a roll-back.
    """

    ledger: str | None = None
    keys: str | None = None
    lock: str | None = None
    seen: str | None = field(default=None, compare=False)

    def values(self) -> tuple[str | None, str | None, str | None]:
        """Return the three in the order of `NAMES`."""
        return self.ledger, self.keys, self.lock


@dataclass(frozen=True, slots=True)
class Move:
    """One ref from one value to another; None stands for absence."""

    ref: str
    old: str | None
    new: str | None

    def line(self) -> str:
        """Return the move in the language of `git update-ref --stdin`."""
        nothing = "0" * len(self.new or self.old or "")
        if self.new is None:
            return f"delete {self.ref} {self.old}\n"
        return f"update {self.ref} {self.new} {self.old or nothing}\n"


def tracking(name: str) -> str:
    """Return the ref that follows one of the remote's."""
    return f"refs/certform/remote/{name}"


def read_refs(git: Git, names: Iterable[str]) -> dict[str, str]:
    """Return the full object ids of those refs that exist."""
    wanted = tuple(names)
    lines = git.run("for-each-ref", "--format=%(refname) %(objectname)", "--", *wanted).decode()
    found = dict(line.split(" ") for line in lines.splitlines())
    return {name: found[name] for name in wanted if name in found}


def read_one(git: Git, name: str) -> str | None:
    """Return the full object id of a ref, None where it does not exist."""
    return read_refs(git, (name,)).get(name)
