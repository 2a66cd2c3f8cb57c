"""index.txt, line by line: what OpenSSL writes is read, anything else is told with its line."""

from datetime import UTC, datetime

import pytest

from reconciler.ledger.records import PastEntry
from reconciler.past.index import Malformed, read_index
from schemas.revocation import RevocationReason


def line(*fields: str) -> bytes:
    return "\t".join(fields).encode() + b"\n"


def entries(data: bytes) -> list[PastEntry]:
    return [found[1] for found in read_index(data) if not isinstance(found, Malformed)]


def test_what_is_valid_revoked_and_expired_is_told_apart() -> None:
    data = (
        line("V", "391231235959Z", "", "0A", "unknown", "/C=DE/CN=ä.example.com")
        + line("R", "20391231235959Z", "260102030405Z,keyCompromise", "00FF", "x.pem", "/CN=b")
        + line("E", "991231235959Z", "", "01", "unknown", "/CN=c")
    )
    valid, revoked, expired = entries(data)
    assert (valid.serial, valid.subject, valid.revoked) == ("a", "/C=DE/CN=ä.example.com", None)
    assert revoked.revoked is not None
    assert revoked.serial == "ff"
    assert revoked.revoked.at == datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    assert revoked.revoked.reason is RevocationReason.KEY_COMPROMISE
    assert expired.not_after == datetime(1999, 12, 31, 23, 59, 59, tzinfo=UTC)


@pytest.mark.parametrize(
    ("written", "reason"),
    [
        ("", RevocationReason.UNSPECIFIED),
        (",unspecified", RevocationReason.UNSPECIFIED),
        (",CACompromise", RevocationReason.CA_COMPROMISE),
        (",keyTime,20260101000000Z", RevocationReason.KEY_COMPROMISE),
        (",CAkeyTime,20260101000000Z", RevocationReason.CA_COMPROMISE),
        (",holdInstruction,holdInstructionReject", RevocationReason.UNSPECIFIED),
        (",certificateHold", RevocationReason.UNSPECIFIED),
        (",cessationOfOperation", RevocationReason.CESSATION_OF_OPERATION),
    ],
)
def test_every_reason_that_openssl_writes_is_understood(
    written: str, reason: RevocationReason
) -> None:
    (found,) = entries(line("R", "391231235959Z", f"260101000000Z{written}", "01", "x", "/CN=x"))
    assert found.revoked is not None
    assert found.revoked.reason is reason


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        (("V", "391231235959Z", "", "01", "unknown"), "5 fields and not six"),
        (("V", "391231235959Z", "", "01", "unknown", "/CN=x", "more"), "7 fields and not six"),
        (("X", "391231235959Z", "", "01", "unknown", "/CN=x"), "not with V, R or E"),
        (("V", "391231235959", "", "01", "unknown", "/CN=x"), "is no time"),
        (("V", "391331235959Z", "", "01", "unknown", "/CN=x"), "is no moment there is"),
        (("V", "٣٩1231235959Z", "", "01", "unknown", "/CN=x"), "is no time"),
        (("V", "391231235959Z", "", "", "unknown", "/CN=x"), "is not hex"),
        (("V", "391231235959Z", "", "0x1", "unknown", "/CN=x"), "is not hex"),
        (("V", "391231235959Z", "260101000000Z", "01", "x", "/CN=x"), "does not begin with R"),
        (("R", "391231235959Z", "", "01", "unknown", "/CN=x"), "is no time"),
        (("R", "391231235959Z", "260101000000Z,lost", "01", "x", "/CN=x"), 'no reason "lost"'),
    ],
)
def test_a_malformed_line_is_told_and_the_others_are_read(
    fields: tuple[str, ...], said: str
) -> None:
    good = line("V", "391231235959Z", "", "02", "unknown", "/CN=y")
    first, wrong, last = read_index(good + line(*fields) + good)
    assert isinstance(wrong, Malformed)
    assert (wrong.line, said in str(wrong)) == (2, True)
    assert not isinstance(first, Malformed)
    assert not isinstance(last, Malformed)
    assert last[0] == 3


def test_line_ends_of_windows_blank_lines_and_remarks_say_nothing() -> None:
    good = line("V", "391231235959Z", "", "02", "unknown", "/CN=y")
    data = b"# kept by somebody\r\n\r\n" + good.replace(b"\n", b"\r\n") + b"\n"
    (found,) = entries(data)
    assert found.subject == "/CN=y"


def test_a_hundred_thousand_lines_are_read_whole() -> None:
    data = b"".join(
        line("V", "391231235959Z", "", f"{n:08X}", "unknown", "/CN=x") for n in range(100_000)
    )
    assert len({found.serial for found in entries(data)}) == 100_000
