"""A request as the fields a user knows: what plans, differences and explanations are told in."""

from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any

from providers.base import Content
from reconciler.state import DesiredIssuer
from schemas.issuer import REQUEST_FIELDS
from schemas.plan import FieldChange
from schemas.request import AuthorityRequest, LeafRequest
from schemas.scalars import format_duration

WORDS = {
    "common_name": "commonName",
    "dns_names": "dnsNames",
    "ip_addresses": "ipAddresses",
    "uris": "uris",
    "email_addresses": "emailAddresses",
    "subject": "subject",
    "usages": "usages",
    "key": "privateKey",
    "duration": "duration",
}
"""What the fields of a LeafRequest that a CA may honour are called here."""
NAMES = ("commonName", "dnsNames", "ipAddresses", "uris", "emailAddresses")


def describe(request: LeafRequest) -> dict[str, Any]:
    """Return what a certificate is to say, fields that say nothing left out."""
    told: dict[str, Any] = {
        "issuerRef": request.issuer,
        "issuerGeneration": request.issuer_generation,
        "issuer": request.issuer_id,
        "commonName": request.common_name,
        "subject": request.subject.model_dump(mode="json", by_alias=True, exclude_defaults=True),
        "dnsNames": list(request.dns_names),
        "ipAddresses": list(request.ip_addresses),
        "uris": list(request.uris),
        "emailAddresses": list(request.email_addresses),
        "usages": [str(usage) for usage in request.usages],
        "privateKey": str(request.key),
        "duration": format_duration(timedelta(seconds=request.duration)),
    }
    return {path: value for path, value in told.items() if value}


def described(request: LeafRequest, issuers: Mapping[str, DesiredIssuer]) -> dict[str, Any]:
    """Return what a certificate is to say, without what its CA decides by itself."""
    theirs = ignored(request, issuers)
    return {path: value for path, value in describe(request).items() if path not in theirs}


def ignored(request: LeafRequest, issuers: Mapping[str, DesiredIssuer]) -> frozenset[str]:
    """Return the fields, as `describe` calls them, that a CA of others decides by itself."""
    issuer = issuers.get(request.issuer)
    if issuer is None:
        return frozenset()
    return frozenset(WORDS[field] for field in REQUEST_FIELDS - issuer.spec.capabilities.honours)


def differences(content: Content, want: LeafRequest) -> Iterator[FieldChange]:
    """Yield the fields in which a certificate of others differs from what is wanted, as far as it is known.

    Its common name does not count: where there are other names, nobody looks at it.
    """
    key = str(content.key) if content.key else None
    for path, had, wanted in (
        ("dnsNames", content.dns_names, want.dns_names),
        ("ipAddresses", content.ip_addresses, want.ip_addresses),
        ("uris", content.uris, want.uris),
        ("emailAddresses", content.email_addresses, want.email_addresses),
        ("usages", content.usages, want.usages),
    ):
        before = sorted({text.lower() for text in had})
        after = sorted({str(text).lower() for text in wanted})
        if before and before != after:
            yield FieldChange(path=path, before=before, after=after)
    if key and key != str(want.key):
        yield FieldChange(path="privateKey", before=key, after=str(want.key))


def names_of(request: LeafRequest | AuthorityRequest) -> dict[str, Any]:
    """Return the names a certificate is known by, by field: what its reader recognises it by."""
    told = (
        describe_authority(request) if isinstance(request, AuthorityRequest) else describe(request)
    )
    return {path: told[path] for path in NAMES if path in told}


def describe_authority(request: AuthorityRequest) -> dict[str, Any]:
    """Return what a CA certificate is to say, fields that say nothing left out."""
    constraints = request.name_constraints
    told: dict[str, Any] = {
        "parentRef": request.issuer,
        "issuer": request.issuer_id,
        "generation": request.generation,
        "commonName": request.common_name,
        "subject": request.subject.model_dump(mode="json", by_alias=True, exclude_defaults=True),
        "nameConstraints": constraints
        and constraints.model_dump(mode="json", by_alias=True, exclude_defaults=True),
        "privateKey": str(request.key),
        "custody": request.key_ref,
        "duration": format_duration(timedelta(seconds=request.duration)),
    }
    length = {} if request.path_length is None else {"pathLength": request.path_length}
    return {path: value for path, value in told.items() if value} | length
