"""The kinds of resource, what of each may be changed, and which permission each method needs."""

import re
from dataclasses import dataclass
from typing import Any

from google.cloud import certificate_manager_v1 as api

_SHARED = frozenset({"labels", "description"})


@dataclass(frozen=True, slots=True)
class Kind:
    """`field` is its name in requests, `many` in lists; `right` is the middle word of permissions."""

    collection: str
    message: Any
    field: str
    many: str
    right: str
    changeable: frozenset[str] = _SHARED


KINDS = (
    Kind(
        "certificates",
        api.Certificate,
        "certificate",
        "certificates",
        "certs",
        _SHARED | {"self_managed"},
    ),
    Kind("certificateMaps", api.CertificateMap, "certificate_map", "certificate_maps", "certmaps"),
    Kind(
        "certificateMapEntries",
        api.CertificateMapEntry,
        "certificate_map_entry",
        "certificate_map_entries",
        "certmapentries",
        _SHARED | {"certificates"},
    ),
    Kind(
        "dnsAuthorizations",
        api.DnsAuthorization,
        "dns_authorization",
        "dns_authorizations",
        "dnsauthorizations",
    ),
    Kind(
        "trustConfigs",
        api.TrustConfig,
        "trust_config",
        "trust_configs",
        "trustconfigs",
        _SHARED | {"trust_stores", "allowlisted_certificates"},
    ),
    Kind(
        "certificateIssuanceConfigs",
        api.CertificateIssuanceConfig,
        "certificate_issuance_config",
        "certificate_issuance_configs",
        "certissuanceconfigs",
    ),
)


def kind_of_operation(operation: str) -> Kind:
    """Return the kind that a method such as `ListCertificateMaps` is about."""
    noun = re.sub("^(List|Get|Create|Update|Delete)", "", operation)
    singular = {noun, noun.removesuffix("s"), noun.replace("Entries", "Entry")}
    return next(kind for kind in KINDS if kind.message.__name__ in singular)


def collection_of(name: str) -> str:
    """Return the collection of a resource's full name."""
    return name.split("/")[-2]


def permission_of(verb: str, operation: str) -> str:
    """Return the IAM permission that a method needs."""
    if operation.endswith(("Operation", "Operations")):
        return f"certificatemanager.operations.{verb.lower()}"
    if operation.endswith(("Location", "Locations")):
        return f"certificatemanager.locations.{verb.lower()}"
    return f"certificatemanager.{kind_of_operation(operation).right}.{verb.lower()}"
