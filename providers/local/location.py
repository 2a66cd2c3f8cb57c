"""Where a directory of ours is, and how it is reached without being led astray.

A repository is written by whoever may propose a change to it, and git keeps symbolic links: one
called `pki` that points at /etc would send a relative path there. So below the repository's folder
no link is followed, by whatever name or link a path comes there. Any other path is the operator's
own words, links and all.
"""

import errno
import os
from dataclasses import dataclass
from pathlib import Path

from providers.errors import Unreachable
from providers.local.folder import DIRECTORY_MODE, Folder

_MOST_LINKS = 40
"""As many as Linux follows in one path (path_resolution(7))."""


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
        below = self._below()
        if below is not None:
            return self._descend(below, make=False)
        try:
            return Folder.open(self.path)
        except NotADirectoryError:
            raise _not_a_directory(self.path) from None

    def make(self) -> Folder:
        """Open the directory, created with those above it where needed; raises as `open` does."""
        below = self._below()
        if below is not None:
            return self._descend(below, make=True)
        try:
            self.path.mkdir(DIRECTORY_MODE, parents=True, exist_ok=True)
        except (FileExistsError, NotADirectoryError):
            raise _not_a_directory(self.path) from None
        return self.open()

    def _below(self) -> tuple[str, ...] | None:
        return _beyond(self.repository.stat(), self.path, _MOST_LINKS)

    def _descend(self, below: tuple[str, ...], *, make: bool) -> Folder:
        """Walk down from the repository, one directory at a time."""
        here, folder = self.repository, Folder.open(self.repository)
        for part in below:
            here /= part
            with folder:
                folder = _enter(folder, part, here, make=make)
        return folder


def _beyond(root: os.stat_result, path: Path, links: int) -> tuple[str, ...] | None:
    """Return what of a path lies beyond a directory; None where it does not come there.

    Links on the way are followed one by one: what one of them names may lead through there too.
    """
    here, ahead = Path(path.anchor), path.relative_to(path.anchor).parts
    while not _is(here, root):
        if not ahead:
            return None
        name, *rest = ahead
        target = _target(here / name)
        if target is not None:
            return _beyond(root, here.joinpath(target, *rest), links - 1) if links else None
        here, ahead = here / name, tuple(rest)
    return ahead


def _is(path: Path, status: os.stat_result) -> bool:
    try:
        return os.path.samestat(path.stat(), status)
    except OSError:
        return False


def _target(path: Path) -> Path | None:
    try:
        return path.readlink()
    except OSError:
        return None


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
