"""What git does not do on disk: flush the names of files, and keep processes of one clone apart."""

import contextlib
import fcntl
import os
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

FOLDER = "certform"
"""Our own folder beside git's objects and refs."""
_ABANDONED = 60.0
"""Seconds. git locks a ref for milliseconds; a lock file this old is of a git that was killed."""


@contextmanager
def exclusive(directory: Path, purpose: str) -> Iterator[Path]:
    """Wait until no other process of this clone is at the same purpose, and yield our folder."""
    folder = directory / FOLDER
    folder.mkdir(exist_ok=True)
    descriptor = os.open(folder / f"{purpose}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield folder
    finally:
        os.close(descriptor)


def break_locks(directory: Path, refs: Iterable[str]) -> None:
    """Delete the lock files that a killed git left of these refs: no other git ever would."""
    with exclusive(directory, "refs"):
        for name in (*refs, "packed-refs"):
            lock = directory / f"{name}.lock"
            with contextlib.suppress(FileNotFoundError):
                if time.time() - lock.stat().st_mtime > _ABANDONED:
                    lock.unlink()


def sync(*folders: Path) -> None:
    """Flush folders, missing ones left out: git flushes its files, not the names it gives them."""
    for folder in folders:
        with contextlib.suppress(FileNotFoundError):
            descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)


def object_folders(directory: Path) -> list[Path]:
    """Return the folders that loose objects and packs lie in."""
    objects = directory / "objects"
    return [*objects.glob("[0-9a-f][0-9a-f]"), objects / "pack", objects]


def ref_folders(directory: Path, refs: Iterable[str]) -> list[Path]:
    """Return the folders of loose refs, innermost first."""
    folders = {folder for ref in refs for folder in (directory / ref).parents}
    inside = (folder for folder in folders if folder.is_relative_to(directory))
    return sorted(inside, reverse=True)
