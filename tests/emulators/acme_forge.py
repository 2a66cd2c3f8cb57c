"""What a CA sells that lies: a certificate for a signing request, with one thing wrong at a time."""

import ssl
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes
from cryptography.hazmat.primitives.serialization import Encoding

DAY = timedelta(days=1)


def _now() -> datetime:
    return datetime.now(UTC).replace(microsecond=0)


@dataclass(frozen=True)
class Wanted:
    """What is put into a certificate; None is what was asked for."""

    names: tuple[str, ...] | None = None
    more: tuple[x509.GeneralName, ...] = ()
    key: CertificatePublicKeyTypes | None = None
    start: datetime = field(default_factory=_now)
    life: timedelta = 90 * DAY
    ca: bool = False
    serial: int = field(default_factory=x509.random_serial_number)
    common: str | None = None


@dataclass(frozen=True)
class Forge:
    """A root with an intermediate. The key of a `stranger` signs for the same name with another key."""

    key: ec.EllipticCurvePrivateKey
    root: x509.Certificate
    intermediate: x509.Certificate

    @classmethod
    def made(cls, start: datetime | None = None) -> "Forge":
        """Make one; its CAs live ten years."""
        start = start or _now() - DAY
        root_key, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
        root = _signed("Forged Root", root_key.public_key(), "Forged Root", root_key, start)
        below = _signed("Forged CA", key.public_key(), "Forged Root", root_key, start)
        return cls(key, root, below)

    def stranger(self) -> "Forge":
        """Return one of the same names whose keys are others."""
        return Forge.made()

    def sell(self, csr: x509.CertificateSigningRequest, wanted: Wanted = Wanted()) -> bytes:
        """Return a chain in PEM."""
        return self.leaf(csr, wanted) + self.above

    @property
    def above(self) -> bytes:
        """The intermediate alone, as CAs send it."""
        return _pem(self.intermediate)

    def leaf(self, csr: x509.CertificateSigningRequest, wanted: Wanted = Wanted()) -> bytes:
        """Return a certificate in PEM."""
        names = wanted.names or tuple(_names(csr))
        subject = [x509.NameAttribute(x509.NameOID.COMMON_NAME, wanted.common or names[0][:64])]
        listed = [*(x509.DNSName(name) for name in names), *wanted.more]
        alternative = x509.SubjectAlternativeName(listed)
        made = (
            x509.CertificateBuilder()
            .subject_name(x509.Name(subject))
            .issuer_name(self.intermediate.subject)
            .public_key(wanted.key or csr.public_key())
            .serial_number(wanted.serial)
            .not_valid_before(wanted.start)
            .not_valid_after(wanted.start + wanted.life)
            .add_extension(alternative, critical=False)
            .add_extension(x509.BasicConstraints(ca=wanted.ca, path_length=None), critical=True)
        )
        identifier = x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key())
        made = made.add_extension(identifier, critical=False)
        return _pem(made.sign(self.key, hashes.SHA256()))


def renamed(csr: x509.CertificateSigningRequest, *more: str, without: int = 0) -> Wanted:
    """Return what names more than was asked for, or fewer by so many."""
    asked = list(_names(csr))
    return replace(Wanted(), names=(*asked[without:], *more))


def altered(pem: bytes, said: bytes, instead: bytes) -> bytes:
    """Return a certificate (PEM) with other octets in its DER, whatever that makes of it."""
    der = ssl.PEM_cert_to_DER_cert(pem.decode())
    if said not in der:
        raise ValueError("it does not say that")
    return ssl.DER_cert_to_PEM_cert(der.replace(said, instead)).encode()


def renumbered(der: bytes, serial: bytes) -> bytes:
    """Return a certificate (DER) of 256 octets or more with another serial, and its old signature."""
    outer, inner, rest = der[:2], der[4:6], der[8:]
    start = rest.index(b"\x02", 5)  # after the version
    end = start + 2 + rest[start + 1]
    inside = rest[:start] + bytes((2, len(serial))) + serial + rest[end:]
    grown = len(inside) - len(rest)
    lengths = (int.from_bytes(der[at : at + 2], "big") + grown for at in (2, 6))
    first, second = (length.to_bytes(2, "big") for length in lengths)
    return outer + first + inner + second + inside


def _names(csr: x509.CertificateSigningRequest) -> list[str]:
    found = csr.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    return list(found.value.get_values_for_type(x509.DNSName))


def _signed(
    name: str,
    key: ec.EllipticCurvePublicKey,
    issuer: str,
    by: ec.EllipticCurvePrivateKey,
    start: datetime,
) -> x509.Certificate:
    subject, above = (
        x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, each)]) for each in (name, issuer)
    )
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(above)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(start + 3650 * DAY)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
        .sign(by, hashes.SHA256())
    )


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(Encoding.PEM)
