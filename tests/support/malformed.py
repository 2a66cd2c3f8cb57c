"""Certificates that nobody should make: built from whatever is given, and read as a judge reads them."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import AuthorityInformationAccessOID, ExtendedKeyUsageOID, NameOID
from pyasn1.codec.der.decoder import decode
from pyasn1.codec.der.encoder import encode
from pyasn1_alt_modules import rfc5280

NOW, END = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 3, 1, tzinfo=UTC)
KEY = ec.generate_private_key(ec.SECP256R1())
NAME = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Example")])
Said = list[tuple[x509.ExtensionType, bool]]


@dataclass(frozen=True)
class Seen:
    """One certificate as a judge sees it."""

    der: bytes
    ca: bool

    @cached_property
    def read(self) -> x509.Certificate:
        return x509.load_der_x509_certificate(self.der)

    def has(self, kind: type[x509.ExtensionType]) -> x509.Extension[Any] | None:
        oids = [e for e in self.read.extensions if e.oid == kind.oid]
        return oids[0] if oids else None

    def value(self, kind: type[x509.ExtensionType]) -> Any:
        found = self.has(kind)
        return found.value if found else None

    def critical(self, kind: type[x509.ExtensionType]) -> bool:
        found = self.has(kind)
        return found is not None and found.critical

    @cached_property
    def parsed(self) -> Any:
        return decode(self.der, asn1Spec=rfc5280.Certificate())[0]

    @property
    def oids(self) -> list[str]:
        return [str(each["extnID"]) for each in self.parsed["tbsCertificate"]["extensions"]]

    @property
    def key_cert_sign(self) -> bool:
        usage = self.value(x509.KeyUsage)
        return usage is not None and usage.key_cert_sign

    @property
    def times(self) -> list[tuple[str, str]]:
        """The two dates as they are encoded: by kind, and by what is written."""
        validity = self.parsed["tbsCertificate"]["validity"]
        return [
            (validity[n].getName(), str(validity[n].getComponent()))
            for n in ("notBefore", "notAfter")
        ]


def usage(*, signs: bool) -> x509.KeyUsage:
    return x509.KeyUsage(not signs, False, False, False, False, signs, signs, False, False)


AKI = x509.AuthorityKeyIdentifier.from_issuer_public_key(KEY.public_key())
SKI = x509.SubjectKeyIdentifier.from_public_key(KEY.public_key())
SERVER = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH])
SAN = x509.SubjectAlternativeName([x509.DNSName("www.example.com")])
AIA = x509.AuthorityInformationAccess(
    [
        x509.AccessDescription(
            AuthorityInformationAccessOID.CA_ISSUERS,
            x509.UniformResourceIdentifier("http://a.example"),
        )
    ]
)
CONSTRAINTS = x509.NameConstraints([x509.DNSName("example.com")], None)
LEAF: Said = [
    (x509.BasicConstraints(False, None), True),
    (usage(signs=False), True),
    (SERVER, False),
    (SAN, False),
    (AKI, False),
]
CA: Said = [
    (x509.BasicConstraints(True, None), True),
    (usage(signs=True), True),
    (SKI, False),
    (AKI, False),
]


def built(
    said: Said, *, subject: x509.Name = NAME, issuer: x509.Name = NAME, end: datetime = END
) -> bytes:
    """Sign whatever is given."""
    return (
        x509.CertificateBuilder(
            issuer,
            subject,
            KEY.public_key(),
            1 << 70,
            NOW.replace(tzinfo=None),
            end.replace(tzinfo=None),
            [x509.Extension(v.oid, c, v) for v, c in said],
        )
        .sign(KEY, hashes.SHA256())
        .public_bytes(Encoding.DER)
    )


def without(
    said: Said, kind: type[x509.ExtensionType], *more: tuple[x509.ExtensionType, bool]
) -> bytes:
    return built([*(each for each in said if not isinstance(each[0], kind)), *more])


def rewritten(der: bytes, change: Callable[[Any], None]) -> bytes:
    """Return a certificate with something changed that no builder would write."""
    parsed = decode(der, asn1Spec=rfc5280.Certificate())[0]
    change(parsed)
    return bytes(encode(parsed))
