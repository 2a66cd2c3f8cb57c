"""What Vault refuses, and what breaks on the way to it, as ours."""

import re
from collections.abc import Callable
from functools import partial

from requests import exceptions as http
from urllib3.exceptions import NewConnectionError

from providers.errors import (
    Ambiguous,
    Denied,
    NotFound,
    ProviderError,
    Rejected,
    Throttled,
    Transient,
    Unreachable,
)
from providers.vault.transport import NoVault, Refused, TooLarge

_CAPABILITIES = {"GET": "read", "LIST": "list", "DELETE": "delete"}
_UNKNOWN = re.compile(r"unknown role: (\S+)|unable to find PKI issuer for reference: (\S+)")


class TimedOut(Ambiguous):
    """Vault did not answer in time."""


def explanation(server: str) -> Callable[[Exception], ProviderError | None]:
    """Return what explains the exceptions of calls to one server."""
    return partial(_explain, server)


def _explain(server: str, error: Exception) -> ProviderError | None:
    match error:
        case Refused():
            return _refused(server, error)
        case TooLarge():
            return Rejected(f"{server} answers with more than is read ({error.path})")
        case NoVault():
            return _no_vault(server, error.status)
        case http.RequestException():
            return _broken(server, error)
    return None


def _no_vault(server: str, status: int) -> ProviderError:
    if 300 <= status < 400:
        return Unreachable(
            f"{server} sends us elsewhere (HTTP {status}), and our token goes nowhere but there: name the"
            " active node, or what stands before all of them, under `server`"
        )
    what = f"what answers at {server} (HTTP {status}) is no Vault: is there a proxy on the way?"
    return Unreachable(what) if 400 <= status < 500 else Ambiguous(what)


def _broken(server: str, error: http.RequestException) -> ProviderError:
    """Tell what never left from what may have been done."""
    cause = error.args[0] if error.args else None
    reason = getattr(cause, "reason", cause)
    if isinstance(error, http.SSLError) and "CERTIFICATE_VERIFY_FAILED" in str(reason):
        return Unreachable(
            f"the certificate of {server} is not trusted here: name its CA's file under `caBundle`"
        )
    if isinstance(error, http.ProxyError):
        return Unreachable(f"the proxy of this environment does not lead to {server}")
    if isinstance(error, http.ConnectTimeout) or isinstance(reason, NewConnectionError):
        return Transient(f"no connection to {server}")
    if isinstance(error, http.Timeout) or "timed out" in str(reason).lower():
        return TimedOut(f"{server} did not answer in time")
    if isinstance(error, http.ConnectionError | http.ChunkedEncodingError):
        return Ambiguous(f"the connection to {server} broke")
    # the library's words may hold what was sent, such as a header it finds bad
    return Rejected(f"{server} could not be asked ({type(error).__name__})")


def _refused(server: str, answer: Refused) -> ProviderError:
    said = answer.said or f"HTTP {answer.status}"
    absent = _absent(said)
    if answer.is_login and answer.status in (400, 401, 403):
        return Denied(f"{server} does not log us in at {answer.path} ({said})")
    if absent:
        return NotFound(f"{server} has no {absent} ({answer.path})")
    match answer.status:
        case 401 | 403:
            return _denied(server, answer, said)
        case 404:
            return NotFound(f"{server} has nothing at {answer.path}{_in_brackets(answer.said)}")
        case 412 | 503:
            return _away(server, said)
        case 429:
            return Throttled(f"{server} is asked too often ({said})", answer.retry_after)
        case status if status >= 500:
            return Ambiguous(f"{server} failed ({said})")
    return Rejected(f"{server} refuses it: {said}")


def _absent(said: str) -> str | None:
    """Return what is missing, where Vault tells it by another status than 404."""
    if named := _UNKNOWN.search(said):
        return f"role {named[1]}" if named[1] else f"issuer {named[2]}"
    if "no default issuer currently configured" in said:
        return "CA of its own there yet"
    if "unable to verify signature on presented cert" in said:
        return "issuer there that issued it"
    return None


def _denied(server: str, answer: Refused, said: str) -> ProviderError:
    capability = _CAPABILITIES.get(answer.method, "update")
    return Denied(
        f"{server} refuses it ({said}): either our token has expired, or its policy lacks"
        f' `path "{answer.path}" {{ capabilities = ["{capability}"] }}`'
    )


def _away(server: str, said: str) -> ProviderError:
    if "sealed" in said.lower():
        return Unreachable(f"{server} is sealed: unseal it (`bao operator unseal`)")
    return Transient(f"{server} is not at work ({said})")


def _in_brackets(said: str | None) -> str:
    return f" ({said})" if said else ""
