"""The register of key objects: every one this clone ever held and has not seen gone.

What it lists gets deleted, so nothing is entered that was not written here or is not proved to be
part of a keys commit. It lies in the repository's own folder, and an object is listed before it is
written or loses the ref that named it, so that a crash leaves nothing that nobody would erase.
"""

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from reconciler.git import Git
from reconciler.ledger.bundles import key_objects
from reconciler.ledger.disk import exclusive, sync

_REGISTER = "key-objects"


class Register:
    """The key objects this clone ever held and has not seen gone, one id a line."""

    def __init__(self, place: Path) -> None:
        self._place = place
        # A line of another length names nothing.
        lines = place.read_text().split("\n") if place.exists() else []
        self.listed = frozenset(line for line in lines if len(line) in (40, 64))

    def enter(self, git: Git, tips: Iterable[str], public_key: str | None) -> None:
        """List what keys commits consist of, but nothing that the user's own work consists of too."""
        # a commit that is listed was listed with all it consists of
        fresh = (tip for tip in tips if tip not in self.listed)
        objects = frozenset[str]().union(*(key_objects(git, tip, public_key) for tip in fresh))
        if new := objects - self.listed:
            self.replace(self.listed | new - _in_use(git))

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


def _in_use(git: Git) -> frozenset[str]:
    """Return every object that the user's branches, logs and index need."""
    everything = ("--exclude=refs/certform/*", "--all", "--reflog", "--indexed-objects")
    # a partial clone is not to fetch what it lacks
    options = ("--objects", "--no-object-names", "--missing=allow-any")
    listing = git.run("rev-list", *options, *everything)
    return frozenset(listing.decode().split())
