"""Certificate revocation lists: numbered, sorted, the same bytes for the same content."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from cryptography import x509 as cx
from key_kinds import KINDS
from pki_house import House, Made

from providers import x509
from providers.signer import KeySigner
from schemas.request import KeyType
from schemas.revocation import RevocationReason

START = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)


def _crl(**changes: Any) -> x509.Crl:
    said = {
        "number": 1,
        "this_update": START,
        "next_update": START + timedelta(days=7),
        "entries": {
            f"{(1 << 158) + n:x}": x509.CrlEntry(START - timedelta(hours=n), reason)
            for n, reason in enumerate(RevocationReason)
        },
    }
    return x509.Crl(**{**said, **changes})


@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_what_is_signed_is_read_back_and_is_the_same_every_time(
    house: House, kind: KeyType
) -> None:
    made = house.root(key=kind)
    crl = _crl()
    der = x509.sign_crl(crl, made.authority, made.signer)
    assert x509.read_crl(der) == crl
    assert x509.crl_is_by(der, made.der)
    backwards = _crl(entries=dict(reversed([*crl.entries.items()])))
    assert x509.sign_crl(backwards, made.authority, made.signer) == der


def test_it_is_of_version_2_and_says_whose_it_is(root: Made) -> None:
    parsed = cx.load_der_x509_crl(x509.sign_crl(_crl(number=77), root.authority, root.signer))
    assert parsed.extensions.get_extension_for_class(cx.CRLNumber).value.crl_number == 77
    own = parsed.extensions.get_extension_for_class(cx.AuthorityKeyIdentifier).value
    assert own == root.authority.key_id
    assert parsed.issuer == root.authority.subject
    assert parsed.tbs_certlist_bytes[:8].find(b"\x02\x01\x01") > 0


def test_unspecified_leaves_the_reason_out(root: Made) -> None:
    parsed = cx.load_der_x509_crl(x509.sign_crl(_crl(), root.authority, root.signer))
    reasons = {entry.serial_number - (1 << 158): len(entry.extensions) for entry in parsed}
    assert reasons == {n: n != 0 for n in range(len(RevocationReason))}


def test_a_moment_of_another_zone_is_the_same_moment(root: Made) -> None:
    there = START.astimezone(timezone(timedelta(hours=5)))
    lists = [
        x509.sign_crl(
            _crl(entries={"7f" * 20: x509.CrlEntry(at, RevocationReason.SUPERSEDED)}),
            root.authority,
            root.signer,
        )
        for at in (START, there)
    ]
    assert lists[0] == lists[1]


def test_an_empty_list_is_a_list(root: Made) -> None:
    crl = _crl(entries={})
    assert x509.read_crl(x509.sign_crl(crl, root.authority, root.signer)) == crl


def test_a_hundred_thousand_entries_are_kept(root: Made) -> None:
    entries = {
        f"{(1 << 158) + n:x}": x509.CrlEntry(START, RevocationReason.SUPERSEDED)
        for n in range(100_000)
    }
    crl = _crl(entries=entries)
    assert x509.read_crl(x509.sign_crl(crl, root.authority, root.signer)) == crl


def test_nobody_else_signed_it(house: House, root: Made) -> None:
    other = house.root(key=KINDS[-1])
    der = bytearray(x509.sign_crl(_crl(), root.authority, root.signer))
    assert not x509.crl_is_by(bytes(der), other.der)
    der[-1] ^= 1
    assert not x509.crl_is_by(bytes(der), root.der)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"number": -1}, "CRL number"),
        ({"number": 1 << 159}, "CRL number"),
        ({"next_update": START}, "end before it starts"),
    ],
)
def test_a_list_of_unsound_content_is_refused(
    root: Made, changes: dict[str, Any], words: str
) -> None:
    with pytest.raises(x509.IssuanceRefused, match=words):
        x509.sign_crl(_crl(**changes), root.authority, root.signer)


def test_another_key_is_refused(house: House, root: Made) -> None:
    with pytest.raises(x509.IssuanceRefused, match="another key"):
        x509.sign_crl(_crl(), root.authority, KeySigner(house.key(KINDS[-1])))


@pytest.mark.parametrize("bad", [b"", b"\x30\x00", b"not a list"])
def test_what_is_no_list_is_a_value_error(bad: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - the parser's words
        x509.read_crl(bad)
