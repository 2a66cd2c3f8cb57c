"""How AWS Private CA signs: which of its templates takes what from the signing request."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum

from aws_errors import Refusal
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

PrivateKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey
_CURVES: dict[str, ec.EllipticCurve] = {
    "EC_prime256v1": ec.SECP256R1(),
    "EC_secp384r1": ec.SECP384R1(),
}
_TEMPLATES = {
    "EndEntityCertificate": [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH],
    "EndEntityServerAuthCertificate": [ExtendedKeyUsageOID.SERVER_AUTH],
    "EndEntityClientAuthCertificate": [ExtendedKeyUsageOID.CLIENT_AUTH],
    "CodeSigningCertificate": [ExtendedKeyUsageOID.CODE_SIGNING],
}
_BLANK = "BlankEndEntityCertificate_CSRPassthrough"
_KEY_USAGE = x509.KeyUsage(
    digital_signature=True,
    content_commitment=False,
    key_encipherment=True,
    data_encipherment=False,
    key_agreement=False,
    key_cert_sign=False,
    crl_sign=False,
    encipher_only=False,
    decipher_only=False,
)


class Line(Enum):
    """Whether a CA is a root, or stands below one."""

    ROOT = "root"
    SUBORDINATE = "subordinate"


@dataclass
class Ca:
    """One CA; `chain` runs from its own certificate to the root."""

    algorithm: str
    line: Line
    usage_mode: str
    key: PrivateKey
    certificate: x509.Certificate
    chain: tuple[x509.Certificate, ...]
    status: str = "ACTIVE"

    @property
    def signing_algorithm(self) -> str:
        return "SHA256WITHRSA" if self.algorithm.startswith("RSA") else "SHA256WITHECDSA"


def make_line(algorithm: str, line: Line, usage_mode: str, now: datetime, days: int) -> Ca:
    """Make a CA, and a root above it where it is none itself."""
    root_key = _key(algorithm)
    root = _authority("Emulated Root", root_key, None, now, days)
    if line is Line.ROOT:
        return Ca(algorithm, line, usage_mode, root_key, root, (root,))
    key = _key(algorithm)
    certificate = _authority("Emulated CA", key, (root, root_key), now, days)
    return Ca(algorithm, line, usage_mode, key, certificate, (certificate, root))


def _key(algorithm: str) -> PrivateKey:
    if algorithm in _CURVES:
        return ec.generate_private_key(_CURVES[algorithm])
    return rsa.generate_private_key(65537, int(algorithm.partition("_")[2]))


def _authority(
    name: str,
    key: PrivateKey,
    above: tuple[x509.Certificate, PrivateKey] | None,
    now: datetime,
    days: int,
) -> x509.Certificate:
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    signing = above[1] if above else key
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(above[0].subject if above else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=days))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(signing, hashes.SHA256())
    )


def leaf(
    ca: Ca, csr: x509.CertificateSigningRequest, template: str, now: datetime, end: datetime
) -> x509.Certificate:
    """Sign what a template makes of a signing request."""
    builder = (
        x509.CertificateBuilder()
        .subject_name(csr.subject)
        .issuer_name(ca.certificate.subject)
        .public_key(csr.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(end.replace(tzinfo=None))
    )
    for value, critical in _extensions(ca, csr, template or "EndEntityCertificate/V1"):
        builder = builder.add_extension(value, critical)
    return builder.sign(ca.key, hashes.SHA256())


def _extensions(
    ca: Ca, csr: x509.CertificateSigningRequest, template: str
) -> list[tuple[x509.ExtensionType, bool]]:
    name = template.rpartition("template/")[2].removesuffix("/V1")
    key_id = x509.AuthorityKeyIdentifier.from_issuer_public_key(ca.key.public_key())
    said: list[tuple[x509.ExtensionType, bool]] = [(key_id, False)]
    if name == _BLANK:
        return [*said, *((extension.value, extension.critical) for extension in csr.extensions)]
    usages = _TEMPLATES.get(name.partition("_")[0])
    if usages is None:
        raise Refusal("InvalidArgsException", "There is no such template.")
    names = (e for e in csr.extensions if isinstance(e.value, x509.SubjectAlternativeName))
    return [
        *said,
        (x509.BasicConstraints(ca=False, path_length=None), True),
        (_KEY_USAGE, True),
        (x509.ExtendedKeyUsage(usages), False),
        *((extension.value, extension.critical) for extension in names),
    ]
