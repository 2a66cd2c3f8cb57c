"""What Route 53 answers besides what every service does.

https://docs.aws.amazon.com/Route53/latest/APIReference/API_ChangeResourceRecordSets.html
"""

from botocore.exceptions import ClientError

from providers.aws import errors
from providers.errors import NotFound, ProviderError, Transient
from providers.recordsets import Moved


def explain(error: Exception) -> ProviderError | None:
    """Return what an exception means, None for what is not the SDK's."""
    found = errors.explain(error, "route53")
    code = error.response["Error"].get("Code", "") if isinstance(error, ClientError) else ""
    if code == "InvalidChangeBatch":
        return Moved(str(found))
    if code == "PriorRequestNotComplete":
        return Transient("route53: another change of the zone is being taken in")
    if code in ("NoSuchHostedZone", "NoSuchChange"):
        return NotFound(str(found))
    return found
