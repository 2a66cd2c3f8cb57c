"""Whether a CA of others issued what was asked of it: nothing it returns is believed before."""

import ipaddress
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.x509 import (
    BasicConstraints,
    DNSName,
    IPAddress,
    KeyUsage,
    NameConstraints,
    RFC822Name,
    SubjectAlternativeName,
    UniformResourceIdentifier,
)

from providers import x509
from providers.base import Bundle, Content
from providers.errors import Rejected
from providers.issuing import AuthorityOrder, Issued, IssueRequest
from providers.pairing import Pairing
from providers.x509.content import content
from providers.x509.facts import extension
from providers.x509.profile import own_name
from providers.x509.signing_request import requested_key
from providers.x509.subtrees import encode_constraints
from schemas.request import AuthorityRequest, LeafRequest

_NAMED = (DNSName, IPAddress, UniformResourceIdentifier, RFC822Name)
TOLERANCE = timedelta(minutes=5)
"""By how much right clocks differ, and by how much an end may pass the one asked for."""
_SERIALS = 1 << 159
"""The first number that DER writes in more than 20 octets, one bit being its sign."""
_UNREADABLE = "the issuer returned what cannot be read as a certificate"
_MOST_TOLD, _LONGEST = 10, 120
"""How much is told of what a CA chose to write: reasons, and characters of each."""
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

    def reasons(facts: x509.CertificateFacts) -> Iterator[str]:
        yield from _identity(facts, request.csr)
        if facts.is_ca:
            yield "it is a CA"
        yield from _names(content(issued.certificate), request.request, honours)
        yield from _strange_names(facts)
        limit = request.not_after if "duration" in honours else None
        yield from _life(facts, limit, now)

    return _believed(issued, reasons)


def check_authority(issued: Issued, order: AuthorityOrder, now: datetime) -> x509.CertificateFacts:
    """Return what a CA's certificate says; raises `Rejected` with every way in which it is not it.

    What the CAs above do not allow of it is one, since nobody would believe what it signs.
    """

    def reasons(facts: x509.CertificateFacts) -> Iterator[str]:
        yield from _identity(facts, order.csr)
        yield from _authority(facts, order.request)
        yield from _life(facts, order.not_after, now)
        yield from _allowed(facts, narrowed(issued), order.request)

    return _believed(issued, reasons)


def narrowed(issued: Issued) -> Issued:
    """Return what was issued with the one anchor that its chain ends at, where one of them does."""
    top = x509.facts(issued.chain[-1] if issued.chain else issued.certificate).certificate
    ends = [a for a in issued.anchors if x509.is_issued_by(top, x509.facts(a).certificate)]
    return replace(issued, anchors=tuple(ends[:1])) if ends else issued


def _believed(
    issued: Issued, reasons: Callable[[x509.CertificateFacts], Iterable[str]]
) -> x509.CertificateFacts:
    try:
        facts = x509.facts(issued.certificate)
        against = [*reasons(facts), *_issuers(issued)]
    except (ValueError, UnsupportedAlgorithm):
        # the parser's own words are left out: they may quote what it could not read
        raise Rejected(_UNREADABLE) from None
    if against:
        more = f"; and {len(against) - _MOST_TOLD} more" if len(against) > _MOST_TOLD else ""
        told = "; ".join(map(_printable, against[:_MOST_TOLD]))
        raise Rejected(f"the issuer returned another certificate than asked for: {told}{more}")
    Pairing().check(_bundle(issued))
    return facts


def _printable(text: str) -> str:
    """Return a reason, which may quote a certificate, fit to be shown."""
    line = "".join(c if c.isprintable() else "?" for c in text[: _LONGEST + 1])
    return line if len(line) <= _LONGEST else f"{line[:_LONGEST]}..."


