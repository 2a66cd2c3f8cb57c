"""What a vault is told to make: a certificate policy, from the resolved request.

https://learn.microsoft.com/rest/api/keyvault/certificates/create-certificate/create-certificate
"""

from collections.abc import Mapping, Sequence
from typing import Any

from azure.keyvault.certificates import CertificateContentType, CertificatePolicy
from cryptography import x509
from cryptography.x509.oid import NameOID

from providers.azure.creation import UNKNOWN
from providers.x509.profile import USAGES
from schemas.certificate import Algorithm
from schemas.request import KeyType, LeafRequest

_MONTH = 30 * 86_400
_PEM = {"contentType": "application/x-pem-file"}


def imported(kind: KeyType) -> CertificatePolicy:
    """Return the policy for what is imported: the issuer is one that the vault cannot ask for a renewal.

    What kind of key it is has to be said: a vault takes it for RSA otherwise.
    """
    rsa = kind.algorithm is Algorithm.RSA
    return CertificatePolicy(
        issuer_name=UNKNOWN,
        content_type=CertificateContentType.pem,
        key_type="RSA" if rsa else "EC",
        key_size=kind.size if rsa else None,
        key_curve_name=None if rsa else f"P-{kind.size}",
        exportable=True,
        reuse_key=False,
    )


def awaiting_signature(request: LeafRequest) -> Mapping[str, Any]:
    """Return the policy for a key that never leaves the vault, and that somebody else certifies."""
    return {
        "issuer": {"name": UNKNOWN},
        "key_props": {**_key(request.key), "exportable": False, "reuse_key": False},
        "secret_props": _PEM,
        "x509_props": _properties(request),
    }


def renewed_by_vault(
    request: LeafRequest, issuer: str, certificate_type: str | None
) -> Mapping[str, Any]:
    """Return the policy for what an issuer known to the vault issues, and the vault renews."""
    parameters = {"name": issuer} | ({"cty": certificate_type} if certificate_type else {})
    months = max(1, request.duration // _MONTH)
    return {
        "issuer": parameters,
        "key_props": {**_key(request.key), "exportable": True, "reuse_key": False},
        "secret_props": _PEM,
        "x509_props": {**_properties(request), "validity_months": months},
        "lifetime_actions": [
            {"trigger": {"lifetime_percentage": 80}, "action": {"action_type": "AutoRenew"}}
        ],
    }


def _key(kind: KeyType) -> Mapping[str, Any]:
    if kind.algorithm is Algorithm.RSA:
        return {"kty": "RSA", "key_size": kind.size}
    return {"kty": "EC", "crv": f"P-{kind.size}"}


def _properties(request: LeafRequest) -> Mapping[str, Any]:
    names: Mapping[str, Sequence[str]] = {
        "dns_names": request.dns_names,
        "emails": request.email_addresses,
        "ipAddresses": request.ip_addresses,
        "uris": request.uris,
    }
    told = {"sans": {kind: list(values) for kind, values in names.items() if values}}
    subject = {"subject": found} if (found := _subject(request)) else {}
    return {**told, **subject, "ekus": [USAGES[use].dotted_string for use in request.usages]}


def _subject(request: LeafRequest) -> str:
    """Return the subject in RFC 4514 text, of the attributes that have a short name there."""
    wanted = request.subject
    parts = (
        (NameOID.COUNTRY_NAME, wanted.countries),
        (NameOID.STATE_OR_PROVINCE_NAME, wanted.provinces),
        (NameOID.LOCALITY_NAME, wanted.localities),
        (NameOID.ORGANIZATION_NAME, wanted.organizations),
        (NameOID.ORGANIZATIONAL_UNIT_NAME, wanted.organizational_units),
        (NameOID.COMMON_NAME, (request.common_name,) if request.common_name else ()),
    )
    named = [x509.NameAttribute(oid, value) for oid, values in parts for value in values]
    return x509.Name(named).rfc4514_string()
