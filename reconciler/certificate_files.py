"""Files that may hold certificates, read with care: nobody vouches for what lies in a directory."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

from providers.errors import Unreachable
from providers.system import open_to_read

SUFFIXES = frozenset({".pem", ".crt", ".cer", ".cert", ".der", ".chain"})
LARGEST = 1 << 20
"""Bytes of the largest file that is read."""
MOST = 20_000
"""Files that one directory may hold, those below it included."""


def certificate_files(directory: Path) -> Iterator[tuple[str, bytes]]:
    """Yield path and content of each file by whose name there may be a certificate in it, sorted.

    Links are not followed and keys by name are not opened. Raises `Unreachable` where a folder or
    a file cannot be read, and where there are too many.
    """
    for number, path in enumerate(_walk(directory)):
        if number >= MOST:
            raise Unreachable(f"{directory} holds more than {MOST:,} files: name a folder below it")
        if path.suffix.lower() in SUFFIXES:
            data = _read(path)
            if data is not None:
                yield path.relative_to(directory).as_posix(), data


def _walk(directory: Path) -> Iterator[Path]:
    def refuse(why: OSError) -> None:
        raise Unreachable(f"{why.filename} cannot be read: {why.strerror}")

    for folder, folders, files in os.walk(directory, onerror=refuse):
        folders.sort()
        yield from (Path(folder, name) for name in sorted(files))


def _read(path: Path) -> bytes | None:
    """Return a file's content; None for what is no plain file, or too large to be a certificate."""
    try:
        file = open_to_read(path)
    except OSError as why:
        if path.is_symlink():
            return None
        raise Unreachable(f"{path} cannot be read: {why.strerror}") from None
    with file:
        status = os.fstat(file.fileno())
        if not stat.S_ISREG(status.st_mode) or status.st_size > LARGEST:
            return None
        return file.read(LARGEST)
