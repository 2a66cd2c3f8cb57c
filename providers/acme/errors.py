"""What a CA's refusals and the network's failures mean (RFC 8555 section 6.7, RFC 7807).

A CA's own words are told, for they say what to put right; they are clipped, and made printable.
"""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from requests import exceptions
from urllib3.exceptions import HTTPError, MaxRetryError, NewConnectionError

from providers.acme.answers import Problem, read
from providers.acme.transport import Answer, told
from providers.errors import (
    Ambiguous,
    Conflict,
    Denied,
    NotFound,
    ProviderError,
    QuotaExceeded,
    Rejected,
    Throttled,
    Transient,
)
from providers.words import printable

_PREFIX = "urn:ietf:params:acme:error:"
LONGEST = 400
"""Characters of a CA's words that are shown."""
_MOST_NAMES = 5
LONGEST_WAIT = 7 * 86_400.0
"""Seconds that a CA may want to be left alone: no limit of a CA looks back for longer."""


class BadNonce(Transient):
    """The CA wants the same request with another nonce; nothing was done."""


class NoAccount(Denied):
    """The CA knows no account of this key."""


class BindingRequired(Denied):
    """The CA takes accounts alone that are bound to one that it knows already."""


class Unauthorized(Denied):
    """Whoever signed may not do that."""


class OrderNotReady(Conflict):
    """The order is not in a state in which it can be finalized."""


class AlreadyRevoked(Conflict):
    """The certificate is revoked."""


_CODES: Mapping[str, tuple[type[ProviderError], str]] = {
    "badNonce": (BadNonce, ""),
    "accountDoesNotExist": (NoAccount, ""),
    "orderNotReady": (OrderNotReady, ""),
    "alreadyRevoked": (AlreadyRevoked, ""),
    "alreadyReplaced": (Conflict, ""),
    "externalAccountRequired": (
        BindingRequired,
        "write `externalAccountBinding` into the Issuer: the CA gives the key ID and the HMAC key",
    ),
    "unauthorized": (Unauthorized, ""),
    "userActionRequired": (Denied, "somebody has to visit the CA's page and agree"),
    "serverInternal": (Ambiguous, ""),
    "caa": (Rejected, "a CAA record of the name has to name this CA (RFC 8659)"),
    "dns": (Rejected, "the CA could not look the name up"),
    "connection": (Rejected, "the CA could not reach the name from outside"),
    "tls": (Rejected, "the CA could not speak TLS with the name"),
    "incorrectResponse": (Rejected, "the CA found something else than what was put there"),
    "rejectedIdentifier": (Rejected, "this CA does not issue for that name"),
    "unsupportedIdentifier": (Rejected, "this CA does not issue for names of that kind"),
    "badCSR": (Rejected, "key and names have to be such as this CA issues for"),
    "invalidProfile": (Rejected, "`profile` has to be one that the CA offers"),
    "badPublicKey": (Rejected, "the key is of a kind that this CA does not take"),
    "badSignatureAlgorithm": (
        Rejected,
        "the account's key is of a kind that this CA does not take",
    ),
    "badRevocationReason": (Rejected, "revoke with a reason that this CA takes"),
    "invalidContact": (Rejected, "`email` has to be one that this CA takes"),
}
"""What each type of problem is, and what to do."""


@contextmanager
def sparing_the_order() -> Iterator[None]:
    """Let no failure that says nothing of an order look like one: it would be given up for another."""
    try:
        yield
    except (Rejected, NotFound) as why:
        raise Conflict(str(why)) from None


def code_of(problem: Problem) -> str:
    """Return a problem's type without its prefix."""
    return problem.type.removeprefix(_PREFIX)


def hint(problem: Problem) -> str:
    """Return what to do about a problem, after a semicolon; nothing where that is plain."""
    said = _CODES[code_of(problem)][1] if code_of(problem) in _CODES else ""
    return f"; {said}" if said else ""


