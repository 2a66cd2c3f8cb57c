"""What a certificate says, in the words a document of certform says it in."""

from collections.abc import Iterator
from typing import cast

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from providers.base import Content
from providers.signer import PublicKey
from providers.x509.facts import extension, facts
from providers.x509.keys import key_type
from schemas.certificate import Algorithm, Usage
from schemas.request import KeyType

_USAGES = {
    ExtendedKeyUsageOID.SERVER_AUTH: Usage.SERVER_AUTH,
    ExtendedKeyUsageOID.CLIENT_AUTH: Usage.CLIENT_AUTH,
    ExtendedKeyUsageOID.CODE_SIGNING: Usage.CODE_SIGNING,
    ExtendedKeyUsageOID.EMAIL_PROTECTION: Usage.EMAIL_PROTECTION,
    ExtendedKeyUsageOID.TIME_STAMPING: Usage.TIMESTAMPING,
}


def content(certificate: bytes) -> Content:
    """Return what a certificate (PEM or DER) says; raises ValueError when it is malformed.

    The issuer goes by its common name, and by its whole name where it has none. A usage or a kind
    of key that certform has no word for is left out.
    """
    found = facts(certificate)
    names = _names(found.certificate)
    issuer = found.certificate.issuer
    return Content(
        common_name=_common_name(found.certificate.subject),
        dns_names=tuple(names.get_values_for_type(x509.DNSName)),
        ip_addresses=tuple(map(str, names.get_values_for_type(x509.IPAddress))),
        uris=tuple(names.get_values_for_type(x509.UniformResourceIdentifier)),
        email_addresses=tuple(names.get_values_for_type(x509.RFC822Name)),
        issuer=_common_name(issuer) or issuer.rfc4514_string() or None,
        key=_key(found.certificate),
        usages=tuple(_usages(found.certificate)),
        not_before=found.not_before,
    )


def _names(certificate: x509.Certificate) -> x509.SubjectAlternativeName:
    found = extension(certificate, x509.SubjectAlternativeName)
    return x509.SubjectAlternativeName(()) if found is None else found


def _usages(certificate: x509.Certificate) -> Iterator[str]:
    uses = extension(certificate, x509.ExtendedKeyUsage)
    yield from (_USAGES[use] for use in uses or () if use in _USAGES)


def _common_name(name: x509.Name) -> str | None:
    found = name.get_attributes_for_oid(NameOID.COMMON_NAME)
    return str(found[0].value) if found else None


def _key(certificate: x509.Certificate) -> KeyType | None:
    """Return the kind of key, also of an RSA key that is too small to be asked for."""
    try:
        key = certificate.public_key()
        if isinstance(key, rsa.RSAPublicKey):
            return KeyType(algorithm=Algorithm.RSA, size=key.key_size)
        algorithm, size = key_type(cast("PublicKey", key))
    except (ValueError, UnsupportedAlgorithm):
        return None
    return KeyType(algorithm=algorithm, size=size)
