"""Readers while certificates change, and what is left when a disk fails or the process is killed."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import IO

import pytest
from installing import MakeTarget, Wanted, listed

from providers.abilities import Staged
from providers.base import Installed
from providers.conformance import sound
from providers.local.layout import MARKER

HERE = Path(__file__).parent
ROTATIONS = 1_000
REFUSED = 3
InstallUnder = Callable[[str, str, int], tuple[int, str]]
RENAME = "/^rename"
POINTS = (
    *(("write", "error=ENOSPC", n) for n in range(1, 7)),
    *(("openat", "error=EIO", n) for n in range(2, 30, 4)),
    *(("mkdirat", "error=ENOSPC", n) for n in (1,)),
    *(("symlinkat", "error=ENOSPC", n) for n in (1, 2)),
    *((RENAME, "error=EIO", n) for n in (1,)),
    *(("fchmod", "error=EPERM", n) for n in (1, 3)),
    *(("syncfs", "error=EIO", n) for n in (1, 2, 3)),
    *(("write", "signal=KILL", n) for n in (1, 3, 6)),
    *(("symlinkat", "signal=KILL", n) for n in (1, 2)),
    *((RENAME, "signal=KILL", n) for n in (1,)),
    *(("syncfs", "signal=KILL", n) for n in (1, 2, 3)),
    *(("unlinkat", "signal=KILL", n) for n in (1, 2, 5)),
)
"""Which call fails, how, and at which occurrence; all of them occur in one install."""


def test_a_reader_never_sees_a_mixed_or_missing_pair(
    make_target: MakeTarget,
    root: Path,
    tmp_path: Path,
    wanted: Wanted,
    tell: Callable[[str], None],
) -> None:
    target = make_target()
    installed = target.install(wanted())
    stop = tmp_path / "stop"
    argv = [sys.executable, str(HERE / "reader.py"), str(root / "web"), str(stop)]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as reader:
        try:
            for _ in range(ROTATIONS):
                (staged,) = target.stage([wanted(predecessor=installed)])
                (shown,) = target.switch([sound(staged, Staged)])
                installed = sound(shown, Installed)
                target.settle([installed])
                assert reader.stdout is not None
                wait_for_a_pair(reader.stdout)
        finally:
            stop.touch()
        _, counted = reader.communicate(timeout=60)
    counts = json.loads(counted)
    tell(f"a reader during {ROTATIONS} rotations: {counts}")
    assert (counts["mixed"], counts["missing"]) == (0, 0)
    assert counts["pairs"] > ROTATIONS // 2


def wait_for_a_pair(progress: IO[bytes]) -> None:
    """Return once the reader has read a pair after now: it is never suspended for two rotations."""
    os.set_blocking(progress.fileno(), False)
    with suppress(BlockingIOError):
        while os.read(progress.fileno(), 1 << 16):
            pass
    os.set_blocking(progress.fileno(), True)
    os.read(progress.fileno(), 1)


@pytest.fixture
def install_under(tmp_path: Path, require: Callable[[str], str]) -> InstallUnder:
    """Run one install in a process of its own whose system calls are tampered with."""
    strace = require("strace")

    def run(call: str, tampering: str, at: int) -> tuple[int, str]:
        argv = [sys.executable, str(HERE / "installer.py"), str(tmp_path)]
        pipe = subprocess.PIPE
        with subprocess.Popen(argv, stdin=pipe, stdout=pipe) as installer:
            assert installer.stdout is not None
            installer.stdout.readline()
            inject = f"inject={call}:{tampering}:when={at}"
            rig = [strace, "-f", "-o", str(tmp_path / "trace"), "-e", f"trace={call}", "-e", inject]
            with subprocess.Popen([*rig, "-p", str(installer.pid)], stderr=pipe) as tracer:
                assert tracer.stderr is not None
                tracer.stderr.readline()  # "attached"
                installer.communicate(b"\n", timeout=60)
                tracer.communicate(timeout=60)
        return installer.returncode, (tmp_path / "trace").read_text()

    return run


@pytest.mark.parametrize(
    ("call", "tampering", "at"), POINTS, ids=[f"{c}-{t}-{n}" for c, t, n in POINTS]
)
def test_one_whole_certificate_is_shown_whatever_fails_and_the_next_run_recovers(
    make_target: MakeTarget,
    root: Path,
    wanted: Wanted,
    install_under: InstallUnder,
    call: str,
    tampering: str,
    at: int,
) -> None:
    old = make_target(keep_generations=1).install(wanted())
    status, trace = install_under(call, tampering, at)
    assert "INJECTED" in trace or "killed by SIGKILL" in trace
    assert status == (-signal.SIGKILL if "KILL" in tampering else REFUSED)
    (shown,) = make_target(keep_generations=1).observe()
    assert shown.drift == ()
    if (call, at) not in AFTER_THE_SWITCH:
        assert shown == old
    new = make_target(keep_generations=1).install(wanted(predecessor=shown))
    assert make_target(keep_generations=1).observe() == (new,)
    assert listed(root) == [MARKER, "web"]
    assert listed(root / "web") == ["current", "generations"]
    assert len(listed(root / "web" / "generations")) == 1


AFTER_THE_SWITCH = {
    ("syncfs", 2),
    ("syncfs", 3),
    ("unlinkat", 5),
}
"""Here the new certificate is shown already; durability or tidying up is what failed."""
