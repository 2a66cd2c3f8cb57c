"""Runs certform as on a system without POSIX: what Windows lacks is taken away before anything is imported.

What Windows has beside is put there: `msvcrt` with locks of bytes. It is a program; arguments are certform's.
"""

import ctypes
import importlib.abc
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

MODULES = frozenset(
    {"fcntl", "pwd", "grp", "resource", "termios", "tty", "pty", "syslog", "posix_ipc", "readline"}
)
FUNCTIONS = (
    *("fork", "forkpty", "geteuid", "getuid", "getegid", "getgid", "chown", "fchown", "lchown"),
    *(
        "fchmod",
        "sched_getaffinity",
        "killpg",
        "setsid",
        "mkfifo",
        "mknod",
        "sync",
        "pread",
        "uname",
    ),
)
FLAGS = ("O_NOFOLLOW", "O_CLOEXEC", "O_DIRECTORY", "O_NONBLOCK", "O_SYNC", "O_TMPFILE", "O_PATH")
SIGNALS = ("SIGHUP", "SIGQUIT", "SIGUSR1", "SIGUSR2", "SIGALRM", "SIGCHLD", "pthread_sigmask")


class Lacking(importlib.abc.MetaPathFinder):
    """Finds nothing where this system has no such module."""

    def find_spec(self, fullname: str, *_: Any) -> ModuleSpec | None:
        if fullname in MODULES:
            raise ModuleNotFoundError(f"No module named {fullname!r}", name=fullname)
        return None


def _locks() -> ModuleType:
    module, lockf, test = ModuleType("msvcrt"), os.lockf, os.F_TLOCK

    def locking(descriptor: int, mode: int, size: int) -> None:
        assert (mode, size) == (2, 1)
        lockf(descriptor, test, size)

    vars(module).update(LK_NBLCK=2, locking=locking)
    return module


def _no_library(name: str | None, *arguments: Any, **options: Any) -> ctypes.CDLL:
    if name is None:
        raise TypeError("bad argument type for built-in operation")
    return _CDLL(name, *arguments, **options)


_CDLL = ctypes.CDLL


def lose() -> None:
    """Take it all away. What of Python itself asks which system this is has been imported by now."""
    assert subprocess, tempfile
    assert shutil
    sys.meta_path.insert(0, Lacking())
    for name in MODULES:
        sys.modules.pop(name, None)
    for owner, names in ((os, (*FUNCTIONS, *FLAGS)), (signal, SIGNALS)):
        for name in names:
            vars(owner).pop(name, None)
    ctypes.CDLL = _no_library  # type: ignore[misc,assignment]
    sys.modules["msvcrt"] = _locks()


if __name__ == "__main__":
    lose()
    from reconciler.__main__ import main

    main()