def sorted_chain(certificates: Collection[bytes]) -> tuple[tuple[bytes, ...], tuple[bytes, ...]]:
    """Return (chain, anchors) of the CA certificates (DER) above a leaf, given in their order.

    Raises `Rejected` where one of them cannot be read.
    """
    try:
        facts = [(der, x509.facts(der)) for der in certificates]
        anchors = tuple(der for der, told in facts if told.subject == told.issuer)
    except ValueError:
        raise Rejected(_UNREADABLE) from None
    return tuple(der for der, _ in facts if der not in anchors), anchors


def _bundle(issued: Issued) -> Bundle:
    chain, anchors = (tuple(map(x509.pem, side)) for side in (issued.chain, issued.anchors))
    return Bundle(x509.pem(issued.certificate), chain, anchors, None)


def _identity(facts: x509.CertificateFacts, csr: bytes) -> Iterator[str]:
    """Yield that it is for another key, or has a serial that none may have (RFC 5280 section 4.1.2.2)."""
    if facts.spki != requested_key(csr)[1]:
        yield "its key is not that of the signing request"
    if not 0 < facts.certificate.serial_number < _SERIALS:
        yield "its serial is not a positive number of at most 20 octets"


def _authority(facts: x509.CertificateFacts, asked: AuthorityRequest) -> Iterator[str]:
    """Yield what a CA's certificate says that was not asked for (RFC 5280 sections 4.2.1.3, .9, .10)."""
    certificate = facts.certificate
    basic, usage = extension(certificate, BasicConstraints), extension(certificate, KeyUsage)
    if basic is None or not basic.ca:
        yield "it is no CA"
    elif basic.path_length != asked.path_length:
        yield f"its path length is {basic.path_length} and not {asked.path_length}"
    if usage is not None and not (usage.key_cert_sign and usage.crl_sign):
        yield "it may not sign certificates and CRLs"
    wanted = encode_constraints(asked.name_constraints) if asked.name_constraints else None
    if _subtrees(extension(certificate, NameConstraints)) != _subtrees(wanted):
        yield "its name constraints are not those asked for"
    # how the text is encoded is the CA's choice
    said, name = ([(a.oid, a.value) for a in n] for n in (certificate.subject, own_name(asked)))
    if said != name:
        yield f"its name is {facts.subject}"


def _subtrees(constraints: NameConstraints | None) -> tuple[frozenset[object], frozenset[object]]:
    if constraints is None:
        return frozenset(), frozenset()
    sides = constraints.permitted_subtrees, constraints.excluded_subtrees
    return frozenset(sides[0] or ()), frozenset(sides[1] or ())


def _allowed(
    facts: x509.CertificateFacts, issued: Issued, asked: AuthorityRequest
) -> Iterator[str]:
    """Yield what the CAs above do not allow; where none came along, that is told by itself."""
    above = (*issued.chain, *issued.anchors)
    if not above:
        return
    try:
        issuer = x509.IssuingAuthority.load(above[0], above[1:], rooted=bool(issued.anchors))
    except x509.IssuanceRefused as why:
        yield from why.reasons
        return
    yield from x509.objections(asked, issuer)
    if facts.not_after > issuer.not_after:
        yield f"it outlives what signed it, which ends at {issuer.not_after:%Y-%m-%d}"


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


def _strange_names(facts: x509.CertificateFacts) -> Iterator[str]:
    """Yield that there are names which no document can ask for, such as the login of a directory."""
    names = extension(facts.certificate, SubjectAlternativeName) or ()
    if not all(isinstance(name, _NAMED) for name in names):
        yield "it has a name of another kind"


def _life(facts: x509.CertificateFacts, limit: datetime | None, now: datetime) -> Iterator[str]:
    if facts.not_before > now + TOLERANCE:
        yield "it is not valid yet"
    if facts.not_after <= now:
        yield "it has expired"
    if limit is not None and facts.not_after > limit + TOLERANCE:
        yield "it lives longer than asked for"


def _issuers(issued: Issued) -> Iterator[str]:
    above = (*issued.chain, *issued.anchors)
    if not above:
        yield "no issuer came with it"
    if not all(x509.facts(der).is_ca for der in above):
        yield "what came as its issuer is no CA"
