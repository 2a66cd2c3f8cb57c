"""What dns-lexicon's exceptions mean. Their text may hold a request, and so a secret: it is not repeated."""

from lexicon.exceptions import AuthenticationError, ProviderNotAvailableError
from requests import HTTPError, RequestException
from requests.exceptions import ConnectTimeout

from providers.errors import (
    Ambiguous,
    Denied,
    NotFound,
    ProviderError,
    Rejected,
    Throttled,
    Transient,
)


def explain(error: Exception, provider: str) -> ProviderError:
    """Return what an exception means; lexicon's providers raise anything."""
    who = f"{provider} (dns-lexicon)"
    if isinstance(error, AuthenticationError):
        return Denied(f"{who} does not accept the credentials, or has no such zone")
    if isinstance(error, ProviderNotAvailableError):
        return NotFound(
            f"dns-lexicon has no provider {provider}, or lacks a library that it needs: "
            f"pip install 'dns-lexicon[{provider}]'"
        )
    if isinstance(error, HTTPError) and error.response is not None:
        return _answered(error.response.status_code, error.response.headers.get("Retry-After"), who)
    if isinstance(error, ConnectTimeout):
        return Transient(f"{who} cannot be reached")
    if isinstance(error, RequestException | OSError):
        return Ambiguous(f"{who} gave no answer: {type(error).__name__}")
    return Rejected(
        f"{who} failed: {type(error).__name__}; `lexicon {provider} list` may tell more"
    )


def _answered(status: int, retry_after: str | None, who: str) -> ProviderError:
    said = f"{who} answers {status}"
    if status in (401, 403):
        return Denied(said)
    if status == 404:
        return NotFound(f"{said}: it has no such zone")
    if status == 429:
        seconds = float(retry_after) if retry_after and retry_after.isdecimal() else None
        return Throttled(said, seconds)
    return Ambiguous(said) if status >= 500 else Rejected(said)
