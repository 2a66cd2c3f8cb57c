"""What Amazon's CA does by itself: it issues what was validated, renews it, or gives up."""

from datetime import datetime, timedelta

from acm_certificates import Certificate, Parsed
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

_VALIDITY = timedelta(days=198)
_CURVES = {"EC_prime256v1": ec.SECP256R1(), "EC_secp384r1": ec.SECP384R1()}


def issue(certificate: Certificate, now: datetime) -> None:
    """Let a requested certificate be issued, or one that was issued be renewed."""
    issuer_key = ec.generate_private_key(ec.SECP256R1())
    issuer = _name("Amazon RSA 2048 M01")
    kind = certificate.key_algorithm
    key = (
        ec.generate_private_key(_CURVES[kind])
        if kind in _CURVES
        else rsa.generate_private_key(65_537, 2_048)
    )
    builder = _builder(certificate.names, issuer, now).public_key(key.public_key())
    leaf = builder.sign(issuer_key, hashes.SHA256())
    certificate.parsed = Parsed(leaf.public_bytes(Encoding.PEM))
    certificate.chain = _authority(issuer, issuer_key, now).public_bytes(Encoding.PEM)
    certificate.status, certificate.issued_at, certificate.renewal = "ISSUED", now, None


def refuse(certificate: Certificate, reason: str) -> None:
    """Let an issuance fail; `reason` is one of DescribeCertificate's FailureReason."""
    certificate.status, certificate.failure = "FAILED", reason


def _builder(names: tuple[str, ...], issuer: x509.Name, now: datetime) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(_name(names[0]))
        .issuer_name(issuer)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(minutes=5))
        .not_valid_after(now + _VALIDITY)
        .add_extension(
            x509.SubjectAlternativeName([x509.DNSName(name) for name in names]), critical=False
        )
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
    )


def _authority(name: x509.Name, key: ec.EllipticCurvePrivateKey, now: datetime) -> x509.Certificate:
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=3_650))
        .public_key(key.public_key())
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )


def _name(common: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])
