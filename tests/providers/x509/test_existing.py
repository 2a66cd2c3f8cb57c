"""CAs that others made: what of them can be gone on with, and that what is signed below them holds."""

from collections.abc import Sequence
from datetime import timedelta

import pytest
from cryptography import x509 as cx
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.name import _ASN1Type
from cryptography.x509.oid import NameOID
from pki_house import House

from providers import x509
from providers.signer import KeySigner
from schemas.authority import NameForms

KEY = ec.generate_private_key(ec.SECP256R1())
CA = (cx.BasicConstraints(ca=True, path_length=None), True)
COMMON = (NameOID.COMMON_NAME, "Old CA", _ASN1Type.UTF8String)


def self_signed(
    house: House,
    *extensions: tuple[cx.ExtensionType, bool],
    name: Sequence[tuple[cx.ObjectIdentifier, str, _ASN1Type]] = (COMMON,),
    key: ec.EllipticCurvePrivateKey = KEY,
) -> bytes:
    subject = cx.Name([cx.NameAttribute(oid, text, _type=kind) for oid, text, kind in name])
    builder = (
        cx.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(5)
        .not_valid_before(house.now - timedelta(days=1))
        .not_valid_after(house.now + timedelta(days=900))
    )
    for extension, critical in extensions:
        builder = builder.add_extension(extension, critical)
    return builder.sign(key, hashes.SHA256()).public_bytes(Encoding.DER)


@pytest.mark.parametrize(
    "name",
    [
        (COMMON,),
        ((NameOID.COMMON_NAME, "Old CA", _ASN1Type.PrintableString),),
        ((NameOID.COMMON_NAME, "Old CA", _ASN1Type.T61String),),
        ((NameOID.COMMON_NAME, "Älteste Ω", _ASN1Type.BMPString),),
        ((NameOID.EMAIL_ADDRESS, "ca@example.com", _ASN1Type.IA5String), COMMON),
        (COMMON, (NameOID.COUNTRY_NAME, "DE", _ASN1Type.PrintableString)),
        ((NameOID.ORGANIZATION_NAME, "Only an organisation", _ASN1Type.UTF8String),),
    ],
    ids=["utf8", "printable", "t61", "bmp", "e-mail", "order", "no common name"],
)
def test_a_name_however_it_is_written_is_repeated_to_the_byte(
    house: House, name: Sequence[tuple[cx.ObjectIdentifier, str, _ASN1Type]]
) -> None:
    der = self_signed(house, CA, name=name)
    said = x509.existing_authority(der)
    old = cx.load_der_x509_certificate(der)
    leaf = x509.sign(
        house.tbs(house.leaf_request()), x509.IssuingAuthority.load(der), KeySigner(KEY)
    )
    cx.load_der_x509_certificate(leaf).verify_directly_issued_by(old)
    request = house.authority_request("Old", None).model_copy(
        update={
            "common_name": said.common_name or "",
            "subject": said.words,
            "inherited": said.inherited,
            "key": said.key,
        }
    )
    again = house.tbs(request, spki=x509.spki(KEY.public_key()))
    renewed = cx.load_der_x509_certificate(x509.sign(again, None, KeySigner(KEY)))
    assert renewed.subject.public_bytes() == old.subject.public_bytes()
    cx.load_der_x509_certificate(leaf).verify_directly_issued_by(renewed)


def test_what_our_words_say_byte_for_byte_needs_nothing_else(house: House) -> None:
    assert x509.existing_authority(house.root().der).inherited is None


@pytest.mark.parametrize(
    ("extensions", "said"),
    [
        ((), "it is no CA"),
        (((cx.BasicConstraints(ca=False, path_length=None), True),), "it is no CA"),
        (
            (
                CA,
                (cx.KeyUsage(True, False, False, False, False, False, True, False, False), True),
            ),
            "lacks keyCertSign",
        ),
        (
            (CA, (cx.NameConstraints([cx.DirectoryName(cx.Name([]))], None), True)),
            "a form that certform cannot check",
        ),
    ],
    ids=["version 1", "leaf", "usage", "constraints"],
)
def test_what_nothing_sound_can_be_issued_under_is_refused(
    house: House, extensions: Sequence[tuple[cx.ExtensionType, bool]], said: str
) -> None:
    with pytest.raises(ValueError, match=said):
        x509.existing_authority(self_signed(house, *extensions))


def test_a_key_that_is_none_of_ours_is_refused(house: House) -> None:
    key = ec.generate_private_key(ec.SECP256K1())
    with pytest.raises(ValueError, match="secp256k1 is not supported"):
        x509.existing_authority(self_signed(house, CA, key=key))


def test_constraints_of_others_count_for_all_below_and_are_named(house: House) -> None:
    listed = [
        cx.DNSName(".example.com"),
        cx.RFC822Name("example.com"),
        cx.UniformResourceIdentifier("example.org"),
        cx.UniformResourceIdentifier(".example.org"),
    ]
    der = self_signed(house, CA, (cx.NameConstraints(listed, None), True))
    said = x509.existing_authority(der)
    assert said.constraints is not None
    assert said.constraints.permitted == NameForms(
        dns_domains=("example.com",), uri_domains=("example.org",), email_domains=("example.com",)
    )
    assert set(said.remarks) == {".example.com", "example.com"}
    assert x509.existing_authority(house.root(name_constraints=said.constraints).der).remarks == ()


@pytest.mark.parametrize(("seconds", "duration"), [(0, 86400), (-1, 86400)])
def test_a_life_is_counted_as_whoever_wrote_it_meant_it(
    house: House, seconds: int, duration: int
) -> None:
    subject = cx.Name([cx.NameAttribute(NameOID.COMMON_NAME, "Old CA")])
    signed = (
        cx.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(KEY.public_key())
        .serial_number(5)
        .not_valid_before(house.now)
        .not_valid_after(house.now + timedelta(days=1, seconds=seconds))
        .add_extension(*CA)
        .sign(KEY, hashes.SHA256())
    )
    assert x509.existing_authority(signed.public_bytes(Encoding.DER)).duration == duration
