"""Why something must not be signed: every reason, told before a signature exists."""

import re
from collections.abc import Iterator
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.x509.oid import NameOID
from pydantic import TypeAdapter, ValidationError

from providers.constraints import violations, widenings
from providers.signer import PublicKey
from providers.x509.issuer import Ancestor, IssuingAuthority
from providers.x509.keys import decode_spki, key_type, spki
from providers.x509.profile import USAGES, ToBeSigned, subject_attributes
from schemas.authority import NameConstraints
from schemas.certificate import Usage
from schemas.project import HttpUrl
from schemas.request import AuthorityRequest, LeafRequest
from schemas.scalars import DnsName, EmailAddress, IpAddress, Uri

_BOUNDS = {
    NameOID.COUNTRY_NAME: 2,
    NameOID.STATE_OR_PROVINCE_NAME: 128,
    NameOID.LOCALITY_NAME: 128,
    NameOID.STREET_ADDRESS: 128,
    NameOID.POSTAL_CODE: 40,
    NameOID.ORGANIZATION_NAME: 64,
    NameOID.ORGANIZATIONAL_UNIT_NAME: 64,
    NameOID.COMMON_NAME: 64,
    NameOID.SERIAL_NUMBER: 64,
}
"""Upper bounds in characters (RFC 5280 appendix A.1, X.520)."""

_PRINTABLE = re.compile(r"[A-Za-z0-9 '()+,./:=?-]+")
_DNS: TypeAdapter[str] = TypeAdapter(DnsName)
_IP: TypeAdapter[str] = TypeAdapter(IpAddress)
_URI: TypeAdapter[str] = TypeAdapter(Uri)
_EMAIL: TypeAdapter[str] = TypeAdapter(EmailAddress)
_URL: TypeAdapter[str] = TypeAdapter(HttpUrl)


def refusals(tbs: ToBeSigned, issuer: IssuingAuthority | None) -> tuple[str, ...]:
    """Return every reason why this must not be signed below an issuer, or self-signed without one."""
    return examine(tbs, issuer)[1]


def objections(request: AuthorityRequest, issuer: IssuingAuthority) -> tuple[str, ...]:
    """Return what the CAs above, from an issuer upwards, do not allow of a CA that somebody has signed."""
    allowed = (_allowance(ancestor, depth + 1) for depth, ancestor in enumerate(issuer.path))
    return (*_beyond(request, issuer), *(reason for reasons in allowed for reason in reasons))


def examine(
    tbs: ToBeSigned, issuer: IssuingAuthority | None
) -> tuple[PublicKey | None, tuple[str, ...]]:
    """Return the subject's key, None when it cannot be read, and every reason not to sign."""
    try:
        key = decode_spki(tbs.spki)
    except ValueError as error:
        return None, (str(error), *_reasons(tbs, issuer))
    return key, (*_key(tbs, key), *_reasons(tbs, issuer))


def _reasons(tbs: ToBeSigned, issuer: IssuingAuthority | None) -> tuple[str, ...]:
    return (
        *_serial(tbs.serial),
        *_dates(tbs, issuer),
        *_urls(tbs),
        *_subject(tbs),
        *_content(tbs.request, issuer),
        *_issuer(tbs, issuer),
    )


def _serial(serial: str) -> Iterator[str]:
    """RFC 5280 section 4.1.2.2 and CA/B BR 7.1.2: positive, below 2^159, room for 64 random bits."""
    if not re.fullmatch(r"[1-9a-f][0-9a-f]*", serial):
        yield "the serial number is not lower-case hex without leading zeros"
    elif not 64 <= int(serial, 16).bit_length() <= 159:
        yield "the serial number must have between 64 and 159 bits"


def _dates(tbs: ToBeSigned, issuer: IssuingAuthority | None) -> Iterator[str]:
    for moment, label in ((tbs.not_before, "notBefore"), (tbs.not_after, "notAfter")):
        if moment.utcoffset() != timedelta():
            yield f"{label} is not in UTC"
            return
        if moment.microsecond:
            yield f"{label} is not a whole second"
        if moment.year < 1950:
            yield f"{label} is before 1950"
    if tbs.not_after <= tbs.not_before:
        yield "the certificate would end before it starts"
    if issuer is not None:
        yield from _within(tbs, issuer)


def _key(tbs: ToBeSigned, key: PublicKey) -> Iterator[str]:
    try:
        algorithm, size = key_type(key)
    except ValueError as error:
        yield str(error)
        return
    requested = tbs.request.key
    if (algorithm, size) != (requested.algorithm, requested.size):
        yield f"the key is {algorithm} {size}, requested is {requested}"
    if spki(key) != tbs.spki:
        yield "the public key is not in its one DER form"


def _urls(tbs: ToBeSigned) -> Iterator[str]:
    for url, label in ((tbs.crl_url, "CRL"), (tbs.issuer_url, "issuer"), (tbs.ocsp_url, "OCSP")):
        if url is not None and not _is(_URL, url):
            yield f"the {label} URL must be an http URL"


