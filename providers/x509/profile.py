"""What a certificate says: subject, names and extensions, as its request and its issuer determine."""

import ipaddress
from base64 import b64decode
from dataclasses import dataclass
from datetime import datetime

from cryptography import x509
from cryptography.x509.oid import AuthorityInformationAccessOID, ExtendedKeyUsageOID, NameOID

from providers.signer import PublicKey
from providers.x509.names import decode_name
from providers.x509.subtrees import encode_constraints
from schemas.certificate import Algorithm, Subject, Usage
from schemas.request import AuthorityRequest, LeafRequest

USAGES = {
    Usage.SERVER_AUTH: ExtendedKeyUsageOID.SERVER_AUTH,
    Usage.CLIENT_AUTH: ExtendedKeyUsageOID.CLIENT_AUTH,
    Usage.CODE_SIGNING: ExtendedKeyUsageOID.CODE_SIGNING,
    Usage.EMAIL_PROTECTION: ExtendedKeyUsageOID.EMAIL_PROTECTION,
    Usage.TIMESTAMPING: ExtendedKeyUsageOID.TIME_STAMPING,
}


def _key_usage(*, authority: bool = False, encipher: bool = False) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not authority,
        content_commitment=False,
        key_encipherment=encipher,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=authority,
        crl_sign=authority,
        encipher_only=False,
        decipher_only=False,
    )


_NO_CA = x509.BasicConstraints(ca=False, path_length=None)
_SIGNS = _key_usage()
_DECIPHERS = _key_usage(encipher=True)
_GOVERNS = _key_usage(authority=True)
"""A CA key signs certificates and CRLs, nothing else; a leaf key signs, for RSA TLS also deciphers."""

Extensions = tuple[tuple[x509.ExtensionType, bool], ...]
"""Extensions in the order they are written, each with whether it is critical."""


@dataclass(frozen=True, slots=True)
class ToBeSigned:
    """Everything that determines the signed bytes, apart from the issuer.

    `serial` is hex as in `schemas.scalars.Serial`, the dates are UTC in whole seconds and both
    inclusive (RFC 5280 section 4.1.2.5), `spki` is the subject's key in DER; the URLs name the
    issuer's CRL, certificate and OCSP responses (sections 4.2.1.13 and 4.2.2.1).
    """

    request: LeafRequest | AuthorityRequest
    serial: str
    not_before: datetime
    not_after: datetime
    spki: bytes
    crl_url: str | None = None
    issuer_url: str | None = None
    ocsp_url: str | None = None


def subject_attributes(
    subject: Subject, common_name: str | None
) -> tuple[tuple[x509.ObjectIdentifier, str], ...]:
    """Return a subject's attributes from the country down to the common name."""
    listed = (
        (NameOID.COUNTRY_NAME, subject.countries),
        (NameOID.STATE_OR_PROVINCE_NAME, subject.provinces),
        (NameOID.LOCALITY_NAME, subject.localities),
        (NameOID.STREET_ADDRESS, subject.street_addresses),
        (NameOID.POSTAL_CODE, subject.postal_codes),
        (NameOID.ORGANIZATION_NAME, subject.organizations),
        (NameOID.ORGANIZATIONAL_UNIT_NAME, subject.organizational_units),
        (NameOID.COMMON_NAME, () if common_name is None else (common_name,)),
        (NameOID.SERIAL_NUMBER, () if subject.serial_number is None else (subject.serial_number,)),
    )
    return tuple([(oid, value) for oid, values in listed for value in values])


def subject_name(subject: Subject, common_name: str | None) -> x509.Name:
    """Return the distinguished name, one attribute an RDN."""
    return x509.Name(
        [x509.NameAttribute(oid, value) for oid, value in subject_attributes(subject, common_name)]
    )


