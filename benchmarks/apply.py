"""Issuing and installing many certificates durably, beside the same with one openssl a certificate.

How fast a file system makes files bounds the figure: a bare loop that makes the directories, files
and links of each certificate, and nothing else, is measured beside it, in one process and in one a
processor.
"""

import ctypes
import multiprocessing
import os
import subprocess
import time
from pathlib import Path

from measurement import measure, scratch, seconds, show
from repository import make_repository

CERTIFICATES = 10_000
SAMPLE = 300
BARE = 5_000
FILES = ("privkey.pem", "cert.pem", "chain.pem", "fullchain.pem", "trust.pem", "certform.json")
_P256 = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")


def certform(folder: Path) -> tuple[float, float]:
    """Return wall clock and processor seconds of one apply of everything."""
    made = make_repository(folder / "certificates", CERTIFICATES)
    cost = measure(made.command("apply", "--auto-approve"), made.environment)
    return cost.wall, cost.processor


def openssl(folder: Path) -> float:
    """Return the seconds that a loop over `openssl req -x509 -CA` takes for the sample."""
    folder.mkdir()
    authority = ("-CA", str(folder / "ca.pem"), "-CAkey", str(folder / "ca.key"))
    _openssl(folder, "ca", "-subj", "/CN=Benchmark CA", "-days", "3650")
    begun = time.perf_counter()
    for number in range(SAMPLE):
        name = f"service-{number:05d}"
        subject = ("-subj", f"/CN={name}", "-addext", f"subjectAltName=DNS:{name}.example.internal")
        _openssl(folder, name, *subject, "-days", "90", *authority)
    return time.perf_counter() - begun


def _openssl(folder: Path, name: str, *options: str) -> None:
    files = ("-keyout", str(folder / f"{name}.key"), "-out", str(folder / f"{name}.pem"))
    command = ["openssl", "req", "-x509", *_P256, *files, *options]
    subprocess.run(command, check=True, capture_output=True)


def bare(folder: Path, processes: int) -> float:
    """Return the seconds to make the files of many certificates, of 1 KB each, and flush them once."""
    folder.mkdir()
    shares = [range(number, BARE, processes) for number in range(processes)]
    makers = [multiprocessing.Process(target=_make, args=(str(folder), share)) for share in shares]
    begun = time.perf_counter()
    for maker in makers:
        maker.start()
    for maker in makers:
        maker.join()
    ctypes.CDLL(None).syncfs(os.open(folder, os.O_RDONLY))
    return time.perf_counter() - begun


def _make(folder: str, numbers: range) -> None:
    for number in numbers:
        place = f"{folder}/service-{number:05d}"
        for path in (place, f"{place}/generations", f"{place}/generations/0001"):
            os.mkdir(path)  # noqa: PTH102 - nothing but system calls is to be measured
        for name in FILES:
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
            descriptor = os.open(f"{place}/generations/0001/{name}", flags, 0o600)
            os.write(descriptor, b"x" * 1024)
            os.close(descriptor)
        os.symlink("generations/0001", f"{place}/current")  # noqa: PTH211 - as above


def main() -> None:
    """Measure both sides."""
    with scratch() as name:
        folder = Path(name)
        loop = openssl(folder / "openssl")
        floors = {n: bare(folder / f"bare-{n}", n) for n in (1, os.cpu_count() or 1)}
        wall, processor = certform(folder)
    rate = CERTIFICATES / wall
    rows = [
        (f"certform apply, {CERTIFICATES:,}", seconds(wall), f"{rate:,.0f}/s", "1.0"),
        _row("openssl req -x509 -CA", SAMPLE, loop, rate),
        *(_row(f"only the files, {n} at a time", BARE, spent, rate) for n, spent in floors.items()),
    ]
    show("Issue and install P-256 certificates", ("", "wall", "rate", "certform = 1"), rows)
    print(f"\nProcessor time of certform and the programs it runs: {seconds(processor)}")


def _row(name: str, number: int, spent: float, rate: float) -> tuple[str, ...]:
    made = number / spent
    return f"{name}, {number:,}", seconds(spent), f"{made:,.0f}/s", f"{made / rate:.2f}"


if __name__ == "__main__":
    main()
