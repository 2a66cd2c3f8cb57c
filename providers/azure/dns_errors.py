"""What Azure DNS answers besides what all of Azure does.

https://learn.microsoft.com/rest/api/dns/record-sets/create-or-update
"""

from azure.core.exceptions import DeserializationError, HttpResponseError

from providers.azure import errors
from providers.errors import Ambiguous, NotFound, ProviderError
from providers.recordsets import Moved

_PLACE = "Azure DNS"


def explain(error: Exception) -> ProviderError | None:
    """Return what an exception of the SDK means, None for what is not the SDK's."""
    if isinstance(error, DeserializationError):
        return Ambiguous(f"the answer of {_PLACE} could not be read")
    status = error.status_code if isinstance(error, HttpResponseError) else None
    if isinstance(error, HttpResponseError) and status in (404, 409, 412):
        found = errors.fault(error)
        if not found.code:
            return Ambiguous("what answered is not Azure: is there a proxy on the way?")
        return NotFound(found.text) if status == 404 else Moved(found.text)
    return errors.explain(error, _PLACE)
