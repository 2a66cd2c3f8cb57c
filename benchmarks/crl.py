"""CRLs with many entries: built whole, with one more, read back, and the same in parts.

OpenSSL's `ca -gencrl` is beside it: it writes a list of as many entries from its index.txt.
"""

import statistics
import subprocess
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from measurement import Row, scratch, seconds, show

from providers import x509
from providers.signer import KeySigner, Signer
from schemas.certificate import Algorithm
from schemas.request import AuthorityRequest, KeyType
from schemas.revocation import RevocationReason

ENTRIES = 100_000
SHARDS = 16
RUNS = 5
AIM = 2.0
"""Seconds for the whole list."""
NOW = datetime(2026, 11, 24, tzinfo=UTC)
_REASONS = tuple(RevocationReason)
_CONFIG = """\
[ca]
default_ca = here
[here]
database = {folder}/index.txt
crlnumber = {folder}/number
default_md = sha256
default_crl_days = 7
certificate = {folder}/ca.pem
private_key = {folder}/ca.key
"""


def authority() -> tuple[x509.IssuingAuthority, Signer]:
    """Return a CA with a P-256 key."""
    key = KeyType(algorithm=Algorithm.ECDSA, size=256)
    request = AuthorityRequest(
        generation=1, common_name="Benchmark CA G1", key=key, duration=10 * 365 * 86400
    )
    private = x509.generate_key(key)
    before, after = x509.validity(NOW, request.duration)
    wanted = x509.ToBeSigned(
        request, x509.new_serial(), before, after, x509.spki(private.public_key()), None, None
    )
    signer = KeySigner(private)
    return x509.IssuingAuthority.load(x509.sign(wanted, None, signer), ()), signer


def entries(number: int) -> dict[str, x509.CrlEntry]:
    """Return that many revocations, of serials as ours are."""
    return {
        x509.new_serial(): x509.CrlEntry(NOW, _REASONS[each % len(_REASONS)])
        for each in range(number)
    }


def median(once: Callable[[], object]) -> float:
    """Return the median of the seconds that something takes."""
    spent = []
    for _ in range(RUNS):
        begun = time.perf_counter()
        once()
        spent.append(time.perf_counter() - begun)
    return statistics.median(spent)


def openssl(folder: Path) -> float:
    """Return the seconds that OpenSSL takes to write a list of as many entries from its index."""
    lines = (
        f"R\t361124000000Z\t261124000000Z\t{serial.zfill(40).upper()}\tunknown\t/CN=x\n"
        for serial in entries(ENTRIES)
    )
    (folder / "index.txt").write_text("".join(lines))
    (folder / "number").write_text("01\n")
    (folder / "ca.cnf").write_text(_CONFIG.format(folder=folder))
    made = ("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")
    _openssl(*made, "-subj", "/CN=x", "-keyout", f"{folder}/ca.key", "-out", f"{folder}/ca.pem")
    return median(
        lambda: _openssl(
            "ca", "-gencrl", "-config", f"{folder}/ca.cnf", "-out", f"{folder}/crl.pem"
        )
    )


def _openssl(*words: str) -> None:
    subprocess.run(("openssl", *words), check=True, capture_output=True)


def main() -> None:
    """Measure the whole, one more, the parts, and OpenSSL."""
    ca, signer = authority()
    said = x509.Crl(1, NOW, NOW + timedelta(days=7), entries(ENTRIES))
    der = x509.sign_crl(said, ca, signer)
    built = median(lambda: x509.sign_crl(said, ca, signer))

    def add() -> None:
        more = {**said.entries, x509.new_serial(): x509.CrlEntry(NOW, _REASONS[0])}
        before = x509.read_crl(der, more)  # what was published, but for what the ledger tells
        x509.sign_crl(replace(said, number=2, entries={**before.entries, **more}), ca, signer)

    added, read = median(add), median(lambda: x509.read_crl(der))
    looked = median(lambda: x509.outline_crl(der))
    part = replace(said, entries=dict(list(said.entries.items())[: ENTRIES // SHARDS]))
    small = replace(part, urls=("http://pki.example.com/ca-g1-s1.crl",))
    sharded = median(lambda: x509.sign_crl(small, ca, signer))
    with scratch() as folder:
        theirs = openssl(Path(folder))
    size = len(der) / 1e6
    rows: list[Row] = [
        (f"built and signed, {size:.1f} MB", seconds(built), "1.0"),
        ("looked at, as a plan does", seconds(looked), f"{looked / built:.2f}"),
        ("read back, every entry", seconds(read), f"{read / built:.2f}"),
        (
            "the published one read, one added, built and signed",
            seconds(added),
            f"{added / built:.2f}",
        ),
        (f"one part of {SHARDS}", seconds(sharded), f"{sharded / built:.2f}"),
        ("`openssl ca -gencrl`, of an index of as many", seconds(theirs), f"{theirs / built:.2f}"),
    ]
    show(f"A CRL with {ENTRIES:,} entries, medians of {RUNS}", ("", "wall", "built = 1"), rows)
    print(f"\nThe aim is {AIM:.0f} s for the whole: {'met' if built <= AIM else 'NOT MET'}.")


if __name__ == "__main__":
    main()
