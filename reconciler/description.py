"""A request as the fields a user knows: what plans, differences and explanations are told in."""

from datetime import timedelta
from typing import Any

from schemas.request import AuthorityRequest, LeafRequest
from schemas.scalars import format_duration

NAMES = ("commonName", "dnsNames", "ipAddresses", "uris", "emailAddresses")


def describe(request: LeafRequest) -> dict[str, Any]:
    """Return what a certificate is to say, fields that say nothing left out."""
    told: dict[str, Any] = {
        "issuerRef": request.issuer,
        "issuerGeneration": request.issuer_generation,
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