def refusal(answer: Answer, now: datetime | None = None) -> ProviderError:
    """Return what an answer that is a refusal means."""
    problem = _problem(answer)
    code, wait = code_of(problem), retry_after(answer.headers, now)
    kind = _CODES[code][0] if code in _CODES else None
    said = describe(problem) if problem.detail or code in _CODES else _unexplained(answer.status)
    text = f"{told(answer.url)}: {said}{hint(problem)}"
    if answer.status == 404 and kind is not NoAccount:
        return NotFound(text)  # what is gone is `malformed` with some CAs
    if code == "rateLimited" or answer.status in (429, 503):
        return _too_many(text, code, wait)
    return (kind or _of_status(answer.status))(text)


def _too_many(text: str, code: str, wait: float | None) -> ProviderError:
    """Return a limit: what names no end is not asked for again and again in one run."""
    if code == "rateLimited" and wait is None:
        return QuotaExceeded(text)
    return Throttled(text, wait)


def _of_status(status: int) -> type[ProviderError]:
    if status in (401, 403):
        return Denied
    if status == 409 or 300 <= status < 400:
        return Conflict  # what was signed for one address is not sent to another
    if status >= 500:
        return Ambiguous
    return Rejected


def _unexplained(status: int) -> str:
    return f"HTTP {status}{', which is not followed' if 300 <= status < 400 else ''}"


def _problem(answer: Answer) -> Problem:
    try:
        return read(Problem, answer.body, "problem")
    except Conflict:
        return Problem()


def describe(problem: Problem) -> str:
    """Return a problem in words: its type, what the CA says of it, and of each name."""
    said = ": ".join(filter(None, (code_of(problem), problem.detail or problem.title)))
    parts = [said if problem.instance is None else f"{said} (see {problem.instance})"]
    for inner in problem.subproblems[:_MOST_NAMES]:
        name = f"{inner.identifier.value}: " if inner.identifier else ""
        parts.append(f"{name}{code_of(inner)}: {inner.detail or inner.title or ''}")
    if len(problem.subproblems) > _MOST_NAMES:
        parts.append(f"and {len(problem.subproblems) - _MOST_NAMES} more")
    return printable("; ".join(parts), LONGEST)


def retry_after(headers: Mapping[str, str], now: datetime | None = None) -> float | None:
    """Return the seconds of a Retry-After (RFC 9110 section 10.2.3), None where it says nothing of use."""
    value = headers.get("Retry-After", "").strip()
    if value.isascii() and value.isdigit() and len(value) < 10:
        return min(float(value), LONGEST_WAIT)
    try:
        then = parsedate_to_datetime(value)
    except (ValueError, TypeError, OverflowError):
        return None
    then = then if then.tzinfo else then.replace(tzinfo=UTC)
    left = (then - (now or datetime.now(UTC))).total_seconds()
    return min(max(0.0, left), LONGEST_WAIT)


def explain(error: Exception) -> ProviderError | None:
    """Return what an exception of the network means, None for what is not its own."""
    if not isinstance(error, exceptions.RequestException | HTTPError):
        return None
    request = getattr(error, "request", None)
    where = told(request.url) if request is not None and hasattr(request, "url") else "the CA"
    if isinstance(error, exceptions.SSLError) and "certificate verify failed" in str(error):
        why = re.search(r"certificate verify failed: ([\w ,'.:-]+)", str(error))
        return Denied(
            f"{where}: its TLS certificate is not one that this host, or the Issuer's `caBundle`,"
            f" trusts{f': {printable(why[1], LONGEST)}' if why else ''}"
        )
    if isinstance(error, exceptions.InvalidSchema | exceptions.InvalidURL):
        return Conflict("the CA names an address that is no https:// address")
    name = type(error).__name__
    if isinstance(error, exceptions.ConnectTimeout | exceptions.ProxyError) or _unsent(error):
        return Transient(f"{where} cannot be reached ({name})")
    return Ambiguous(f"{where} gave no answer ({name})")


def _unsent(error: Exception) -> bool:
    """Whether no connection came about, so that nothing was sent."""
    cause = error.args[0] if error.args else None
    return isinstance(cause, MaxRetryError) and isinstance(cause.reason, NewConnectionError)
