"""Google's refusals as ours: by their canonical code (AIP-193), never by their words."""

from dataclasses import dataclass

from google.api_core.exceptions import GoogleAPICallError
from google.auth.exceptions import GoogleAuthError, TransportError
from google.protobuf.json_format import ParseError
from requests import TooManyRedirects
from requests.exceptions import SSLError

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

NOT_GOOGLE = "what answered is not Google: is there a proxy on the way?"
_LONGEST = 500
_CODES = {
    3: "INVALID_ARGUMENT",
    5: "NOT_FOUND",
    6: "ALREADY_EXISTS",
    7: "PERMISSION_DENIED",
    8: "RESOURCE_EXHAUSTED",
    9: "FAILED_PRECONDITION",
    10: "ABORTED",
    16: "UNAUTHENTICATED",
}
"""https://github.com/googleapis/googleapis/blob/master/google/rpc/code.proto, what is clear of it."""


class Unmet(Rejected):
    """What is there stands in the way (FAILED_PRECONDITION)."""


@dataclass(frozen=True, slots=True)
class _Answer:
    """What an answer tells that is no success; `limit` is the quota that is used up."""

    status: str
    message: str
    retry_after: float | None = None
    limit: str = ""


def explain(error: Exception) -> ProviderError | None:
    """Return what an exception of Google's client means, None for what is none of its."""
    if isinstance(error, GoogleAPICallError):
        return _refused(_answer(error))
    if isinstance(error, TransportError) or (
        isinstance(error, GoogleAuthError) and error.retryable
    ):
        return Transient("Google's token endpoint could not be reached")
    if isinstance(error, GoogleAuthError):
        return Denied(
            "there are no valid Google credentials: set GOOGLE_APPLICATION_CREDENTIALS, or run"
            " `gcloud auth application-default login`"
        )
    if _is_of_no_google(error):
        return Ambiguous(NOT_GOOGLE)
    if isinstance(error, SSLError):
        return Ambiguous(
            "TLS with Google failed: where a proxy stands between, set REQUESTS_CA_BUNDLE to its CA"
        )
    if isinstance(error, OSError):  # what the HTTP library raises is
        return Ambiguous("the connection to Google broke or timed out")
    return None


def explain_operation(code: int, message: str) -> ProviderError:
    """Return what the error of a long-running operation means; `code` is that of google.rpc."""
    return _refused(_Answer(_CODES.get(code, "UNKNOWN"), clean(message)))


def _refused(answer: _Answer) -> ProviderError:
    match answer.status:
        case "UNAUTHENTICATED":
            return Denied("Google does not accept the credentials, or they have expired")
        case "PERMISSION_DENIED":
            return Denied(answer.message)
        case "NOT_FOUND":
            return NotFound(answer.message)
        case "ALREADY_EXISTS" | "ABORTED":
            return Conflict(answer.message)
        case "FAILED_PRECONDITION":
            return Unmet(answer.message)
        case "RESOURCE_EXHAUSTED" if answer.limit and "PerMinute" not in answer.limit:
            return QuotaExceeded(answer.message)
        case "RESOURCE_EXHAUSTED":
            return Throttled(answer.message, answer.retry_after)
        case "INVALID_ARGUMENT":
            return Rejected(answer.message)
    return Ambiguous(answer.message)


def _is_of_no_google(error: Exception) -> bool:
    """Whether an answer is none that Google gives: it cannot be read, or leads elsewhere."""
    strange = isinstance(error, ParseError | UnicodeDecodeError | TooManyRedirects)
    return strange or _is_from(error, "google.api_core.exceptions")


def _is_from(error: Exception, module: str) -> bool:
    """Whether an exception arose in a module: Google's stumbles over errors that are not its own."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return trace is not None and trace.tb_frame.f_globals.get("__name__") == module


def _answer(error: GoogleAPICallError) -> _Answer:
    headers = getattr(error.response, "headers", {})
    told = _told(error)
    limit = (error.metadata or {}).get("quota_limit", "")
    message = clean(str(told.get("message") or f"Google answered with HTTP {error.code}"))
    status = str(told.get("status") or _BY_HTTP.get(error.code or 0, "UNKNOWN"))
    return _Answer(status, message, _seconds(headers.get("Retry-After")), limit)


_BY_HTTP = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    409: "ABORTED",
    429: "RESOURCE_EXHAUSTED",
}
"""For answers that are not Google's own: a proxy's 404 says nothing about what is there."""


def _told(error: GoogleAPICallError) -> dict[str, object]:
    """Return the `error` of a JSON answer, {} where it holds none: a proxy may have answered."""
    try:
        told = error.response.json()["error"]
    except (AttributeError, ValueError, KeyError, TypeError):
        return {}
    return told if isinstance(told, dict) else {}


def clean(message: str) -> str:
    """Return a message that is fit to be shown: one line, not endless, and no PEM."""
    line = " ".join(message.split("-----BEGIN", maxsplit=1)[0].split())
    return line[:_LONGEST]


def _seconds(value: str | None) -> float | None:
    return float(value) if value is not None and value.isdigit() else None
