"""Where a directory of ours is, and how it is reached without being led astray.

A repository is written by whoever may propose a change to it, and git keeps symbolic links: one
called `pki` that points at /etc would send a relative path there. So below the repository's folder
no link is followed. Any other path is the operator's own words, links and all.
"""

import errno
from dataclasses import dataclass
from pathlib import Path

from providers.errors import Unreachable
from providers.local.folder import DIRECTORY_MODE, Folder


@dataclass(frozen=True, slots=True)
class Location:
    """A directory by its path, and the repository below which no link is followed."""

    path: Path
    repository: Path

    @classmethod
    def of(cls, repository: Path, path: str) -> "Location":
        """Return where a path leads; a relative one starts at the repository."""
        return cls(repository / path, repository)

    def open(self) -> Folder:
        """Open the directory; raises OSError, or `Unreachable` naming a link or a file on the way."""
        try:
            if not self._inside:
                return Folder.open(self.path)
        except NotADirectoryError:
            raise _not_a_directory(self.path) from None
        return self._descend(make=False)

    def make(self) -> Folder:
        """Open the directory, created with those above it where needed; raises as `open` does."""
        if self._inside:
            return self._descend(make=True)
        try:
            self.path.mkdir(DIRECTORY_MODE, parents=True, exist_ok=True)
        except (FileExistsError, NotADirectoryError):
            raise _not_a_directory(self.path) from None
        return self.open()

    @property
    def _inside(self) -> bool:
        return self.path.is_relative_to(self.repository)

    def _descend(self, *, make: bool) -> Folder:
        """Walk down from the repository, one directory at a time."""
        here, folder = self.repository, Folder.open(self.repository)
        for part in self.path.relative_to(here).parts:
            here /= part
            with folder:
                folder = _enter(folder, part, here, make=make)
        return folder


def _enter(folder: Folder, name: str, path: Path, *, make: bool) -> Folder:
    try:
        return folder.enter(name)
    except FileNotFoundError:
        if not make:
            raise
        return folder.make(name)
    except OSError as error:
        if error.errno not in (errno.ELOOP, errno.ENOTDIR):
            raise
        target = folder.target(name)
    raise _not_a_directory(path) if target is None else _link(path, target)


def _link(path: Path, target: str) -> Unreachable:
    return Unreachable(
        f"{path} is a symbolic link to {target}, and links inside the repository are not followed: "
        "a proposed change could bring one. Make it a directory, or name in full the path it leads to"
    )


def _not_a_directory(path: Path) -> Unreachable:
    return Unreachable(f"{path} is not a directory: move it away, or name another path")
