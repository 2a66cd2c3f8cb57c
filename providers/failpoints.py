"""Named points between durable steps, where a test can make this process fail or die.

A test seam: without `CERTFORM_FAILPOINT` in the environment nothing here does anything.
`CERTFORM_FAILPOINT=NAME:N:raise` fails with EIO when NAME is reached for the N-th time,
`NAME:N:kill` ends the process with SIGKILL; the name `*` counts every point.
`CERTFORM_FAILPOINT_LOG=FILE` appends each name that is reached, one a line.
"""

import errno
import itertools
import os
import signal
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class _Failpoint:
    name: str
    at: int
    action: str
    log: Path | None
    count: Iterator[int]

    def reach(self, name: str) -> None:
        if self.log is not None:
            with self.log.open("a") as log:
                log.write(f"{name}\n")
        if self.name in ("*", name) and next(self.count) == self.at:
            self._fail(name)

    def _fail(self, name: str) -> None:
        if self.action == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        raise OSError(errno.EIO, f"failpoint {name}")


def _configured() -> _Failpoint | None:
    setting, log = os.environ.get("CERTFORM_FAILPOINT"), os.environ.get("CERTFORM_FAILPOINT_LOG")
    if setting is None and log is None:
        return None
    name, at, action = (setting or ":0:raise").rsplit(":", 2)
    return _Failpoint(name, int(at), action, Path(log) if log else None, itertools.count(1))


_FAILPOINT = _configured()


def reach(name: str) -> None:
    """Pass the point called `name`; raises OSError (EIO) or dies where a test asked for it."""
    if _FAILPOINT is not None:
        _FAILPOINT.reach(name)
