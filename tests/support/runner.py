"""Runs certform again and again without its start-up time: each run is a fork of a loaded process.

A request is a line of JSON on stdin; answered by the process id, then by the exit status (negative for a
signal), the processor time in seconds and the most memory in MiB, of git's processes too, a line each. With
`strace` the run begins once strace is attached to it, so that its counts start where certform's own work
does. Arguments are modules to load beforehand.
"""

import ctypes
import json
import os
import resource
import subprocess
import sys
import time
from importlib import import_module
from pathlib import Path
from typing import Any

import reconciler.cli.commands.apply
import reconciler.cli.commands.init
import reconciler.cli.commands.plan
import reconciler.cli.commands.validate  # noqa: F401  loaded once, for every run
from providers import failpoints
from reconciler.__main__ import main

PR_SET_PTRACER, ANY_PROCESS = 0x59616D61, ctypes.c_ulong(-1)


def serve() -> None:
    """Answer requests until stdin ends."""
    for line in sys.stdin:
        request = json.loads(line)
        gate, opener = os.pipe()
        pid = os.fork()
        if pid == 0:
            os.close(opener)
            begin(request, gate)
        os.close(gate)
        tracer = trace(pid, request["strace"]) if request["strace"] else None
        answer(pid)
        os.close(opener)
        _, status, used = os.wait4(pid, 0)
        if tracer is not None:
            tracer.wait()
        seconds = used.ru_utime + used.ru_stime
        answer(os.waitstatus_to_exitcode(status), round(seconds, 2), used.ru_maxrss >> 10)


def answer(*numbers: float) -> None:
    print(*numbers, flush=True)  # noqa: T201  the answer


def begin(request: dict[str, Any], gate: int) -> None:
    """Become the run; ends the process."""
    ctypes.CDLL(None).prctl(PR_SET_PTRACER, ANY_PROCESS, 0, 0, 0)
    os.chdir(request["root"])
    os.environ.clear()
    os.environ.update(request["environment"])
    for descriptor, name in ((0, os.devnull), (1, request["out"]), (2, request["err"])):
        flags = (
            os.O_RDONLY if descriptor == 0 else os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND
        )
        opened = os.open(name, flags, 0o600)
        os.dup2(opened, descriptor)
        os.close(opened)
    for name, most in request["limits"].items():
        resource.setrlimit(getattr(resource, name), (most, most))
    sys.argv = ["certform", *request["argv"]]
    failpoints._FAILPOINT = failpoints._configured()
    os.read(gate, 1)
    os.close(gate)
    status = 70
    try:
        main()
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else 0 if end.code is None else 1
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


def trace(pid: int, options: list[str]) -> "subprocess.Popen[bytes]":
    """Attach strace to a run that waits, and return it once it watches."""
    tracer = subprocess.Popen(["strace", "-qq", *options, "-p", str(pid)])
    status = Path(f"/proc/{pid}/status")
    while "TracerPid:\t0\n" in status.read_text():
        if tracer.poll() is not None:
            sys.exit("strace cannot attach")
        time.sleep(0.002)
    return tracer


for module in sys.argv[1:]:
    import_module(module)
serve()
