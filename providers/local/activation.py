"""Tells the consumer: its own check first, then the reload, both without a shell."""

import os
import re
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO

from providers.errors import NotFound, ProviderError, Rejected
from providers.failpoints import reach
from providers.local.folder import fault
from schemas.target import TargetSpec

TIMEOUT = 60.0
"""Seconds one command may take."""
_LINES = 20
_OUTPUT_LIMIT = 1 << 16
_INHERITED = ("PATH", "HOME", "LANG", "LC_ALL", "TZ", "XDG_RUNTIME_DIR", "DBUS_SESSION_BUS_ADDRESS")
"""What `systemctl` and the like need; certform's own credentials are not passed on."""
_SECRET = re.compile(
    r"-----BEGIN .*?(-----END [^\n]*|\Z)"
    r"|AGE-SECRET-KEY-\S+"
    r"|(?m:^[A-Za-z0-9+/=]{40,}$)",  # the rest of PEM whose first line is cut off
    re.DOTALL,
)


def activate(spec: TargetSpec, directory: Path) -> None:
    """Run `check`, then `reload`; raises `Rejected` with the command's output when one fails."""
    for point, words, argv in (
        ("local.check", "check", spec.check),
        ("local.reload", "reload", spec.reload),
    ):
        if argv is not None:
            try:
                reach(point)
            except OSError as error:
                raise fault(error, words) from None
            run(words, argv, directory)


def run(words: str, argv: Sequence[str], directory: Path, timeout: float = TIMEOUT) -> None:
    """Run one command in a directory; `words` name it in the error."""
    # a file, not a pipe: a reload that leaves a daemon behind would hold a pipe open for ever
    with tempfile.TemporaryFile() as output:
        try:
            done = _run(argv, directory, output, timeout)
        except subprocess.TimeoutExpired:
            raise Rejected(
                f"{words} `{argv[0]}` did not end within {timeout:.0f} s{_tail(output)}"
            ) from None
        except OSError as error:
            raise _not_started(words, argv[0], error) from None
        if done.returncode != 0:
            raise Rejected(f"{words} `{argv[0]}` ended with {done.returncode}{_tail(output)}")


def _run(
    argv: Sequence[str], directory: Path, output: BinaryIO, timeout: float
) -> subprocess.CompletedProcess[bytes]:
    environment = {name: os.environ[name] for name in _INHERITED if name in os.environ}
    # the directory is the repository: what it holds must not be found by a bare name
    environment["PATH"] = os.pathsep.join(filter(os.path.isabs, os.get_exec_path())) or os.defpath
    return subprocess.run(
        list(argv),
        cwd=directory,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT,
        timeout=timeout,
        check=False,
    )


def _not_started(words: str, program: str, error: OSError) -> ProviderError:
    if isinstance(error, FileNotFoundError):
        return NotFound(f"{words}: there is no program `{program}`, or no directory to run it in")
    return fault(error, f"{words} `{program}`")


def _tail(output: BinaryIO) -> str:
    """Return the last lines of a command's output, without anything that could be a key."""
    size = output.seek(0, os.SEEK_END)
    output.seek(max(0, size - _OUTPUT_LIMIT))
    text = _SECRET.sub("(left out)", output.read().decode(errors="replace"))
    lines = [line.rstrip() for line in text.splitlines() if line.strip()][-_LINES:]
    return "".join(f"\n  {line}" for line in ("", *lines) if line)
