"""What a certificate looks like, byte for byte where it matters."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography import x509 as cx
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ObjectIdentifier
from cryptography.x509.oid import ExtendedKeyUsageOID, ExtensionOID, NameOID
from key_kinds import KINDS
from pki_house import House, Made

from providers import x509
from providers.signer import KeySigner, PrivateKey, PublicKey, Signer, builder_key, sign_with
from schemas.authority import NameConstraints, NameForms
from schemas.certificate import Algorithm, Subject, Usage
from schemas.request import KeyType

RSA = KINDS[0]
HASHES = ("sha256", "sha384", "sha512", "sha256", "sha384", "sha512", None)


class Elsewhere:
    """A signer that gives nothing but signatures, as a token or a key service does."""

    def __init__(self, key: PrivateKey) -> None:
        self._key = key
        self.signed: list[bytes] = []

    def public_key(self) -> PublicKey:
        return self._key.public_key()

    def sign(self, data: bytes, /) -> bytes:
        self.signed.append(data)
        return sign_with(self._key, data)


@pytest.mark.parametrize(("kind", "algorithm"), list(zip(KINDS, HASHES, strict=True)), ids=str)
def test_one_content_and_key_give_the_same_bytes_always(
    house: House, kind: KeyType, algorithm: str | None
) -> None:
    made = house.root(key=kind)
    tbs = house.tbs(house.leaf_request(key=kind))
    first = x509.sign(tbs, made.authority, made.signer)
    assert all(x509.sign(tbs, made.authority, made.signer) == first for _ in range(3))
    reread = KeySigner(x509.decode_key(x509.encode_key(house.key(kind))))
    assert x509.sign(tbs, made.authority, reread) == first
    parsed = cx.load_der_x509_certificate(first)
    used = parsed.signature_hash_algorithm
    assert (used.name if used else None) == algorithm
    if kind.algorithm is Algorithm.RSA:
        assert isinstance(parsed.signature_algorithm_parameters, padding.PKCS1v15)


@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_a_signer_that_keeps_its_key_gives_the_same_bytes(house: House, kind: KeyType) -> None:
    made = house.root(key=kind)
    tbs = house.tbs(house.leaf_request(key=kind))
    elsewhere = Elsewhere(house.key(kind))
    certificate = x509.sign(tbs, made.authority, elsewhere)
    assert certificate == x509.sign(tbs, made.authority, made.signer)
    assert elsewhere.signed == [cx.load_der_x509_certificate(certificate).tbs_certificate_bytes]


def test_a_stand_in_gives_no_key_away(house: House) -> None:
    for kind in (KINDS[0], KINDS[3], KINDS[6]):
        stand_in = builder_key(Elsewhere(house.key(kind)))
        with pytest.raises(TypeError, match="never leaves"):
            x509.encode_key(stand_in)


def test_other_content_gives_other_bytes(house: House, issuing: Made) -> None:
    tbs = house.tbs(house.leaf_request())
    other = house.tbs(house.leaf_request(), serial=x509.new_serial())
    signed = [x509.sign(t, issuing.authority, issuing.signer) for t in (tbs, other)]
    assert signed[0] != signed[1]


def test_names_of_the_issuer_are_copied_byte_for_byte(house: House) -> None:
    subject = Subject(organizations=("Prüfstelle Ltd",), countries=("GB",), serial_number="4711")
    made = house.root(subject=subject)
    leaf = cx.load_der_x509_certificate(
        x509.sign(house.tbs(house.leaf_request()), made.authority, made.signer)
    )
    parent = cx.load_der_x509_certificate(made.der)
    name = parent.subject.public_bytes()
    assert leaf.issuer.public_bytes() == name
    assert name in leaf.tbs_certificate_bytes
    assert name in made.der


def _said(der: bytes) -> dict[str, tuple[bool, Any]]:
    extensions = cx.load_der_x509_certificate(der).extensions
    return {e.oid._name: (e.critical, e.value) for e in extensions}


def test_a_leaf_says_what_it_must_and_no_more(house: House, issuing: Made) -> None:
    tbs = house.tbs(
        house.leaf_request(),
        crl_url="http://pki.example.com/issuing-g1.crl",
        issuer_url="http://pki.example.com/issuing-g1.cer",
    )
    said = _said(x509.sign(tbs, issuing.authority, issuing.signer))
    assert {name: critical for name, (critical, _) in said.items()} == {
        "basicConstraints": True,
        "keyUsage": True,
        "extendedKeyUsage": False,
        "subjectAltName": True,
        "authorityKeyIdentifier": False,
        "cRLDistributionPoints": False,
        "authorityInfoAccess": False,
    }
    assert said["basicConstraints"][1] == cx.BasicConstraints(ca=False, path_length=None)
    point = said["cRLDistributionPoints"][1][0]
    assert [name.value for name in point.full_name] == [tbs.crl_url]
    access = said["authorityInfoAccess"][1][0]
    assert (access.access_method._name, access.access_location.value) == (
        "caIssuers",
        tbs.issuer_url,
    )


def test_without_urls_there_are_no_pointers(issue: Callable[..., bytes]) -> None:
    said = _said(issue())
    assert "cRLDistributionPoints" not in said
    assert "authorityInfoAccess" not in said


def test_alternative_names_are_critical_only_without_a_subject(issue: Callable[..., bytes]) -> None:
    assert _said(issue())["subjectAltName"][0]
    assert not _said(issue(common_name="web.example.com"))["subjectAltName"][0]
    assert not _said(issue(subject=Subject(organizations=("Example",))))["subjectAltName"][0]


def test_every_kind_of_name_is_there(issue: Callable[..., bytes]) -> None:
    names = _said(
        issue(
            dns_names=("*.example.com", "example.com"),
            ip_addresses=("192.0.2.1", "2001:db8::1"),
            uris=("spiffe://example.com/web",),
            email_addresses=("web@example.com",),
        )
    )["subjectAltName"][1]
    assert [str(name.value) for name in names] == [
        "*.example.com",
        "example.com",
        "192.0.2.1",
        "2001:db8::1",
        "spiffe://example.com/web",
        "web@example.com",
    ]


@pytest.mark.parametrize(
    ("kind", "usages", "bits"),
    [
        (KINDS[3], (Usage.SERVER_AUTH,), {"digital_signature"}),
        (KINDS[6], (Usage.SERVER_AUTH,), {"digital_signature"}),
        (RSA, (Usage.SERVER_AUTH,), {"digital_signature", "key_encipherment"}),
        (RSA, (Usage.CLIENT_AUTH,), {"digital_signature"}),
        (RSA, (Usage.SERVER_AUTH, Usage.CLIENT_AUTH), {"digital_signature", "key_encipherment"}),
    ],
)
def test_key_usage_follows_from_key_and_usages(
    issue: Callable[..., bytes], kind: KeyType, usages: tuple[Usage, ...], bits: set[str]
) -> None:
    critical, usage = _said(issue(key=kind, usages=usages))["keyUsage"]
    assert critical
    assert _bits(usage) == bits


def _bits(usage: cx.KeyUsage) -> set[str]:
    names = (
        "digital_signature",
        "content_commitment",
        "key_encipherment",
        "data_encipherment",
        "key_agreement",
        "key_cert_sign",
        "crl_sign",
    )
    return {name for name in names if getattr(usage, name)}


@pytest.mark.parametrize(
    ("usage", "oid", "critical"),
    [
        (Usage.SERVER_AUTH, ExtendedKeyUsageOID.SERVER_AUTH, False),
        (Usage.CLIENT_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH, False),
        (Usage.CODE_SIGNING, ExtendedKeyUsageOID.CODE_SIGNING, False),
        (Usage.EMAIL_PROTECTION, ExtendedKeyUsageOID.EMAIL_PROTECTION, False),
        (Usage.TIMESTAMPING, ExtendedKeyUsageOID.TIME_STAMPING, True),
    ],
)
def test_every_usage_has_its_object_identifier(
    issue: Callable[..., bytes], usage: Usage, oid: ObjectIdentifier, critical: bool
) -> None:
    assert _said(issue(usages=(usage,)))["extendedKeyUsage"] == (
        critical,
        cx.ExtendedKeyUsage([oid]),
    )


def test_a_root_names_its_own_key_and_gives_no_path_length(root: Made) -> None:
    said = _said(root.der)
    assert said["basicConstraints"] == (True, cx.BasicConstraints(ca=True, path_length=None))
    assert _bits(said["keyUsage"][1]) == {"key_cert_sign", "crl_sign"}
    assert (
        said["authorityKeyIdentifier"][1].key_identifier == said["subjectKeyIdentifier"][1].digest
    )
    assert "extendedKeyUsage" not in said


def test_a_ca_below_points_at_its_parents_key(root: Made, issuing: Made) -> None:
    said = _said(issuing.der)
    assert said["basicConstraints"] == (True, cx.BasicConstraints(ca=True, path_length=0))
    parent = _said(root.der)["subjectKeyIdentifier"][1]
    assert said["authorityKeyIdentifier"][1].key_identifier == parent.digest


def test_the_key_identifier_is_taken_from_the_parent_not_computed_again(house: House) -> None:
    key = house.key()
    odd = cx.SubjectKeyIdentifier(b"any bytes a CA once chose")
    name = cx.Name([cx.NameAttribute(NameOID.COMMON_NAME, "Odd")])
    der = (
        cx.CertificateBuilder(name, name, key.public_key(), 1 << 70)
        .not_valid_before(house.now - timedelta(days=1))
        .not_valid_after(house.now + timedelta(days=900))
        .add_extension(cx.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(_governs(), critical=True)
        .add_extension(odd, critical=False)
        .sign(key, hashes.SHA256())
        .public_bytes(Encoding.DER)
    )
    authority = x509.IssuingAuthority.load(der)
    leaf = x509.sign(house.tbs(house.leaf_request()), authority, KeySigner(key))
    assert _said(leaf)["authorityKeyIdentifier"][1].key_identifier == odd.digest


def _governs() -> cx.KeyUsage:
    bits = dict.fromkeys(
        (
            "digital_signature",
            "content_commitment",
            "key_encipherment",
            "data_encipherment",
            "key_agreement",
            "encipher_only",
            "decipher_only",
        ),
        False,
    )
    return cx.KeyUsage(**bits, key_cert_sign=True, crl_sign=True)


def test_constraints_are_critical_and_only_there_when_asked_for(house: House, root: Made) -> None:
    assert "nameConstraints" not in _said(root.der)
    made = house.constrained(NameConstraints(permitted=NameForms(dns_domains=("example.com",))))
    assert _said(made.der)["nameConstraints"][0]
    assert "nameConstraints" not in _said(house.constrained(NameConstraints()).der)


UTC_TIME, GENERALIZED_TIME = b"\x17\x0d", b"\x18\x0f"


@pytest.mark.parametrize(
    ("end", "encoded"),
    [
        (datetime(2028, 2, 29, 23, 59, 59, tzinfo=UTC), UTC_TIME + b"280229235959Z"),
        (datetime(2049, 12, 31, 23, 59, 59, tzinfo=UTC), UTC_TIME + b"491231235959Z"),
        (datetime(2050, 1, 1, tzinfo=UTC), GENERALIZED_TIME + b"20500101000000Z"),
        (datetime(2052, 2, 29, 12, 0, 0, tzinfo=UTC), GENERALIZED_TIME + b"20520229120000Z"),
    ],
    ids=str,
)
def test_dates_change_their_form_in_2050(house: House, end: datetime, encoded: bytes) -> None:
    request = house.authority_request("Long", None)
    tbs = house.tbs(request, not_after=end)
    der = x509.sign(tbs, None, KeySigner(house.key()))
    assert encoded in der
    assert cx.load_der_x509_certificate(der).not_valid_after_utc == end


def test_the_dates_and_the_serial_are_those_reserved(house: House, issuing: Made) -> None:
    tbs = house.tbs(house.leaf_request())
    found = x509.facts(x509.sign(tbs, issuing.authority, issuing.signer))
    assert (found.serial, found.not_before, found.not_after, found.spki) == (
        tbs.serial,
        tbs.not_before,
        tbs.not_after,
        tbs.spki,
    )


def test_a_signer_with_another_key_is_refused(house: House, issuing: Made) -> None:
    stranger: Signer = KeySigner(ec.generate_private_key(ec.SECP256R1()))
    with pytest.raises(x509.IssuanceRefused, match="another key"):
        x509.sign(house.tbs(house.leaf_request()), issuing.authority, stranger)
    with pytest.raises(x509.IssuanceRefused, match="another key"):
        x509.sign(house.tbs(house.authority_request("R", None)), None, stranger)


def test_no_extension_is_ever_repeated(issue: Callable[..., bytes]) -> None:
    said = cx.load_der_x509_certificate(
        issue(common_name="web.example.com", usages=(Usage.SERVER_AUTH, Usage.CLIENT_AUTH))
    ).extensions
    assert len({e.oid for e in said}) == len(said)
    assert ExtensionOID.SUBJECT_KEY_IDENTIFIER not in {e.oid for e in said}


def test_rsa_keys_are_what_is_asked_for(issue: Callable[..., bytes]) -> None:
    key = cx.load_der_x509_certificate(issue(key=RSA)).public_key()
    assert isinstance(key, rsa.RSAPublicKey)
    assert key.public_numbers().e == 65537
