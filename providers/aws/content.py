"""What certificates say, read from ACM's structures or from the certificate itself, in the same words."""

import ipaddress
from collections.abc import Iterable, Mapping
from typing import Any

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID, ObjectIdentifier

from providers.base import Content
from schemas.certificate import Algorithm, Usage
from schemas.request import KeyType

KEY_TYPES = {
    **{f"RSA_{n}": KeyType(algorithm=Algorithm.RSA, size=n) for n in (1024, 2048, 3072, 4096)},
    "EC_prime256v1": KeyType(algorithm=Algorithm.ECDSA, size=256),
    "EC_secp384r1": KeyType(algorithm=Algorithm.ECDSA, size=384),
    "EC_secp521r1": KeyType(algorithm=Algorithm.ECDSA, size=521),
}
"""Every kind of key that ACM knows, by its own word."""
UNREADABLE = (
    ValueError,
    UnsupportedAlgorithm,
    x509.DuplicateExtension,
    x509.UnsupportedGeneralNameType,
)
"""What is raised of certificates that ACM takes and that cannot be read here."""
_USAGES = {
    "TLS_WEB_SERVER_AUTHENTICATION": Usage.SERVER_AUTH,
    "TLS_WEB_CLIENT_AUTHENTICATION": Usage.CLIENT_AUTH,
    "CODE_SIGNING": Usage.CODE_SIGNING,
    "EMAIL_PROTECTION": Usage.EMAIL_PROTECTION,
    "TIME_STAMPING": Usage.TIMESTAMPING,
}
_USAGE_OIDS = {
    ExtendedKeyUsageOID.SERVER_AUTH: Usage.SERVER_AUTH,
    ExtendedKeyUsageOID.CLIENT_AUTH: Usage.CLIENT_AUTH,
    ExtendedKeyUsageOID.CODE_SIGNING: Usage.CODE_SIGNING,
    ExtendedKeyUsageOID.EMAIL_PROTECTION: Usage.EMAIL_PROTECTION,
    ExtendedKeyUsageOID.TIME_STAMPING: Usage.TIMESTAMPING,
}
_NAME_PARTS = (
    ("CN", "CommonName", NameOID.COMMON_NAME),
    ("OU", "OrganizationalUnit", NameOID.ORGANIZATIONAL_UNIT_NAME),
    ("O", "Organization", NameOID.ORGANIZATION_NAME),
    ("L", "Locality", NameOID.LOCALITY_NAME),
    ("ST", "State", NameOID.STATE_OR_PROVINCE_NAME),
    ("C", "Country", NameOID.COUNTRY_NAME),
)
"""ACM's structure keeps no order, so the parts of a name stand in this one."""


def content_of_attributes(said: Mapping[str, Any]) -> Content:
    """Read X509Attributes as SearchCertificates gives them."""
    names = said.get("SubjectAlternativeNames", ())
    issuer = said.get("Issuer", {})
    return Content(
        common_name=said.get("Subject", {}).get("CommonName"),
        dns_names=_all(names, "DnsName"),
        ip_addresses=tuple(map(_address, _all(names, "IpAddress"))),
        uris=_all(names, "UniformResourceIdentifier"),
        email_addresses=_all(names, "Rfc822Name"),
        issuer=_joined({short: issuer.get(member) for short, member, _ in _NAME_PARTS}),
        key=_key_type(said),
        usages=_words(said.get("ExtendedKeyUsages", ())),
        not_before=said.get("NotBefore"),
    )


def content_of_summary(said: Mapping[str, Any], names: Iterable[str]) -> Content:
    """Read what ListCertificates or DescribeCertificate say, which is less: DNS names alone, no issuer."""
    return Content(
        dns_names=tuple(names),
        key=_key_type(said),
        usages=_words(
            each["Name"] if isinstance(each, Mapping) else each
            for each in said.get("ExtendedKeyUsages", ())
        ),
        not_before=said.get("NotBefore"),
    )


def content_of_certificate(certificate: x509.Certificate) -> Content:
    """Read a certificate."""
    names = _extension(certificate, x509.SubjectAlternativeName)
    usages = _extension(certificate, x509.ExtendedKeyUsage) or ()
    common = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    return Content(
        common_name=str(common[0].value) if common else None,
        dns_names=tuple(names.get_values_for_type(x509.DNSName)) if names else (),
        ip_addresses=tuple(str(each) for each in names.get_values_for_type(x509.IPAddress))
        if names
        else (),
        uris=tuple(names.get_values_for_type(x509.UniformResourceIdentifier)) if names else (),
        email_addresses=tuple(names.get_values_for_type(x509.RFC822Name)) if names else (),
        issuer=_joined(
            {short: _part(certificate.issuer, oid) for short, _, oid in _NAME_PARTS},
        ),
        key=_key(certificate),
        usages=tuple(_USAGE_OIDS[oid] for oid in usages if oid in _USAGE_OIDS),
        not_before=certificate.not_valid_before_utc,
    )


def _extension(certificate: x509.Certificate, kind: type[x509.ExtensionType]) -> Any:
    try:
        return certificate.extensions.get_extension_for_class(kind).value
    except x509.ExtensionNotFound:
        return None


def _address(text: str) -> str:
    """Write an address as certform does; what is none stays as it is."""
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        return text


def _key_type(said: Mapping[str, Any]) -> KeyType | None:
    """Read ACM's word, which ListCertificates and DescribeCertificate write with a hyphen: `RSA-2048`."""
    return KEY_TYPES.get(said.get("KeyAlgorithm", "").replace("-", "_"))


def _key(certificate: x509.Certificate) -> KeyType | None:
    key = certificate.public_key()
    if isinstance(key, rsa.RSAPublicKey):
        return KeyType(algorithm=Algorithm.RSA, size=key.key_size)
    if isinstance(key, ec.EllipticCurvePublicKey):
        return KeyType(algorithm=Algorithm.ECDSA, size=key.key_size)
    return None


def _part(name: x509.Name, oid: ObjectIdentifier) -> str | None:
    found = name.get_attributes_for_oid(oid)
    return str(found[0].value) if found else None


def _joined(parts: Mapping[str, str | None]) -> str | None:
    return ", ".join(f"{short}={value}" for short, value in parts.items() if value) or None


def _all(names: Iterable[Mapping[str, str]], kind: str) -> tuple[str, ...]:
    return tuple(each[kind] for each in names if kind in each)


def _words(usages: Iterable[str]) -> tuple[str, ...]:
    return tuple(_USAGES[each] for each in usages if each in _USAGES)
