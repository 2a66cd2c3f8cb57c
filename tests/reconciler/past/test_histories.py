"""What files of a CA say together: nothing that one of them revokes is lost, and there is an end to them."""

import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509 as cx
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from takeovers import elliptic, made

from providers import x509
from providers.x509.foreign_crl import read_foreign_crl
from reconciler.diagnostics import Diagnostic
from reconciler.past.history import Files, History, Room, read_history
from schemas.plan import Source

START = datetime(2026, 1, 1, tzinfo=UTC)
HERE = Source(file="legacy.yaml")
KEY = elliptic()
CA = made(START, KEY, serial=1)
ENDS = (START + timedelta(days=3000)).strftime("%Y%m%d%H%M%SZ")
"""When the CA's own certificate ends."""


def line(serial: str, ends: str = "271231235959Z", revoked: str = "") -> str:
    return f"{'R' if revoked else 'V'}\t{ends}\t{revoked}\t{serial}\tunknown\t/CN=x\n"


def listing(*serials: int, number: int = 7) -> bytes:
    """A CRL of that CA."""
    name = cx.load_der_x509_certificate(CA).subject
    builder = cx.CertificateRevocationListBuilder(name, START, START + timedelta(days=9))
    builder = builder.add_extension(cx.CRLNumber(number), critical=False)
    for serial in serials:
        entry = cx.RevokedCertificateBuilder(serial, START.replace(tzinfo=None))
        builder = builder.add_revoked_certificate(entry.build())
    return builder.sign(KEY, hashes.SHA256()).public_bytes(Encoding.DER)


def read(
    index: str = "", crl: bytes | None = None, room: Room | None = None
) -> tuple[History, list[Diagnostic]]:
    found: list[Diagnostic] = []
    files = Files(
        x509.facts(CA),
        CA,
        crl=(crl, "ca.crl", HERE) if crl else None,
        index=(index.encode(), "index.txt", HERE),
    )
    return read_history(files, found, room), found


def revoked(history: History) -> set[str]:
    return {entry.serial for entry in history.entries if entry.revoked}


def test_a_root_is_not_among_what_it_issued() -> None:
    assert read(line("01", ENDS) + line("02"))[0].entries == read(line("02"))[0].entries


def test_another_certificate_with_the_number_of_the_root_stays_revoked() -> None:
    """Hand-made CAs numbered themselves 1, and their first certificate as well."""
    assert revoked(read(line("01", revoked="260101000000Z"))[0]) == {"1"}
    assert revoked(read(line("02"), listing(1))[0]) == {"1"}
    assert [entry.serial for entry in read(line("01"))[0].entries] == ["1"]


@pytest.mark.parametrize("turned", [False, True])
def test_what_two_lines_say_to_end_at_two_times_ends_at_the_later_one(*, turned: bool) -> None:
    """What is taken to end too early would leave the list while somebody still has it."""
    lines = [line("0A", "200101000000Z", "190101000000Z"), line("0A", "271231235959Z")]
    (entry,) = read("".join(reversed(lines) if turned else lines))[0].entries
    assert entry.revoked is not None
    assert entry.not_after == datetime(2027, 12, 31, 23, 59, 59, tzinfo=UTC)


def test_all_cas_together_have_room_for_so_many_lines() -> None:
    room = Room(left=5)
    assert len(read(line("0A") + line("0B"), room=room)[0].entries) == 2
    assert len(read(crl=listing(3, 4), room=room)[0].entries) == 2
    kept, found = read(line("0C") + line("0D"), room=room)
    assert kept.entries == ()
    assert "more than 500,000 lines" in found[0].summary
    _, found = read(crl=listing(5), room=room)
    assert "more than 500,000 lines" in found[0].summary


def test_certificates_count_for_their_signatures() -> None:
    found: list[Diagnostic] = []
    issued = (x509.pem(CA) * 2, "issued.pem", HERE)
    read_history(Files(x509.facts(CA), CA, issued=(issued,)), found, Room(left=19))
    assert "a certificate counts for ten lines" in found[0].hint


def test_a_number_that_leaves_no_larger_one_is_told() -> None:
    assert read(crl=listing(number=1 << 157))[0].number == 1 << 157
    _, found = read(crl=listing(number=1 << 158))
    assert "no larger one" in found[0].summary


@pytest.mark.filterwarnings("ignore:Parsed a serial number")
def test_a_serial_number_below_zero_is_told(tmp_path: Path) -> None:
    """Programs of before gave such numbers; no CRL of today can name one."""
    spoilt = listing(5).replace(b"\x02\x01\x05\x17", b"\x02\x01\xfb\x17")
    with pytest.raises(ValueError, match="below zero"):
        read_foreign_crl(cx.load_der_x509_crl(spoilt))
    argv = [
        "req",
        "-x509",
        "-newkey",
        "ed25519",
        "-nodes",
        "-keyout",
        "/dev/null",
        "-subj",
        "/CN=x",
    ]
    made = subprocess.run(
        ["openssl", *argv, "-set_serial", "-5"], cwd=tmp_path, capture_output=True, check=True
    )
    found: list[Diagnostic] = []
    read_history(Files(x509.facts(CA), CA, issued=((made.stdout, "i.pem", HERE),)), found)
    assert "its serial number is below zero" in found[0].summary
