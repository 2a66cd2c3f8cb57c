"""Show what the places of the sandbox hold, by the clouds' own SDKs: `python tests/emulators/look.py DIR`."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path

from bystander import Bystander, Seen
from cryptography import x509

REGIONS = ("eu-west-1", "us-east-1")
_SHOWN = 16
"""Digits of a fingerprint that are enough to compare by eye."""


def look(root: Path, bystander: Bystander) -> Iterator[tuple[str, str, str, str]]:
    """Yield the name of a certificate, where it is, its fingerprint and its identity there."""
    for place, seen in held(root, bystander):
        identity = seen.id.partition("/certificates/")[2] or seen.id
        yield seen.name or "(of others)", place, seen.sha256[:_SHOWN] or "not yet issued", identity


def held(root: Path, bystander: Bystander) -> Iterator[tuple[str, Seen]]:
    for region in REGIONS:
        yield from ((f"ACM {region}", each) for each in bystander.in_acm(region).values())
    yield from (("Key Vault", each) for each in bystander.in_vault().values())
    yield from (("Certificate Manager", each) for each in bystander.at_google().values())
    for file in root.glob("live/edge/*/current/cert.pem"):
        labels = {"certform-name": file.parts[-3]}
        certificate = x509.load_pem_x509_certificate(file.read_bytes())
        yield "this machine", Seen(str(file.relative_to(root)), labels, certificate)


def main(root: Path) -> None:
    rows = [
        ("CERTIFICATE", "PLACE", "SHA-256", "IDENTITY"),
        *sorted(look(root, Bystander(os.environ)), key=lambda row: (row[0][0] == "(", row[:2])),
    ]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = (f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True))
        sys.stdout.write("  ".join(cells).rstrip() + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
