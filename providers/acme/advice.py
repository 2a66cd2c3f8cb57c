"""When a CA wants a certificate to be renewed: ACME Renewal Information (RFC 9773)."""

from base64 import urlsafe_b64encode
from datetime import datetime, timedelta

from cryptography import x509

from providers.acme import answers
from providers.acme.answers import RenewalInfo
from providers.acme.errors import retry_after
from providers.acme.network import Network
from providers.acme.transport import Answer
from providers.calls import Calls
from providers.errors import Conflict, ProviderError, Throttled
from providers.issuing import Advice

SOONEST, LATEST = timedelta(minutes=1), timedelta(days=1)
"""How soon and how late a CA is asked again, whatever it says (RFC 9773 section 4.3.2)."""
AFTER_ERROR = timedelta(hours=6)
"""RFC 9773 section 4.3.3."""
_LONGEST_URL = 300


def certificate_id(certificate: bytes) -> str | None:
    """Return what RFC 9773 section 4.1 calls a certificate (DER); None where it names no issuer's key."""
    parsed = x509.load_der_x509_certificate(certificate)
    try:
        found = parsed.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier)
    except x509.ExtensionNotFound:
        return None
    serial = parsed.serial_number
    if serial < 0:  # the RFC has no name for it
        return None
    # as DER has it: with a leading 00 where the first bit is set
    octets = serial.to_bytes(serial.bit_length() // 8 + 1, "big")
    key = found.value.key_identifier
    return f"{_plain(key)}.{_plain(octets)}" if key else None


def _plain(data: bytes) -> str:
    return urlsafe_b64encode(data).decode().rstrip("=")


def advise(network: Network, calls: Calls, certificate: bytes, now: datetime) -> Advice | None:
    """Ask about a certificate; one that has expired is not asked about any more, but is due anyway."""
    base = network.look_up(calls, once=True).renewal_info
    if base is None:
        return None
    name = certificate_id(certificate)
    ended = x509.load_der_x509_certificate(certificate).not_valid_after_utc <= now
    if name is None or ended:
        return Advice(now + LATEST)
    try:
        answer = network.get(f"{base.rstrip('/')}/{name}", calls)
        return _advice(answer, now)
    except Throttled as why:
        return Advice(now + (_clamped(why.retry_after) or AFTER_ERROR))
    except ProviderError:
        return Advice(now + AFTER_ERROR)


def _advice(answer: Answer, now: datetime) -> Advice:
    """Return what an answer advises; a window that ends before it starts is no answer."""
    info = answers.read(RenewalInfo, answer.body, "renewal information")
    start, end = info.suggested_window.start, info.suggested_window.end
    if end <= start:
        raise Conflict("the CA's window ends before it starts")
    again = _clamped(retry_after(answer.headers, now)) or AFTER_ERROR
    return Advice(now + again, start, end, _page(info.explanation_url))


def _clamped(seconds: float | None) -> timedelta | None:
    if seconds is None:
        return None
    return timedelta(seconds=min(max(seconds, SOONEST.total_seconds()), LATEST.total_seconds()))


def _page(url: str | None) -> str | None:
    """Return the address of an explanation if it may be shown: by HTTPS, and nothing but an address."""
    fit = url and url.startswith("https://") and len(url) <= _LONGEST_URL and url.isascii()
    return url if fit and url and url.isprintable() and " " not in url else None
