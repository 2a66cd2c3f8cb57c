"""Files that certform was asked for: they appear whole, or what was there stays."""

import errno
import os
import secrets
from contextlib import suppress
from pathlib import Path

READABLE = 0o644
"""For what a program of another user reads."""


def write_whole(path: Path, text: str, mode: int | None = None) -> None:
    """Write UTF-8 text in the place of what is there; raises OSError, which names the path.

    The mode is what the umask leaves unless one is given. A folder that is missing is not made: its name
    is likely to be a mistake. Only a plain file is replaced: whoever runs certform as root would lose
    /dev/null, and a link may lead out of a repository.
    """
    temporary = path.parent / f".certform-{secrets.token_hex(8)}.tmp"
    try:
        _refuse_other_things(path)
        with temporary.open("x", encoding="utf-8", newline="\n") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        if mode is not None:
            temporary.chmod(mode)
        temporary.replace(path)
    except OSError as failure:
        raise OSError(failure.errno, failure.strerror, str(path)) from None
    finally:
        with suppress(OSError):
            temporary.unlink()


def _refuse_other_things(path: Path) -> None:
    if path.is_symlink() or (path.exists() and not path.is_file()):
        raise OSError(errno.EEXIST, "What is there is no plain file")
