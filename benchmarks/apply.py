"""Issuing and installing many certificates durably, beside the same with one openssl a certificate.

How fast a file system makes files bounds the figure: a bare loop that makes the directories, files
and links of each certificate, and nothing else, is measured beside it.
"""

import os
import subprocess
import time
from pathlib import Path

from measurement import measure, scratch, seconds, show
from repository import make_repository

CERTIFICATES = 10_000
SAMPLE = 300
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


def bare(folder: Path) -> float:
    """Return the seconds to make the files of the sample, of 1 KB each, and flush them once."""
    folder.mkdir()
    begun = time.perf_counter()
    for number in range(SAMPLE):
        inner = folder / f"service-{number:05d}/generations/0001"
        inner.mkdir(parents=True)
        for name in FILES:
            (inner / name).write_bytes(b"x" * 1024)
        (inner.parent.parent / "current").symlink_to("generations/0001")
    os.sync()
    return time.perf_counter() - begun


def main() -> None:
    """Measure both sides."""
    with scratch() as name:
        folder = Path(name)
        floor, loop = bare(folder / "bare"), openssl(folder / "openssl")
        wall, processor = certform(folder)
    rate = CERTIFICATES / wall
    rows = [
        (f"certform apply, {CERTIFICATES:,}", seconds(wall), f"{rate:,.0f}/s", "1.0"),
        _row(f"openssl req -x509 -CA, {SAMPLE}", loop, rate),
        _row(f"only the files, {SAMPLE}", floor, rate),
    ]
    show("Issue and install P-256 certificates", ("", "wall", "rate", "certform = 1"), rows)
    print(f"\nProcessor time of certform and the programs it runs: {seconds(processor)}")


def _row(name: str, spent: float, rate: float) -> tuple[str, ...]:
    return name, seconds(spent), f"{SAMPLE / spent:,.0f}/s", f"{SAMPLE / spent / rate:.2f}"


if __name__ == "__main__":
    main()
