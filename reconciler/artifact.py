"""What a command was asked to leave in a file: it appears whole, and anyone on the machine may read it."""

import os
import tempfile
from pathlib import Path

READABLE = 0o644


def save(text: str, path: Path) -> None:
    """Write a file, or put another in its place, in one step; raises OSError with the file's name."""
    try:
        _save(text, path)
    except OSError as failure:
        raise OSError(failure.errno, failure.strerror, str(path)) from None


def _save(text: str, path: Path) -> None:
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".tmp", dir=path.parent)
    temporary = Path(name)
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        temporary.chmod(READABLE)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
