"""Locks between the processes of one host: the system takes them back from a process that ended."""

from importlib import import_module
from typing import Any

from tenacity import retry, retry_if_exception_type, wait_fixed

_OFTEN = 0.05
"""Seconds between two attempts, where waiting for a lock has an end that is too near."""


def _first(*names: str) -> Any:
    """Return the first of some modules that this system has, None without any."""
    for name in names:
        try:
            return import_module(name)
        except ModuleNotFoundError:
            continue
    return None


def lock(descriptor: int) -> None:
    """Wait until no other process holds an open file's lock, and hold it until the file is closed."""
    system = _first("fcntl", "msvcrt")
    if hasattr(system, "flock"):
        system.flock(descriptor, system.LOCK_EX)
    else:
        _lock_first_byte(system, descriptor)


@retry(wait=wait_fixed(_OFTEN), retry=retry_if_exception_type(OSError))
def _lock_first_byte(system: Any, descriptor: int) -> None:
    """Lock as Windows does; a byte may be locked that the file does not have yet.

    https://learn.microsoft.com/cpp/c-runtime-library/reference/locking
    """
    system.locking(descriptor, system.LK_NBLCK, 1)
