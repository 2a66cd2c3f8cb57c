"""Shapes: what of a request decides a linter's verdict. One specimen stands for all of its shape.

A name that is out of the ordinary is odd, and what has one is looked at by itself: a linter may find in it
what it does not find in another.
"""

import ipaddress
import re
from collections.abc import Hashable, Iterator

from reconciler.lint.issues import Issue
from schemas.request import LeafRequest

_LABEL = (
    r"(?!..--)[a-z0-9](?:[a-z0-9-]*[a-z0-9])?"  # hyphens there are reserved: RFC 5890 section 2.3.1
)
_DOMAIN = rf"(?:{_LABEL}\.)+(?!arpa$|onion$)[a-z][a-z0-9]*"
_PLAIN = re.compile(rf"(?:\*\.)?{_DOMAIN}")
_PLAIN_URI = re.compile(rf"([a-z]+)://({_DOMAIN.replace('$', '(?:/|$)')})(?:/[A-Za-z0-9/_.-]*)?")
_PLAIN_EMAIL = re.compile(rf"[a-z0-9+-]+(?:\.[a-z0-9+-]+)*@{_DOMAIN}")
_PLAIN_TEXT = re.compile(r"[A-Za-z0-9 .:_-]{1,64}")


def shape(issue: Issue) -> Hashable:
    """Return what all requests have in common that a linter says the same of; a CA is one by itself."""
    request = issue.request
    if not isinstance(request, LeafRequest) or is_odd(request):
        return issue.address
    names = (*request.dns_names, *request.ip_addresses)
    common = None if request.common_name is None else request.common_name in names
    return (
        (request.issuer, request.issuer_generation, request.key, request.usages, request.duration),
        (request.subject, common, frozenset(_kinds(request))),
        (issue.judged, issue.accepted),
    )


def is_odd(request: LeafRequest) -> bool:
    """Whether a name is not of a plain form: single labels, underscores, ab--c, .arpa and .onion are not."""
    common = request.common_name
    return not (
        all(map(_PLAIN.fullmatch, request.dns_names))
        and all(map(_PLAIN_URI.fullmatch, request.uris))
        and all(map(_PLAIN_EMAIL.fullmatch, request.email_addresses))
        and (common is None or bool(_PLAIN_TEXT.fullmatch(common)))
    )


def _kinds(request: LeafRequest) -> Iterator[Hashable]:
    """Yield the kinds of plain names: the top-level domain of each, and whether it is a wildcard."""
    for name in request.dns_names:
        yield "dns", name.startswith("*."), name.rpartition(".")[2]
    for address in request.ip_addresses:
        parsed = ipaddress.ip_address(address)
        mapped = isinstance(parsed, ipaddress.IPv6Address) and parsed.ipv4_mapped is not None
        yield "ip", parsed.version, parsed.is_global, mapped
    for uri in request.uris:
        if plain := _PLAIN_URI.fullmatch(uri):
            yield "uri", plain[1], plain[2].rpartition(".")[2]
    for address in request.email_addresses:
        yield "email", address.rpartition(".")[2]
