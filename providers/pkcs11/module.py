"""The library of a token's vendor. It is code that runs as us, so it is looked at before it is loaded."""

import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING

import pkcs11

from providers.errors import Conflict, Denied, NotFound, ProviderError, Unreachable

if TYPE_CHECKING:
    from pkcs11 import _pkcs11


def load(path: str) -> "_pkcs11.lib":
    """Load a module, or go on with the one that is loaded.

    Raises `NotFound`, `Denied` for one that anybody could have written, Unreachable when it does not work.
    """
    require_trusted(path)
    try:
        return pkcs11.lib(str(Path(path).resolve()))
    except (pkcs11.PKCS11Error, RuntimeError, OSError) as why:
        raise Unreachable(f"the module {path} cannot be used: {type(why).__name__}") from None


def require_trusted(path: str) -> None:
    """Raise ProviderError unless root or this user alone can have put a module where it is.

    What lies in a git working tree, or can be written by others, is refused; links are followed first.
    """
    if not Path(path).is_absolute():
        raise Conflict(f"the module {path} has to be named by its whole path")
    real = Path(path).resolve()
    try:
        found = [(each, each.stat()) for each in (real, *real.parents)]
        tree = next((each for each in real.parents if (each / ".git").exists()), None)
    except OSError as why:
        raise NotFound(f"the module {path} cannot be read: {why.strerror}") from None
    if not stat.S_ISREG(found[0][1].st_mode):
        raise Conflict(f"the module {path} is no file")
    if tree is not None:
        raise Denied(f"the module {path} is in the repository {tree}, where others propose files")
    for each, status in found:
        _require_guarded(each, status)


def _require_guarded(path: Path, status: os.stat_result) -> None:
    if status.st_uid not in _trusted():
        raise _untrusted(path, "belongs to somebody else")
    shared = stat.S_IWOTH if stat.S_ISDIR(status.st_mode) else stat.S_IWOTH | stat.S_IWGRP
    if status.st_mode & shared and not status.st_mode & stat.S_ISVTX:
        raise _untrusted(path, "can be written by others")


def _trusted() -> tuple[int, ...]:
    """Root and this user; where there are no users, files are all root's."""
    return (0, os.getuid()) if hasattr(os, "getuid") else (0,)


def _untrusted(path: Path, why: str) -> ProviderError:
    hint = "a module is code: have it belong to root or to this user, writable by nobody else"
    return Denied(f"{path} {why}, so no module is loaded from there; {hint}")
