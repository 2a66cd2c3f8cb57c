"""Everything that must not be signed is refused, with its reason, before a signature exists."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from cryptography import x509 as cx
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa, x25519
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509 import ExtensionType
from cryptography.x509.oid import NameOID
from pki_house import House, Made

from providers import x509
from providers.signer import KeySigner, PrivateKey, PublicKey
from schemas.authority import NameConstraints, NameForms
from schemas.certificate import Algorithm, Subject, Usage
from schemas.request import KeyType

CLOSED = NameConstraints(
    permitted=NameForms(dns_domains=("example.com",), ip_ranges=("10.0.0.0/8",)),
    excluded=NameForms(dns_domains=("secret.example.com",)),
)


class NeverSigns:
    """A signer that is never reached."""

    def __init__(self, key: PrivateKey) -> None:
        self._key = key

    def public_key(self) -> PublicKey:
        return self._key.public_key()

    def sign(self, _data: bytes, /) -> bytes:
        raise AssertionError("something refused was signed")


def _refused(
    tbs: x509.ToBeSigned, issuer: x509.IssuingAuthority | None, key: PrivateKey
) -> tuple[str, ...]:
    """The reasons, after seeing that signing stops at them."""
    reasons = x509.refusals(tbs, issuer)
    if reasons:
        with pytest.raises(x509.IssuanceRefused) as caught:
            x509.sign(tbs, issuer, NeverSigns(key))
        assert caught.value.reasons == reasons
        assert all(reason in str(caught.value) for reason in reasons)
    return reasons


def test_what_is_sound_is_not_refused(house: House, root: Made, issuing: Made) -> None:
    assert not x509.refusals(house.tbs(house.leaf_request()), issuing.authority)
    assert not x509.refusals(house.tbs(house.authority_request("R", None)), None)
    assert not x509.refusals(house.tbs(house.authority_request("S", "root")), root.authority)


BEFORE, AFTER = datetime(1949, 12, 31, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC)
ELSEWHERE = timezone(timedelta(hours=2))
WEAK: dict[str, Any] = {
    "RSA key of 1024 bits": rsa.generate_private_key(65537, 1024).public_key(),
    "exponent 3 is not supported": rsa.generate_private_key(3, 2048).public_key(),
    "curve secp256k1": ec.generate_private_key(ec.SECP256K1()).public_key(),
    "unknown kind": x25519.X25519PrivateKey.generate().public_key(),
    "the key is ECDSA 384": ec.generate_private_key(ec.SECP384R1()).public_key(),
}


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"serial": ""}, "not lower-case hex"),
        ({"serial": "0abc"}, "not lower-case hex"),
        ({"serial": "-5"}, "not lower-case hex"),
        ({"serial": "ABCDEF0123456789AB"}, "not lower-case hex"),
        ({"serial": "1"}, "between 64 and 159 bits"),
        ({"serial": f"{1 << 159:x}"}, "between 64 and 159 bits"),
        ({"not_after": datetime(2020, 1, 1, tzinfo=UTC)}, "end before it starts"),
        ({"not_after": AFTER.replace(microsecond=1)}, "notAfter is not a whole second"),
        ({"not_after": AFTER.replace(tzinfo=ELSEWHERE)}, "notAfter is not in UTC"),
        ({"not_before": BEFORE}, "notBefore is before 1950"),
        ({"spki": b""}, "cannot be read"),
        ({"spki": b"\x30\x03\x02\x01\x01"}, "cannot be read"),
        ({"crl_url": "https://pki.example.com/a.crl"}, "the CRL URL must be an http URL"),
        ({"issuer_url": "http://pki.example.com/a b"}, "the issuer URL must be an http URL"),
        ({"ocsp_url": "https://pki.example.com/ocsp/a-g1"}, "the OCSP URL must be an http URL"),
        *(({"spki": x509.spki(key)}, words) for words, key in WEAK.items()),
    ],
)
def test_what_is_reserved_badly_is_refused(
    house: House, issuing: Made, changes: dict[str, Any], words: str
) -> None:
    tbs = replace(house.tbs(house.leaf_request()), **changes)
    reasons = _refused(tbs, issuing.authority, house.key())
    assert any(words in reason for reason in reasons), reasons


def test_a_date_without_a_zone_is_refused(house: House, issuing: Made) -> None:
    tbs = house.tbs(house.leaf_request())
    tbs = replace(tbs, not_after=tbs.not_after.replace(tzinfo=None))
    assert _refused(tbs, issuing.authority, house.key()) == ("notAfter is not in UTC",)


def test_a_key_in_another_encoding_is_refused(house: House, issuing: Made) -> None:
    """A compressed point is the same key in other bytes: the certificate would not match the record."""
    point = house.key().public_key().public_bytes(Encoding.X962, PublicFormat.CompressedPoint)
    head = bytes.fromhex("3039301306072a8648ce3d020106082a8648ce3d030107032200")
    tbs = house.tbs(house.leaf_request(), spki=head + point)
    assert "the public key is not in its one DER form" in _refused(
        tbs, issuing.authority, house.key()
    )


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"dns_names": ()}, "names nothing"),
        ({"usages": ()}, "has no usage"),
        ({"usages": (Usage.TIMESTAMPING, Usage.CLIENT_AUTH)}, "only usage"),
        ({"dns_names": ("",)}, "DNS name "),
        ({"dns_names": ("web.*.example.com",)}, "DNS name "),
        ({"dns_names": ("w*.example.com",)}, "DNS name "),
        ({"dns_names": ("*.*.example.com",)}, "DNS name "),
        ({"dns_names": ("*",)}, "DNS name "),
        ({"dns_names": ("*.com",)}, "whole top-level domain"),
        ({"dns_names": ("Web.example.com",)}, "DNS name "),
        ({"dns_names": ("web.example.com.",)}, "DNS name "),
        ({"dns_names": ("web.example.com\0.evil.com",)}, "DNS name "),
        ({"dns_names": ("192.0.2.1",)}, "DNS name "),
        ({"ip_addresses": ("192.0.2.256",)}, "IP address "),
        ({"ip_addresses": ("2001:DB8::1",)}, "IP address "),
        ({"uris": ("/relative",)}, "URI "),
        ({"uris": ("https://exämple.com/",)}, "URI "),
        ({"email_addresses": ("nobody",)}, "e-mail address "),
        ({"common_name": ""}, "commonName"),
        ({"common_name": "x" * 65}, "commonName"),
        ({"subject": Subject(organizations=("x" * 65,))}, "organizationName"),
        ({"subject": Subject(serial_number="№ 5")}, "serialNumber"),
    ],
)
def test_a_leaf_of_unsound_content_is_refused(
    house: House, issuing: Made, changes: dict[str, Any], words: str
) -> None:
    tbs = house.tbs(house.leaf_request(**changes))
    reasons = _refused(tbs, issuing.authority, house.key())
    assert any(words in reason for reason in reasons), reasons


def test_a_leaf_that_outlives_its_issuer_is_refused_by_one_second(
    house: House, issuing: Made
) -> None:
    authority = issuing.authority
    tbs = house.tbs(house.leaf_request(), not_after=authority.not_after)
    assert not x509.refusals(tbs, authority)
    later = replace(tbs, not_after=authority.not_after + timedelta(seconds=1))
    assert "outlive" in _refused(later, authority, house.key())[0]


def test_a_leaf_that_starts_before_its_issuer_is_refused_by_one_second(
    house: House, issuing: Made
) -> None:
    authority = issuing.authority
    tbs = house.tbs(house.leaf_request(), not_before=authority.not_before)
    assert not x509.refusals(tbs, authority)
    earlier = replace(tbs, not_before=authority.not_before - timedelta(seconds=1))
    assert "start before" in _refused(earlier, authority, house.key())[0]


def test_no_leaf_is_its_own_issuer_and_no_ca_pretends_to_be_a_root(
    house: House, root: Made
) -> None:
    key = house.key()
    assert _refused(house.tbs(house.leaf_request()), None, key) == (
        "a leaf certificate needs an issuer",
    )
    below = house.tbs(house.authority_request("S", "root"))
    assert _refused(below, None, key) == ("only a root is signed by itself",)
    alone = house.tbs(house.authority_request("R", None))
    assert _refused(alone, root.authority, key) == ("a root is signed by itself",)


def test_a_path_that_is_used_up_is_refused_at_every_height(house: House) -> None:
    key = house.key()
    top = house.root(path_length=1)
    middle = house.below(top, "Middle", path_length=0)
    leaf = house.tbs(house.leaf_request())
    assert not x509.refusals(leaf, middle.authority)
    sub = house.tbs(house.authority_request("Sub", "middle"))
    reasons = _refused(sub, middle.authority, key)
    assert reasons == (
        "CN=Middle G1 allows 0 CAs below it, this would be CA 1",
        "CN=Root G1 allows 1 CAs below it, this would be CA 2",
    )


def test_a_certificate_that_is_no_ca_signs_nothing(house: House, root: Made, issuing: Made) -> None:
    leaf = x509.sign(house.tbs(house.leaf_request()), issuing.authority, issuing.signer)
    with pytest.raises(x509.IssuanceRefused, match="cannot be used"):
        x509.IssuingAuthority.load(leaf, (issuing.der, root.der))


def _self_made(house: House, *extensions: tuple[cx.ExtensionType, bool]) -> x509.IssuingAuthority:
    """A self-signed certificate with a key identifier and what else is given."""
    key = house.key()
    name = cx.Name([cx.NameAttribute(NameOID.COMMON_NAME, "Odd")])
    builder = (
        cx.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1 << 70)
        .not_valid_before(house.now - timedelta(days=1))
        .not_valid_after(house.now + timedelta(days=900))
        .add_extension(cx.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )
    for extension, critical in extensions:
        builder = builder.add_extension(extension, critical)
    der = builder.sign(key, hashes.SHA256()).public_bytes(Encoding.DER)
    return x509.IssuingAuthority.load(der)


def _usage(*, certificates: bool, crls: bool) -> cx.KeyUsage:
    return cx.KeyUsage(True, False, False, False, False, certificates, crls, False, False)


CA = (cx.BasicConstraints(ca=True, path_length=None), True)
NO_CA = (cx.BasicConstraints(ca=False, path_length=None), True)


@pytest.mark.parametrize(
    ("extensions", "words"),
    [
        ([NO_CA, (_usage(certificates=False, crls=True), True)], "is no CA"),
        ([(_usage(certificates=True, crls=True), True)], "is no CA"),
        ([CA, (_usage(certificates=False, crls=True), True)], "lacks keyCertSign"),
    ],
)
def test_an_issuer_that_may_not_sign_is_refused(
    house: House, extensions: Sequence[tuple[ExtensionType, bool]], words: str
) -> None:
    authority = _self_made(house, *extensions)
    reasons = _refused(house.tbs(house.leaf_request()), authority, house.key())
    assert any(words in reason for reason in reasons), reasons


def test_a_ca_without_key_usage_may_sign_as_many_that_openssl_made_do(house: House) -> None:
    assert not x509.refusals(house.tbs(house.leaf_request()), _self_made(house, CA))


def test_constraints_of_a_form_that_cannot_be_checked_are_refused(house: House) -> None:
    directory = cx.DirectoryName(cx.Name([cx.NameAttribute(NameOID.COUNTRY_NAME, "GB")]))
    constraints = cx.NameConstraints([directory], None)
    with pytest.raises(x509.IssuanceRefused, match="cannot check"):
        _self_made(house, CA, (constraints, True))


@pytest.mark.parametrize("change", ["order", "stranger", "missing", "leaf"])
def test_a_chain_that_is_no_chain_is_refused(
    house: House, root: Made, issuing: Made, change: str
) -> None:
    stranger = x509.sign(
        house.tbs(house.authority_request("Root", None, key=_ED)), None, KeySigner(house.key(_ED))
    )
    above = {
        "order": (issuing.der, root.der),
        "stranger": (stranger,),
        "missing": (),
        "leaf": (b"no certificate",),
    }[change]
    with pytest.raises(x509.IssuanceRefused, match="chain cannot be used"):
        x509.IssuingAuthority.load(issuing.der, above)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"dns_names": ("example.org",)}, "DNS name example.org is outside"),
        ({"dns_names": ("notexample.com",)}, "outside"),
        ({"dns_names": ("a.secret.example.com",)}, "in what is excluded"),
        ({"dns_names": ("*.example.com",)}, "in what is excluded"),
        ({"dns_names": ("*.example.org",)}, "outside"),
        ({"ip_addresses": ("11.0.0.1",)}, "IP address 11.0.0.1 is outside"),
        ({"ip_addresses": ("::1",)}, "in what is excluded"),
        ({"uris": ("https://example.com/",)}, "URI https://example.com/ is outside"),
        ({"email_addresses": ("a@example.com",)}, "e-mail address a@example.com is outside"),
        ({"common_name": "www.example.org"}, "www.example.org is outside"),
        ({"common_name": "::1"}, "in what is excluded"),
    ],
)
@pytest.mark.parametrize("height", ["issuer", "ancestor"])
def test_names_outside_any_constraints_above_are_refused(
    house: House, changes: dict[str, Any], words: str, height: str
) -> None:
    made = house.constrained(CLOSED)
    if height == "ancestor":
        made = house.below(made, "Lower")
    inside = {"dns_names": ("web.example.com", "*.app.example.com"), "ip_addresses": ("10.1.2.3",)}
    assert not x509.refusals(house.tbs(house.leaf_request(**inside)), made.authority)
    tbs = house.tbs(house.leaf_request(**changes))
    reasons = _refused(tbs, made.authority, house.key())
    assert any(words in reason and "CN=Issuing G1" in reason for reason in reasons), reasons


def test_a_ca_that_would_permit_more_than_its_parent_is_refused(house: House) -> None:
    parent = house.constrained(CLOSED)
    wider = NameConstraints(permitted=NameForms(dns_domains=("example.org",)))
    tbs = house.tbs(house.authority_request("Sub", "issuing", name_constraints=wider))
    assert any("example.org is outside" in r for r in _refused(tbs, parent.authority, house.key()))
    narrower = NameConstraints(permitted=NameForms(dns_domains=("a.example.com",)))
    tbs = house.tbs(house.authority_request("Sub", "issuing", name_constraints=narrower))
    assert not x509.refusals(tbs, parent.authority)


def test_all_reasons_come_at_once(house: House, issuing: Made) -> None:
    tbs = replace(
        house.tbs(house.leaf_request(dns_names=(), usages=())), serial="0", crl_url="ftp://x"
    )
    assert len(_refused(tbs, issuing.authority, house.key())) == 4


def test_malformed_names_do_not_hide_or_break_other_reasons(house: House) -> None:
    made = house.constrained(CLOSED)
    tbs = replace(house.tbs(house.leaf_request(ip_addresses=("not an address",))), serial="0")
    assert len(_refused(tbs, made.authority, house.key())) == 2


_ED = KeyType(algorithm=Algorithm.ED25519, size=256)
