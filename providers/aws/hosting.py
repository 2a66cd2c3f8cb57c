"""Public certificates that ACM issues by itself, once DNS records say so, and renews for ever."""

import hashlib
from collections.abc import Mapping
from typing import Any

from providers.abilities import HostRequest
from providers.aws.content import KEY_TYPES
from providers.aws.identity import check_identity
from providers.aws.importing import check_vacant
from providers.aws.labelling import set_labels
from providers.aws.naming import bearer
from providers.aws.records import IMPORTED, Record
from providers.aws.service import Service
from providers.aws.tags import REPLACES, as_tags
from providers.base import SPEC, Installed
from providers.errors import Ambiguous, Conflict, Rejected
from providers.failpoints import reach
from schemas.request import LeafRequest

LONGEST_FIRST_NAME = 64
"""Characters of the first name, which becomes the common name (RFC 5280 appendix A.1, ub-common-name)."""


def host(service: Service, request: HostRequest) -> Installed:
    """Ask for a certificate unless it is asked for already; what is there is returned as it is."""
    before = request.predecessor
    if before is not None and not request.replace:
        record = check_identity(service.read(before.id, whole=True), before, service.owner)
        return _kept(service, request, record)
    there = service.named(request.name, None)
    stands = bearer(there, service.owner, request.name)
    if stands is not None and _is_wanted(stands, request):
        return _kept(service, request, stands)
    check_vacant(service, request.name, there, before)
    tags = dict(request.labels)
    if before is not None:
        old = check_identity(service.read(before.id, whole=True), before, service.owner)
        tags[REPLACES] = old.id
    arn = _request(service, _wanted(service, request, tags))
    reach("aws.requested")
    return _shown(service, request, arn)


def _kept(service: Service, request: HostRequest, record: Record) -> Installed:
    if record.type == IMPORTED or not _says(record, request.request):
        raise Conflict(
            f"{record.arn} cannot become what is wanted: ACM never changes names or key of a"
            " certificate it issued; it takes a new one"
        )
    set_labels(service, record, request.labels)
    return _shown(service, request, record.arn)


def _is_wanted(record: Record, request: HostRequest) -> bool:
    """Whether an object is what was asked for before, by a run that died or was not answered."""
    superseded = request.predecessor is not None and record.arn == request.predecessor.id
    same = record.tags.get(SPEC) == request.labels.get(SPEC) and _says(record, request.request)
    return same and not superseded and record.type != IMPORTED


def _says(record: Record, wanted: LeafRequest) -> bool:
    return set(record.content.dns_names) == set(_names(wanted)) and record.content.key == wanted.key


def _names(wanted: LeafRequest) -> tuple[str, ...]:
    """The names, first one that fits into a common name."""
    if wanted.ip_addresses or wanted.uris or wanted.email_addresses:
        raise Rejected("ACM issues for DNS names alone")
    common = (wanted.common_name,) if wanted.common_name else ()
    names = tuple(dict.fromkeys((*common, *wanted.dns_names)))
    short = [name for name in names if len(name) <= LONGEST_FIRST_NAME]
    if not short:
        raise Rejected(f"ACM needs one name of at most {LONGEST_FIRST_NAME} characters")
    return tuple(dict.fromkeys((short[0], *names)))


def _wanted(service: Service, request: HostRequest, tags: Mapping[str, str]) -> dict[str, Any]:
    names = _names(request.request)
    words = [word for word, key in KEY_TYPES.items() if key == request.request.key]
    if not words:
        raise Rejected(f"ACM issues no certificate with a key of kind {request.request.key}")
    exportable = bool(getattr(request.settings, "exportable", False))
    return {
        "DomainName": names[0],
        "SubjectAlternativeNames": list(names),
        "ValidationMethod": "DNS",
        "KeyAlgorithm": words[0],
        "IdempotencyToken": _token(service.owner, request),
        "Options": {"Export": "ENABLED" if exportable else "DISABLED"},
        "Tags": as_tags(tags),
    }


def _token(owner: str, request: HostRequest) -> str:
    """Within the hour AWS takes two requests with one token for the same."""
    before = request.predecessor.id if request.predecessor else ""
    told = "\n".join((owner, request.name, request.labels.get(SPEC, ""), before))
    return hashlib.sha256(told.encode()).hexdigest()[:32]


def _request(service: Service, wanted: Mapping[str, Any]) -> str:
    """Ask; where the answer is lost ask again, which by the token is the same request."""
    try:
        return service.request_certificate(wanted)
    except Ambiguous:
        return service.request_certificate(wanted)


def _shown(service: Service, request: HostRequest, arn: str) -> Installed:
    record = service.awaited(lambda: service.read(arn, whole=True))
    if record is None:
        raise Ambiguous(
            f"{arn} was asked for, and ACM does not show it yet; the next plan will tell"
        )
    return record.installed(request.name, service.owner)