def _subject(tbs: ToBeSigned) -> Iterator[str]:
    if isinstance(tbs.request, AuthorityRequest) and tbs.request.inherited is not None:
        return  # what it says is repeated to the byte
    for oid, value in subject_attributes(tbs.request.subject, tbs.request.common_name):
        if not 0 < len(value) <= _BOUNDS[oid]:
            yield f"{_label(oid)} in the subject must have 1 to {_BOUNDS[oid]} characters"
    number = tbs.request.subject.serial_number
    if number is not None and not _PRINTABLE.fullmatch(number):
        yield "serialNumber in the subject must be of letters, digits and simple punctuation"


def _label(oid: x509.ObjectIdentifier) -> str:
    return oid._name  # noqa: SLF001 - the only place cryptography keeps the attribute's name


def _content(
    request: LeafRequest | AuthorityRequest, issuer: IssuingAuthority | None
) -> tuple[str, ...]:
    if isinstance(request, AuthorityRequest):
        return tuple(_beyond(request, issuer))
    malformed = tuple(_names(request))
    return (*_leaf(request), *(malformed or _beyond(request, issuer)))


def _leaf(request: LeafRequest) -> Iterator[str]:
    named = (*request.dns_names, *request.ip_addresses, *request.uris, *request.email_addresses)
    if not named and not subject_attributes(request.subject, request.common_name):
        yield "the certificate names nothing"
    if not request.usages:
        yield "the certificate has no usage"
    if Usage.TIMESTAMPING in request.usages and len(request.usages) > 1:
        yield "time stamping must be a certificate's only usage (RFC 3161 section 2.3)"


def _names(request: LeafRequest) -> Iterator[str]:
    for values, kind, adapter in (
        (request.dns_names, "DNS name", _DNS),
        (request.ip_addresses, "IP address", _IP),
        (request.uris, "URI", _URI),
        (request.email_addresses, "e-mail address", _EMAIL),
    ):
        for value in values:
            if not _is(adapter, value):
                yield f"the {kind} {value!r} is malformed or not in its one form"
    for name in request.dns_names:
        if name.startswith("*.") and "." not in name[2:]:
            yield f"{name!r} would stand for a whole top-level domain"


def _is(adapter: TypeAdapter[str], value: str) -> bool:
    """Whether a value is valid and already in the form that the field would give it."""
    try:
        return adapter.validate_python(value) == value
    except ValidationError:
        return False


def _issuer(tbs: ToBeSigned, issuer: IssuingAuthority | None) -> Iterator[str]:
    if issuer is None:
        if isinstance(tbs.request, LeafRequest):
            yield "a leaf certificate needs an issuer"
        elif tbs.request.issuer is not None:
            yield "only a root is signed by itself"
        return
    if tbs.request.issuer is None:
        yield "a root is signed by itself"
    below = 1 if isinstance(tbs.request, AuthorityRequest) else 0
    for depth, ancestor in enumerate(issuer.path):
        yield from _allowance(ancestor, depth + below)
        yield from _unusable(tbs.request, ancestor)


def _beyond(
    request: LeafRequest | AuthorityRequest, issuer: IssuingAuthority | None
) -> Iterator[str]:
    """What is named, or would be permitted, outside the constraints of any CA above."""
    for ancestor in issuer.path if issuer else ():
        if ancestor.constraints is None:
            continue
        if isinstance(request, LeafRequest):
            reasons = violations(request, ancestor.constraints)
        else:
            reasons = widenings(request.name_constraints or NameConstraints(), ancestor.constraints)
        yield from (f"{reason} ({ancestor.name})" for reason in reasons)


def _within(tbs: ToBeSigned, issuer: IssuingAuthority) -> Iterator[str]:
    if tbs.not_before < issuer.not_before:
        yield f"the certificate would start before its issuer, which starts at {_text(issuer.not_before)}"
    if tbs.not_after > issuer.not_after:
        yield f"the certificate would outlive its issuer, which ends at {_text(issuer.not_after)}"


def _allowance(ancestor: Ancestor, authorities_below: int) -> Iterator[str]:
    if not ancestor.is_ca:
        yield f"{ancestor.name} is no CA"
    if not ancestor.signs_certificates:
        yield f"{ancestor.name} may not sign certificates (its key usage lacks keyCertSign)"
    limit = ancestor.path_length
    if limit is not None and limit < authorities_below:
        yield f"{ancestor.name} allows {limit} CAs below it, this would be CA {authorities_below}"


def _unusable(request: LeafRequest | AuthorityRequest, ancestor: Ancestor) -> Iterator[str]:
    """Yield usages that a CA's own extended key usage shuts out: verifiers nest them, by no RFC."""
    if ancestor.usages is None or not isinstance(request, LeafRequest):
        return
    for usage in request.usages:
        if USAGES[usage].dotted_string not in ancestor.usages:
            yield f"{ancestor.name} issues nothing for {usage} (its extended key usage lacks it)"


def _text(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