def own_name(request: LeafRequest | AuthorityRequest) -> x509.Name:
    """Return the name of a certificate; raises ValueError for an inherited one that cannot be read."""
    inherited = request.inherited if isinstance(request, AuthorityRequest) else None
    if inherited is not None and inherited.name is not None:
        return decode_name(b64decode(inherited.name, validate=True))
    return subject_name(request.subject, request.common_name)


def alternative_names(request: LeafRequest) -> list[x509.GeneralName]:
    """Return every subjectAltName of a leaf."""
    return [
        *map(x509.DNSName, request.dns_names),
        *(x509.IPAddress(ipaddress.ip_address(address)) for address in request.ip_addresses),
        *map(x509.UniformResourceIdentifier, request.uris),
        *map(x509.RFC822Name, request.email_addresses),
    ]


def extensions(
    tbs: ToBeSigned, key: PublicKey, issuer_key_id: x509.AuthorityKeyIdentifier | None
) -> Extensions:
    """Return a certificate's extensions; a self-signed one (no issuer key id) names its own key."""
    named = _key_id(tbs.request, key)
    if isinstance(tbs.request, LeafRequest):
        own = leaf_extensions(tbs.request)
    else:
        own = authority_extensions(tbs.request, key)
    key_id = issuer_key_id or x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(named)
    return (*own, (key_id, False), *_pointers(tbs))


def _key_id(request: LeafRequest | AuthorityRequest, key: PublicKey) -> x509.SubjectKeyIdentifier:
    """RFC 5280 section 4.2.1.2, method 1; a CA that existed before goes on as it is called."""
    inherited = request.inherited if isinstance(request, AuthorityRequest) else None
    if inherited is not None and inherited.key_id is not None:
        return x509.SubjectKeyIdentifier(bytes.fromhex(inherited.key_id))
    return x509.SubjectKeyIdentifier.from_public_key(key)


def leaf_extensions(request: LeafRequest) -> Extensions:
    """Return what a leaf says of itself, whoever issues it."""
    names = alternative_names(request)
    anonymous = not subject_attributes(request.subject, request.common_name)
    encipher = request.key.algorithm is Algorithm.RSA and Usage.SERVER_AUTH in request.usages
    said: list[tuple[x509.ExtensionType, bool]] = [
        (_NO_CA, True),
        (_DECIPHERS if encipher else _SIGNS, True),
        # RFC 3161 section 2.3: critical, and the only usage, when it is time stamping
        (
            x509.ExtendedKeyUsage([USAGES[usage] for usage in request.usages]),
            Usage.TIMESTAMPING in request.usages,
        ),
    ]
    if names:
        said.append((x509.SubjectAlternativeName(names), anonymous))
    return tuple(said)


def authority_extensions(request: AuthorityRequest, key: PublicKey) -> Extensions:
    """Return what a CA says of itself, whoever signs it."""
    key_id = _key_id(request, key)
    said: list[tuple[x509.ExtensionType, bool]] = [
        (x509.BasicConstraints(ca=True, path_length=request.path_length), True),
        (_GOVERNS, True),
        (key_id, False),
    ]
    if request.name_constraints is not None:
        constraints = encode_constraints(request.name_constraints)
        said += [(constraints, True)] if constraints is not None else []
    return tuple(said)


def _pointers(tbs: ToBeSigned) -> Extensions:
    said: list[tuple[x509.ExtensionType, bool]] = []
    if tbs.crl_url is not None:
        place = [x509.UniformResourceIdentifier(tbs.crl_url)]
        said.append(
            (x509.CRLDistributionPoints([x509.DistributionPoint(place, None, None, None)]), False)
        )
    places = (
        (AuthorityInformationAccessOID.OCSP, tbs.ocsp_url),
        (AuthorityInformationAccessOID.CA_ISSUERS, tbs.issuer_url),
    )
    access = [
        x509.AccessDescription(method, x509.UniformResourceIdentifier(url))
        for method, url in places
        if url is not None
    ]
    if access:
        said.append((x509.AuthorityInformationAccess(access), False))
    return tuple(said)
