"""What Certificate Manager checks of certificates that it is given, and the ones that it issues itself."""

import datetime as dt
import re
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from certificate_manager_errors import invalid
from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key

_RSA = (2048, 3072, 4096)
_CURVES = ("secp256r1", "secp384r1")
_DOMAIN = re.compile(r"(\*\.)?([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}")


def check_pair(pem: str, key_pem: str) -> list[x509.Certificate]:
    """Return the chain, leaf first; refused unless the key is the leaf's, and of a kind that is served."""
    chain = read_chain(pem)
    try:
        key = load_pem_private_key(key_pem.encode(), None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise invalid("The private key is malformed.") from None
    public = chain[0].public_key()
    if not _served(public):
        raise invalid("The key algorithm of the certificate is not supported.")
    if key.public_key() != public:
        raise invalid("The private key does not match the certificate.")
    for child, issuer in pairwise(chain):
        try:
            child.verify_directly_issued_by(issuer)
        except (InvalidSignature, ValueError, TypeError):
            raise invalid("The certificate chain is not in order.") from None
    return chain


def read_chain(pem: str) -> list[x509.Certificate]:
    try:
        return x509.load_pem_x509_certificates(pem.encode())
    except ValueError:
        raise invalid("The certificate is malformed.") from None


def dns_names(leaf: x509.Certificate) -> list[str]:
    try:
        names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return []
    return list(names.get_values_for_type(x509.DNSName))


def check_domain(domain: str) -> None:
    if not _DOMAIN.fullmatch(domain) or len(domain) > 253:
        raise invalid(f"Invalid domain name: {domain}")


def _served(key: Any) -> bool:
    if isinstance(key, rsa.RSAPublicKey):
        return key.key_size in _RSA
    return isinstance(key, ec.EllipticCurvePublicKey) and key.curve.name in _CURVES


@dataclass(frozen=True, slots=True)
class GoogleCa:
    """Stands for the CA that issues what is managed."""

    key: ec.EllipticCurvePrivateKey
    certificate: x509.Certificate

    @classmethod
    def made(cls) -> "GoogleCa":
        key = ec.generate_private_key(ec.SECP256R1())
        name = _name("Emulated Google CA")
        constraints = x509.BasicConstraints(ca=True, path_length=0)
        return cls(key, _builder(name, name, key).add_extension(constraints, True).sign(key, _HASH))

    def issue(self, domains: list[str]) -> str:
        """Return a new chain in PEM."""
        key = ec.generate_private_key(ec.SECP256R1())
        names = x509.SubjectAlternativeName([x509.DNSName(domain) for domain in domains])
        builder = _builder(_name(domains[0]), self.certificate.subject, key)
        leaf = builder.add_extension(names, False).sign(self.key, _HASH)
        chain = (leaf, self.certificate)
        return "".join(each.public_bytes(Encoding.PEM).decode() for each in chain)


_HASH = hashes.SHA256()


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, common_name)])


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey
) -> x509.CertificateBuilder:
    now = dt.datetime.now(dt.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(hours=1))
        .not_valid_after(now + dt.timedelta(days=90))
    )
