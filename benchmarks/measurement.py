"""What a command costs: wall clock, processor time and memory, as the kernel counts them."""

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

Row = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Cost:
    """Seconds of wall clock and of processor (user and system, children too); MB at the peak."""

    wall: float
    processor: float
    memory: float


def measure(command: Sequence[str], environment: Mapping[str, str] | None = None) -> Cost:
    """Run a command to its end; a failure ends the benchmark with what it said."""
    begun = time.perf_counter()
    with subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    ) as process:
        said = process.stdout.read() if process.stdout else b""
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    wall = time.perf_counter() - begun
    if process.returncode != 0:
        sys.exit(f"{' '.join(command)}\n{said.decode(errors='replace')}")
    return Cost(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)


def median(runs: int, once: Callable[[], Cost]) -> Cost:
    """Return the medians of several runs, each figure by itself."""
    costs = [once() for _ in range(runs)]
    return Cost(
        statistics.median(cost.wall for cost in costs),
        statistics.median(cost.processor for cost in costs),
        statistics.median(cost.memory for cost in costs),
    )


def scratch() -> TemporaryDirectory[str]:
    """Return a new directory where TMPDIR says, which decides what disk is measured."""
    return TemporaryDirectory(prefix="certform-benchmark-", ignore_cleanup_errors=True)


def show(title: str, head: Row, rows: Iterable[Row]) -> None:
    """Print a table in Markdown."""
    print(f"\n### {title}\n")
    for row in (head, ("---",) * len(head), *rows):
        print(f"| {' | '.join(row)} |")
    sys.stdout.flush()


def seconds(value: float) -> str:
    """Return a time with three significant digits, in the unit that fits."""
    return f"{value:.2f} s" if value >= 1 else f"{value * 1000:.0f} ms"


def machine() -> str:
    """Return what the figures were measured on."""
    load = os.getloadavg()[0]
    return (
        f"{datetime.now(UTC):%Y-%m-%d}, {os.cpu_count()} cores, load {load:.1f} at the start, "
        f"Python {sys.version.split()[0]}, scratch files in {Path(scratch_root())}"
    )


def scratch_root() -> str:
    """Return where scratch directories are made."""
    return os.environ.get("TMPDIR", "/tmp")
