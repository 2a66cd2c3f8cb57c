"""Cloud DNS's refusals as ours: by the reason it gives, since most have no canonical code.

https://cloud.google.com/dns/docs/reference/rest/v1/changes/create
"""

from google.api_core.exceptions import GoogleAPICallError

from providers.errors import Denied, NotFound, ProviderError, QuotaExceeded, Rejected, Throttled
from providers.gcp import errors
from providers.recordsets import Moved

_CLASSES: dict[str, type[ProviderError]] = {
    "alreadyExists": Moved,
    "conditionNotMet": Moved,
    "notFound": NotFound,
    "forbidden": Denied,
    "insufficientPermissions": Denied,
    "accessNotConfigured": Denied,
    "rateLimitExceeded": Throttled,
    "userRateLimitExceeded": Throttled,
    "quotaExceeded": QuotaExceeded,
    "dailyLimitExceeded": QuotaExceeded,
    "cnameResourceRecordSetConflict": Rejected,
}


def explain(error: Exception) -> ProviderError | None:
    """Return what an exception of Google's client means, None for what is none of its."""
    if isinstance(error, GoogleAPICallError):
        reason, message = _told(error)
        if reason in _CLASSES:
            return _CLASSES[reason](message)
    return errors.explain(error)


def _told(error: GoogleAPICallError) -> tuple[str, str]:
    """Return the first reason of an answer and its words, cut; no reason where a proxy answered."""
    try:
        first = error.response.json()["error"]["errors"][0]
        return str(first["reason"]), errors.clean(str(first.get("message") or first["reason"]))
    except (AttributeError, ValueError, KeyError, TypeError, IndexError):
        return "", ""
