"""What git does not do on disk: flush the names of files, and keep processes of one clone apart."""

import contextlib
import os
import stat
import time
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from providers.system import flags, has_folders
from reconciler.ledger.exclusion import lock

FOLDER = "certform"
"""Our own folder beside git's objects and refs."""
_LONG = 30.0
"""Seconds. A git that moves refs for us holds its lock files for milliseconds."""
_OFTEN = 0.1


@contextmanager
def exclusive(directory: Path, purpose: str) -> Iterator[Path]:
    """Wait until no other process of this clone is at the same purpose, and yield our folder."""
    folder = directory / FOLDER
    folder.mkdir(exist_ok=True)
    descriptor = os.open(folder / f"{purpose}.lock", flags("O_RDWR", "O_CREAT"), 0o600)
    try:
        lock(descriptor)
        yield folder
    finally:
        os.close(descriptor)


@contextmanager
def moving(directory: Path, refs: Iterable[str]) -> Iterator[None]:
    """Keep other processes of this clone from its refs while a git of ours moves some of them.

    A git that is killed leaves its lock files, and a file does not say whose it is. So a mark is
    made before git starts, and stays where this context is left by an exception or never. Lock
    files made right after a mark that is still there are of that git: they are waited for, then
    deleted. Others are left for git to report: `git gc` may hold packed-refs for long.
    """
    with exclusive(directory, "refs") as folder:
        mark = folder / "moving"
        _clear_marked(directory, mark)
        with mark.open("w", newline="\n") as file:
            file.writelines(f"{name}\n" for name in (*refs, "packed-refs"))
        sync(mark, folder)
        yield
        mark.unlink()


def break_locks(directory: Path, refs: Iterable[str]) -> None:
    """Delete old lock files of refs that are ours alone: what a git that was killed has left."""
    for name in refs:
        lock = directory / f"{name}.lock"
        made = _made(lock)
        # One from the future was made before the clock was set back: it is no younger.
        if made is not None and abs(time.time() - made) > _LONG:
            lock.unlink(missing_ok=True)


def _clear_marked(directory: Path, mark: Path) -> None:
    if (began := _made(mark)) is None:
        return
    patience_ends = time.monotonic() + _LONG  # the clock may have been set back since
    for name in mark.read_text().splitlines():
        lock = directory / f"{name}.lock"
        while (made := _made(lock)) is not None and 0 <= made - began <= _LONG:
            if time.time() - made > _LONG or time.monotonic() > patience_ends:
                lock.unlink(missing_ok=True)
            time.sleep(_OFTEN)


def _made(file: Path) -> float | None:
    try:
        return file.stat().st_mtime
    except FileNotFoundError:
        return None


def sync(*paths: Path) -> None:
    """Flush folders and files, missing ones left out: git flushes files, not the names they get.

    Where folders cannot be opened, names are the file system's business, and what is flushed is
    opened to be written to.
    """
    for path in paths:
        if not has_folders() and path.is_dir():
            continue
        with contextlib.suppress(FileNotFoundError):
            descriptor = os.open(path, os.O_RDONLY if has_folders() else os.O_RDWR)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)


def delete(file: Path) -> None:
    """Delete a file that may be gone already, also where one that may not be written to cannot be deleted."""
    try:
        file.unlink(missing_ok=True)
    except PermissionError:
        if has_folders():
            raise
        file.chmod(stat.S_IWRITE)
        file.unlink(missing_ok=True)


def object_folders(directory: Path, loose: Collection[str] | None = None) -> list[Path]:
    """Return the folders that packs and these loose objects lie in; without them, all there are."""
    objects = directory / "objects"
    if loose is None:
        return [*objects.glob("[0-9a-f][0-9a-f]"), objects / "pack", objects]
    names = sorted({object_id[:2] for object_id in loose})
    return [*(objects / name for name in names), objects / "pack", objects]


def ref_folders(directory: Path, refs: Iterable[str]) -> list[Path]:
    """Return the folders of loose refs, innermost first."""
    folders = {folder for ref in refs for folder in (directory / ref).parents}
    inside = (folder for folder in folders if folder.is_relative_to(directory))
    return sorted(inside, reverse=True)
