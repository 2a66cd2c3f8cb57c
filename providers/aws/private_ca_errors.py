"""What AWS Private CA answers besides what every service does."""

from botocore.exceptions import ClientError

from providers.aws import errors
from providers.errors import Conflict, ProviderError, Rejected, Transient

_HINTS = {
    "AccessDeniedException": "; certform needs acm-pca:DescribeCertificateAuthority, IssueCertificate,"
    " GetCertificate and, to revoke, RevokeCertificate",
}


class InProgress(Conflict):
    """The certificate is ordered and not issued yet."""


class AlreadyRevoked(Conflict):
    """The certificate is revoked."""


def explain(error: Exception) -> ProviderError | None:
    """Return what an exception means, None for what is not the SDK's.

    https://docs.aws.amazon.com/privateca/latest/APIReference/API_IssueCertificate.html#API_IssueCertificate_Errors
    """
    code = error.response["Error"].get("Code", "") if isinstance(error, ClientError) else ""
    if code == "RequestInProgressException":
        return InProgress("it is not issued yet")
    if code == "RequestAlreadyProcessedException":
        return AlreadyRevoked("it is revoked already")
    if code == "RequestFailedException":
        return Rejected(
            "acm-pca: AWS says that the request has failed; its audit report may say why"
        )
    if code == "ConcurrentModificationException":
        return Transient("acm-pca: a previous change is going on")
    if code == "InvalidStateException":
        return Conflict("acm-pca: the CA is in a state in which it cannot do that: see its status")
    found = errors.explain(error, "acm-pca")
    return type(found)(f"{found}{_HINTS[code]}") if found and code in _HINTS else found
