"""What documents are called: after what others call theirs, each name once."""

import re
from collections.abc import Iterable, Mapping

from reconciler.diagnostics import Diagnostic
from reconciler.load.documents import Document, read_documents
from reconciler.load.files import read_files
from reconciler.load.trees import Tree

_LONGEST = 63
_SHARED = {"Issuer": "Authority"}
"""Kinds that have one set of names with another."""


def plain(wish: str, otherwise: str = "imported") -> str:
    """Return a name of ours after any text."""
    lowered = wish.lower().replace("*.", "wildcard-")
    return re.sub(r"[^a-z0-9]+", "-", lowered).strip("-")[:_LONGEST].rstrip("-") or otherwise


class Names:
    """The names that are taken; those of a repository that is there already among them."""

    def __init__(self, taken: Mapping[str, Iterable[str]] | None = None) -> None:
        self._taken = {kind: set(names) for kind, names in (taken or {}).items()}

    def free(self, kind: str, wish: str) -> str:
        """Return a name after a wish, a number added where it is taken."""
        taken = self._taken.setdefault(_SHARED.get(kind, kind), set())
        whole, number = plain(wish), 1
        name = whole
        while name in taken:
            number += 1
            end = f"-{number}"
            name = whole[: _LONGEST - len(end)].rstrip("-") + end
        taken.add(name)
        return name


def documents_of(tree: Tree) -> tuple[tuple[Document, ...], tuple[Diagnostic, ...]]:
    """Return the documents of a repository, whether they are valid or not, and what is wrong so far."""
    read = read_documents(read_files(tree))
    return read.documents, read.diagnostics


def names_in(documents: Iterable[Document]) -> Names:
    """Return the names that documents have."""
    taken: dict[str, set[str]] = {}
    for document in documents:
        if document.name:
            taken.setdefault(_SHARED.get(document.kind, document.kind), set()).add(document.name)
    return Names(taken)
