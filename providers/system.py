"""What the system beneath has: certform runs without POSIX, too, but keeps no directories there."""

import ctypes
import errno
import os
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any, cast

from providers.errors import Unreachable


def flags(*names: str) -> int:
    """Return the flags of `os.open` of these names, those left out that mean nothing here."""
    return sum(getattr(os, name, 0) for name in {*names, "O_CLOEXEC", "O_BINARY"})


READ_PLAIN = flags("O_RDONLY", "O_NOFOLLOW", "O_NONBLOCK")
"""O_NONBLOCK: what is no plain file, such as a FIFO, must not stop the run."""


def has_folders() -> bool:
    """Whether a directory can be opened, synced and looked up in, by names that no link leads astray."""
    return hasattr(os, "O_DIRECTORY") and hasattr(os, "O_NOFOLLOW")


def require_folders() -> None:
    """Raise `Unreachable` where certform can keep no directory."""
    if not has_folders():
        raise Unreachable(
            "directories are kept on Linux and macOS only: run this host's part there"
        )


def open_to_read(path: Path) -> IO[bytes]:
    """Open a file, but by no symbolic link; raises OSError. Whether it is a plain one the caller asks."""
    if not hasattr(os, "O_NOFOLLOW") and path.is_symlink():
        raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), str(path))
    return os.fdopen(os.open(path, READ_PLAIN), "rb")


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable, where that can be asked for; raises OSError."""
    if not has_folders():
        return
    descriptor = os.open(folder, flags("O_RDONLY", "O_DIRECTORY"))
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def c_function(name: str) -> Callable[..., int] | None:
    """Return a function of the C library that this process has loaded already; None where there is none."""
    try:
        library = ctypes.CDLL(None, use_errno=True)
    except TypeError:  # Windows has no such library
        return None
    return cast("Callable[..., int] | None", getattr(cast("Any", library), name, None))
