"""Opens current/ again and again until told to stop; counts pairs that are mixed or missing.

Writes a byte to standard output after every pair, and the counts to standard error at the end.
"""

# ruff: noqa: T201  its output is the result

import json
import os
import sys
from pathlib import Path

from cryptography.hazmat.primitives.serialization import load_pem_private_key
from cryptography.x509 import load_pem_x509_certificate

FILES = ("privkey.pem", "fullchain.pem")


def read(web: Path) -> tuple[bytes, ...]:
    """Read as a server does that opens the directory once: both files of one generation."""
    folder = os.open(web / "current", os.O_RDONLY)
    try:
        return tuple(_content(name, folder) for name in FILES)
    finally:
        os.close(folder)


def _content(name: str, folder: int) -> bytes:
    file = os.open(name, os.O_RDONLY, dir_fd=folder)
    try:
        return os.read(file, 1 << 20)
    finally:
        os.close(file)


def main(web: Path, stop: Path) -> None:
    counts = {"reads": 0, "mixed": 0, "missing": 0}
    seen = set()
    while not stop.exists():
        counts["reads"] += 1
        try:
            pair = read(web)
        except FileNotFoundError:
            counts["missing"] += 1
            continue
        finally:
            os.write(sys.stdout.fileno(), b".")
        if pair not in seen:
            key, certificate = pair
            public = load_pem_private_key(key, None).public_key()
            counts["mixed"] += public != load_pem_x509_certificate(certificate).public_key()
            seen.add(pair)
    print(json.dumps({**counts, "pairs": len(seen)}), file=sys.stderr)


main(*map(Path, sys.argv[1:]))
