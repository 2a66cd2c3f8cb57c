"""Files that other programs read while certform writes them: they appear whole, or not at all."""

import os
from contextlib import suppress
from pathlib import Path


def write_whole(path: Path, text: str, mode: int = 0o644) -> None:
    """Write UTF-8 text in the place of what is there, with a mode whatever the umask; raises OSError."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with temporary.open("x", encoding="utf-8", newline="\n") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        temporary.chmod(mode)
        temporary.replace(path)
    except OSError as failure:
        raise OSError(failure.errno, failure.strerror, str(path)) from None
    finally:
        with suppress(OSError):
            temporary.unlink()
