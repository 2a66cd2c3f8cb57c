"""Delegated OCSP responders (RFC 6960 section 4.2.2.2): short-lived certificates that the CA itself signs."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from providers.signer import KeyHolder, PublicKey, Signer, builder_key, signature_hash
from providers.x509.issuance import deterministic
from providers.x509.issuer import IssuanceRefused, IssuingAuthority
from providers.x509.keys import decode_spki
from schemas.certificate import Algorithm
from schemas.request import KeyType

_P256 = KeyType(algorithm=Algorithm.ECDSA, size=256)
_LIKE_THE_CA = {
    Algorithm.RSA: KeyType(algorithm=Algorithm.RSA, size=2048),
    Algorithm.ML_DSA: KeyType(algorithm=Algorithm.ML_DSA, size=44),
}
_USAGE = x509.KeyUsage(
    digital_signature=True,
    content_commitment=False,
    key_encipherment=False,
    data_encipherment=False,
    key_agreement=False,
    key_cert_sign=False,
    crl_sign=False,
    encipher_only=False,
    decipher_only=False,
)


@dataclass(frozen=True, slots=True)
class ResponderRequest:
    """Everything that determines a responder's certificate apart from its issuer; as in `ToBeSigned`."""

    serial: str
    not_before: datetime
    not_after: datetime
    spki: bytes


@dataclass(frozen=True, slots=True)
class Responder:
    """A delegated responder at hand: its certificate (DER), and its key in memory."""

    certificate: bytes
    signer: KeyHolder


def responder_key_type(issuer: Algorithm) -> KeyType:
    """Return the kind of a responder's key: P-256, but RSA (2048 bits) or ML-DSA (44) where the CA's key is.

    Who knows that alone can check the CA's signature, and so the responder's, too.
    """
    return _LIKE_THE_CA.get(issuer, _P256)


def sign_responder(request: ResponderRequest, issuer: IssuingAuthority, signer: Signer) -> bytes:
    """Return a responder's certificate in DER, signed with the key that signed what it answers for.

    Raises IssuanceRefused for what a relying party would have to refuse, and whatever the signer raises.
    """
    if reasons := tuple(_refusals(request, issuer, signer)):
        raise IssuanceRefused(reasons)
    key = decode_spki(request.spki)
    certificate = x509.CertificateBuilder(
        issuer_name=issuer.subject,
        subject_name=_subject(request.serial),
        public_key=key,
        serial_number=int(request.serial, 16),
        not_valid_before=request.not_before.replace(tzinfo=None),
        not_valid_after=request.not_after.replace(tzinfo=None),
        extensions=_extensions(key, issuer),
    ).sign(
        builder_key(signer),
        signature_hash(issuer.public_key),
        ecdsa_deterministic=deterministic(issuer.public_key),
    )
    return certificate.public_bytes(Encoding.DER)


def _subject(serial: str) -> x509.Name:
    # with a space in it no verifier takes it for a DNS name, which the CA's constraints would not permit
    name = f"OCSP responder {serial[:16]}"
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _extensions(
    key: PublicKey, issuer: IssuingAuthority
) -> list[x509.Extension[x509.ExtensionType]]:
    """Return what it says of itself; nobody asks whether it is revoked (section 4.2.2.2.1)."""
    said: Sequence[tuple[x509.ExtensionType, bool]] = (
        (x509.BasicConstraints(ca=False, path_length=None), True),
        (_USAGE, True),
        (x509.ExtendedKeyUsage([ExtendedKeyUsageOID.OCSP_SIGNING]), False),
        (x509.OCSPNoCheck(), False),
        (x509.SubjectKeyIdentifier.from_public_key(key), False),
        (issuer.key_id, False),
    )
    return [x509.Extension(value.oid, critical, value) for value, critical in said]


def _refusals(request: ResponderRequest, issuer: IssuingAuthority, signer: Signer) -> Iterator[str]:
    if signer.public_key() != issuer.public_key:
        yield "the signer holds another key than the issuer's certificate"
    if not issuer.path[0].signs_certificates:
        yield "the issuer may not sign certificates (its key usage lacks keyCertSign)"
    if any(moment.utcoffset() != timedelta() for moment in (request.not_before, request.not_after)):
        yield "the dates of the responder's certificate are not in UTC"
        return
    if request.not_before < issuer.not_before or request.not_after > issuer.not_after:
        yield "the responder's certificate would not lie within the dates of its issuer"
    if request.not_after <= request.not_before:
        yield "the responder's certificate would end before it starts"
