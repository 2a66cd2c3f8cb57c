"""What certificates say: read from PEM or DER, for comparing and for checking our own output."""

import binascii
import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeVar

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import SignatureAlgorithmOID

from providers.x509.keys import armoured

_E = TypeVar("_E", bound=x509.ExtensionType)
_SHA1 = (SignatureAlgorithmOID.RSA_WITH_SHA1, SignatureAlgorithmOID.ECDSA_WITH_SHA1)
_PEM = re.compile(rb"-----BEGIN CERTIFICATE-----([A-Za-z0-9+/=\s]+)-----END CERTIFICATE-----")


@dataclass(frozen=True, slots=True)
class CertificateFacts:
    """One certificate: `serial` and `sha256` (over the DER) in lower-case hex, dates in UTC."""

    serial: str
    sha256: str
    not_before: datetime
    not_after: datetime
    certificate: x509.Certificate = field(repr=False)

    @property
    def spki(self) -> bytes:
        """The DER SubjectPublicKeyInfo; raises ValueError for a key of an unknown kind."""
        return _spki(self.certificate)

    @property
    def subject(self) -> str:
        """The subject as RFC 4514 text."""
        return self.certificate.subject.rfc4514_string()

    @property
    def issuer(self) -> str:
        """The issuer as RFC 4514 text."""
        return self.certificate.issuer.rfc4514_string()

    @property
    def dns_names(self) -> tuple[str, ...]:
        """The DNS names; raises ValueError when the extensions cannot be read."""
        names = extension(self.certificate, x509.SubjectAlternativeName)
        return tuple(names.get_values_for_type(x509.DNSName)) if names else ()

    @property
    def is_ca(self) -> bool:
        """Whether basicConstraints say CA; raises ValueError when the extensions cannot be read."""
        basic = extension(self.certificate, x509.BasicConstraints)
        return basic is not None and basic.ca


def extension(certificate: x509.Certificate, kind: type[_E]) -> _E | None:
    """Return an extension of a certificate, None where it has none; raises ValueError when malformed."""
    try:
        return certificate.extensions.get_extension_for_class(kind).value
    except x509.ExtensionNotFound:
        return None
    except (x509.DuplicateExtension, x509.UnsupportedGeneralNameType) as why:
        raise ValueError(f"its extensions cannot be read: {why}") from None


def facts(certificate: bytes) -> CertificateFacts:
    """Return what a certificate (PEM or DER) says; raises ValueError when it is malformed."""
    der = to_der(certificate)
    try:
        parsed = x509.load_der_x509_certificate(der)
    except x509.InvalidVersion as error:
        raise ValueError(str(error)) from None
    return CertificateFacts(
        serial=f"{parsed.serial_number:x}",
        sha256=hashlib.sha256(der).hexdigest(),
        not_before=parsed.not_valid_before_utc,
        not_after=parsed.not_valid_after_utc,
        certificate=parsed,
    )


def pem(der: bytes) -> bytes:
    """Return a DER certificate as PEM (RFC 7468)."""
    return armoured("CERTIFICATE", der)


def split_pem(data: bytes) -> tuple[bytes, ...]:
    """Return every certificate of a PEM file, in DER and in order; raises ValueError for bad base64."""
    return tuple(binascii.a2b_base64(body) for body in _PEM.findall(data))


def to_der(certificate: bytes) -> bytes:
    """Return the one certificate that PEM or DER bytes hold; raises ValueError when it is not one."""
    if certificate[:1] == b"\x30":
        return certificate
    found = split_pem(certificate)
    if len(found) != 1:
        raise ValueError(f"expected one certificate, found {len(found)}")
    return found[0]


def is_issued_by(child: x509.Certificate, issuer: x509.Certificate) -> bool:
    """Whether the issuer's name is the one in the certificate, and its key made the signature."""
    try:
        child.verify_directly_issued_by(issuer)
    except (InvalidSignature, UnsupportedAlgorithm, ValueError, TypeError):
        return False
    return True


def was_issued_by(child: x509.Certificate, issuer: x509.Certificate) -> bool:
    """Whether an issuer signed a certificate, also in times when SHA-1 was good enough.

    Nothing is trusted by this: a relying party looks at no anchor's own signature, and refuses SHA-1 below.
    """
    if is_issued_by(child, issuer):
        return True
    if child.signature_algorithm_oid not in _SHA1 or child.issuer != issuer.subject:
        return False
    key, digest = issuer.public_key(), hashes.SHA1()  # noqa: S303 - what was signed with it stays so
    try:
        if isinstance(key, rsa.RSAPublicKey):
            key.verify(child.signature, child.tbs_certificate_bytes, padding.PKCS1v15(), digest)
        elif isinstance(key, ec.EllipticCurvePublicKey):
            key.verify(child.signature, child.tbs_certificate_bytes, ec.ECDSA(digest))
        else:
            return False
    except (InvalidSignature, UnsupportedAlgorithm):
        return False
    return True


def trust_digest(chain: Iterable[bytes], anchors: Iterable[bytes]) -> str:
    """Return SHA-256 in hex over a chain in its order and anchors in any order, PEM or DER alike."""
    links = [hashlib.sha256(to_der(certificate)).digest() for certificate in chain]
    roots = {hashlib.sha256(to_der(certificate)).digest() for certificate in anchors}
    return hashlib.sha256(b"".join((*links, b"anchors", *sorted(roots)))).hexdigest()


def _spki(certificate: x509.Certificate) -> bytes:
    try:
        key = certificate.public_key()
    except UnsupportedAlgorithm:
        raise ValueError("the certificate's key is of an unknown kind") from None
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
