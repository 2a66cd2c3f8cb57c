"""The register of key objects: every one this clone ever held and has not seen gone.

It lies in the repository's own folder, and an object is listed before it is written or loses the
ref that named it, so that a crash leaves nothing that nobody would erase.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from reconciler.git import Git, full
from reconciler.ledger.disk import exclusive, sync

_REGISTER = "key-objects"


class Register:
    """The key objects this clone ever held and has not seen gone, one id a line."""

    def __init__(self, place: Path) -> None:
        self._place = place
        # A line of another length names nothing.
        lines = place.read_text().split("\n") if place.exists() else []
        self.listed = frozenset(line for line in lines if len(line) in (40, 64))

    def replace(self, listed: frozenset[str]) -> None:
        """Make the list another one, durably and at once."""
        if listed == self.listed:
            return
        draft = self._place.with_suffix(".new")
        with draft.open("w") as file:
            file.writelines(f"{object_id}\n" for object_id in sorted(listed))
            file.flush()
            os.fsync(file.fileno())
        draft.replace(self._place)
        sync(self._place.parent)
        self.listed = listed


@contextmanager
def register(directory: Path) -> Iterator[Register]:
    """Hold the register against other processes of this clone, waiting for them.

    A writer holds it from before its objects are written until a ref names them, so that nobody
    takes them for leftovers.
    """
    with exclusive(directory, _REGISTER) as folder:
        yield Register(folder / _REGISTER)


def reachable(git: Git, tip: str) -> frozenset[str]:
    """Return every object of a keys commit."""
    listing = git.run("rev-list", "--objects", "--no-object-names", full(tip))
    return frozenset(listing.decode().split())
