"""What an answer of Azure, or the lack of one, means; Key Vault's are told apart here, others' elsewhere.

https://learn.microsoft.com/azure/key-vault/general/rest-error-codes
"""

import json
import re
from dataclasses import dataclass

from azure.core.exceptions import (
    AzureError,
    ClientAuthenticationError,
    HttpResponseError,
    ServiceRequestError,
    ServiceRequestTimeoutError,
)
from requests.exceptions import ConnectionError, SSLError  # noqa: A004 - the builtin is another one
from urllib3.exceptions import ConnectTimeoutError, NewConnectionError

from providers.errors import (
    Ambiguous,
    Conflict,
    Denied,
    NotFound,
    ProviderError,
    Rejected,
    Throttled,
    Transient,
    Unreachable,
)

_LONGEST = 300
_BLOB = re.compile(r"-----BEGIN.*|[A-Za-z0-9+/=_-]{48,}", re.DOTALL)
_UNUSABLE = {"KeyDisabled", "KeyExpired", "KeyNotYetValid", "KeyOperationForbidden"}
"""What a key is, not what a caller may: another permission would change nothing."""
_ENTRA = re.compile(r"AADSTS[0-9]+")


class Forbidden(Denied):
    """The vault knows who asks, and a permission is missing."""


class SoftDeleted(Conflict):
    """The name is that of a deleted certificate, which can be recovered or purged."""


class CreationPending(Conflict):
    """A creation is under way under the name."""


@dataclass(frozen=True, slots=True)
class Fault:
    """An error as the service puts it; `inner` is the more precise code, where there is one."""

    status: int
    code: str
    inner: str
    message: str

    @property
    def text(self) -> str:
        """The error in one line."""
        code = self.inner or self.code or f"HTTP {self.status}"
        return f"{code}: {self.message}" if self.message else code


def explain(error: Exception, place: str = "the vault") -> ProviderError | None:
    """Return what an exception of the SDK means, None for what is none; `place` is what was asked."""
    if isinstance(error, ClientAuthenticationError):
        return _unauthenticated(error, place)
    if isinstance(error, HttpResponseError) and error.status_code is not None:
        return _answered(fault(error), error, place)
    if isinstance(error, ServiceRequestError):
        return _unsent(error, place)
    if isinstance(error, AzureError):
        return Ambiguous(f"{place} did not answer ({type(error).__name__})")
    if isinstance(error, ValueError) and "challenge resource" in str(error):
        return Unreachable(
            "the vault asks for a token of another domain than its own: correct `vault`, or say"
            " `verifyChallengeResource: false` where it is reached by a name of your own"
        )
    return None


def fault(error: HttpResponseError) -> Fault:
    """Read an error's answer; texts are cut, and what may be key or certificate is left out."""
    status = error.status_code or 0
    try:
        told = json.loads(error.response.text() if error.response else "")
        said = told.get("error", told)  # Azure DNS has no envelope around what it says itself
        inner = said.get("innererror") or {}
        return Fault(status, said["code"], inner.get("code") or "", clean(said.get("message")))
    except (ValueError, KeyError, TypeError, AttributeError):
        return Fault(status, "", "", "")


def _answered(found: Fault, error: HttpResponseError, place: str) -> ProviderError:
    if found.status == 429:
        return Throttled(f"{place} is asked too often ({found.text})", _retry_after(error))
    if found.status == 403:
        return _forbidden(found)
    if found.status == 404:
        return NotFound(found.text)
    if found.status == 409:
        return _conflict(found)
    if found.status == 408 or found.status >= 500:
        return Ambiguous(f"{place} failed (HTTP {found.status}: {found.text})")
    if found.status < 300:
        return Ambiguous(f"the answer of {place} could not be read")
    return Rejected(f"{place} refuses it ({found.text})")


def _conflict(found: Fault) -> ProviderError:
    if found.inner == "ObjectIsDeletedButRecoverable":
        return SoftDeleted(found.text)
    if found.inner in ("ObjectIsBeingDeleted", "ObjectIsBeingRecovered"):
        return Transient(found.text)
    return CreationPending(found.text) if found.code == "Forbidden" else Conflict(found.text)


def _forbidden(found: Fault) -> ProviderError:
    if found.inner in ("ForbiddenByFirewall", "ForbiddenByConnection"):
        return Denied("the vault's firewall does not let this address in")
    if found.inner in _UNUSABLE:
        return Conflict(
            f"it cannot be used ({found.text}): change that in the vault, or have a new `generation` of"
            " the CA with another key"
        )
    return Forbidden(found.text)


def _unauthenticated(error: ClientAuthenticationError, place: str) -> ProviderError:
    # the chain's own text tells of every way it tried, and may quote what Entra ID was sent
    codes = ", ".join(sorted(set(_ENTRA.findall(str(error)))))
    if error.status_code == 401 and not codes:
        return Denied(f"{place} does not take our token ({fault(error).text})")
    return Denied(
        f"no credential gave a token for Azure{f' ({codes})' if codes else ''}: sign in with `az login`,"
        " give the workload an identity, or set AZURE_TENANT_ID, AZURE_CLIENT_ID and what goes with them;"
        f" where {place} is in another tenant than the identity, name that under `tenant`"
    )


def _unsent(error: ServiceRequestError, place: str) -> ProviderError:
    """Tell what never left from what may have: the SDK calls both a failed request."""
    inner = error.inner_exception
    if isinstance(inner, SSLError) and "CERTIFICATE_VERIFY_FAILED" in str(inner):
        return Unreachable(
            f"{place}'s TLS certificate is not trusted here: correct its address, or name the CA in"
            " REQUESTS_CA_BUNDLE where a proxy stands in between"
        )
    cause = inner.args[0] if isinstance(inner, ConnectionError) and inner.args else inner
    never = isinstance(getattr(cause, "reason", cause), NewConnectionError | ConnectTimeoutError)
    if never or isinstance(error, ServiceRequestTimeoutError):
        return Transient(f"no connection to {place}")
    return Ambiguous(f"the connection to {place} broke")


def _retry_after(error: HttpResponseError) -> float | None:
    headers = getattr(error.response, "headers", {})
    try:
        return max(0.0, float(headers.get("Retry-After", "")))
    except ValueError:
        return None


def clean(message: object) -> str:
    """Return somebody else's words in one line, cut, and without what may be key or certificate."""
    text = " ".join(_BLOB.sub("...", str(message or "")).split())
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."
