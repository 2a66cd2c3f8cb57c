"""Whether a CA of others issued what was asked of it: nothing it returns is believed before."""

import ipaddress
from collections.abc import Callable, Collection, Iterator, Mapping
from datetime import datetime, timedelta

from cryptography.exceptions import UnsupportedAlgorithm

from providers import x509
from providers.base import Bundle, Content
from providers.errors import Rejected
from providers.issuing import Issued, IssueRequest
from providers.pairing import Pairing
from providers.x509.content import content
from providers.x509.signing_request import requested_key
from schemas.request import LeafRequest

TOLERANCE = timedelta(minutes=5)
"""By how much right clocks differ, and by how much an end may pass the one asked for."""
_LISTS: Mapping[str, tuple[str, Callable[[str], str]]] = {
    "dns_names": ("DNS name", str.lower),
    "ip_addresses": ("IP address", lambda text: str(ipaddress.ip_address(text))),
    "uris": ("URI", str),
    "email_addresses": ("e-mail address", str),
}


def check(
    issued: Issued, request: IssueRequest, honours: Collection[str], now: datetime
) -> x509.CertificateFacts:
    """Return what an issued certificate says; raises `Rejected` with every way in which it is not it."""
    try:
        facts = x509.facts(issued.certificate)
        said = content(issued.certificate)
        reasons = [
            *_identity(facts, request),
            *_names(said, request.request, honours),
            *_life(facts, request, honours, now),
            *_issuers(issued),
        ]
    except (ValueError, UnsupportedAlgorithm):
        # the parser's own words are left out: they may quote what it could not read
        raise Rejected("the issuer returned what cannot be read as a certificate") from None
    if reasons:
        raise Rejected(
            f"the issuer returned another certificate than asked for: {'; '.join(reasons)}"
        )
    Pairing().check(_bundle(issued))
    return facts


def sorted_chain(certificates: Collection[bytes]) -> tuple[tuple[bytes, ...], tuple[bytes, ...]]:
    """Return (chain, anchors) of the CA certificates (DER) above a leaf, given in their order."""
    facts = [(der, x509.facts(der)) for der in certificates]
    anchors = tuple(der for der, told in facts if told.subject == told.issuer)
    return tuple(der for der, _ in facts if der not in anchors), anchors


def _bundle(issued: Issued) -> Bundle:
    chain, anchors = (tuple(map(x509.pem, side)) for side in (issued.chain, issued.anchors))
    return Bundle(x509.pem(issued.certificate), chain, anchors, None)


def _identity(facts: x509.CertificateFacts, request: IssueRequest) -> Iterator[str]:
    if facts.spki != requested_key(request.csr)[1]:
        yield "its key is not that of the signing request"
    if facts.is_ca:
        yield "it is a CA"


def _names(said: Content, asked: LeafRequest, honours: Collection[str]) -> Iterator[str]:
    """Yield what is named and was not asked for, and what is missing of what the issuer honours."""
    for field, (word, normal) in _LISTS.items():
        has, wants = set(map(normal, getattr(said, field))), set(map(normal, getattr(asked, field)))
        missing = wants - has if field in honours else set()
        yield from (f"it has the {word} {name}" for name in sorted(has - wants))
        yield from (f"it lacks the {word} {name}" for name in sorted(missing))
    if "common_name" in honours:
        wrong = said.common_name != asked.common_name
    else:
        wrong = said.common_name not in (None, asked.common_name, *asked.dns_names)
    if wrong:
        yield f"its common name is {said.common_name}"
    if "usages" in honours:
        yield from (f"it is not for {use}" for use in asked.usages if use not in said.usages)


def _life(
    facts: x509.CertificateFacts, request: IssueRequest, honours: Collection[str], now: datetime
) -> Iterator[str]:
    if facts.not_before > now + TOLERANCE:
        yield "it is not valid yet"
    if facts.not_after <= now:
        yield "it has expired"
    if "duration" in honours and facts.not_after > request.not_after + TOLERANCE:
        yield "it lives longer than asked for"


def _issuers(issued: Issued) -> Iterator[str]:
    above = (*issued.chain, *issued.anchors)
    if not above:
        yield "no issuer came with it"
    if not all(x509.facts(der).is_ca for der in above):
        yield "what came as its issuer is no CA"
