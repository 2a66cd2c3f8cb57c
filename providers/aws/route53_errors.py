"""What Route 53 answers besides what every service does.

https://docs.aws.amazon.com/Route53/latest/APIReference/API_ChangeResourceRecordSets.html
"""

from typing import Any

from botocore.exceptions import ClientError

from providers.aws import errors
from providers.errors import NotFound, ProviderError, Transient
from providers.recordsets import Moved


def explain(error: Exception) -> ProviderError | None:
    """Return what an exception means, None for what is not the SDK's."""
    told = _read(error) if isinstance(error, ClientError) else error
    found = errors.explain(told, "route53")
    code = told.response["Error"].get("Code", "") if isinstance(told, ClientError) else ""
    if code == "InvalidChangeBatch":
        return Moved(str(found))
    if code == "PriorRequestNotComplete":
        return Transient("route53: another change of the zone is being taken in")
    if code in ("NoSuchHostedZone", "NoSuchChange"):
        return NotFound(str(found))
    return found


def _read(error: ClientError) -> ClientError:
    """Return an error with its code: the SDK reads one of the two forms in which a batch is refused."""
    answer: Any = error.response
    if answer["Error"].get("Code") or not isinstance(answer.get("Messages"), dict):
        return error
    said = answer["Messages"].get("Message", "")
    text = said if isinstance(said, str) else "the SDK tells no more"  # it reads no two messages
    whole: Any = {**answer, "Error": {"Code": "InvalidChangeBatch", "Message": text}}
    return ClientError(whole, error.operation_name)
