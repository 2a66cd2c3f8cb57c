"""What an exception of the AWS SDK means; nothing that may quote a request goes into a text."""

import re

from botocore.exceptions import (
    BotoCoreError,
    ChecksumError,
    ClientError,
    ConnectTimeoutError,
    CredentialRetrievalError,
    EndpointConnectionError,
    HTTPClientError,
    IncompleteReadError,
    LoginError,
    NoCredentialsError,
    ParamValidationError,
    PartialCredentialsError,
    ProfileNotFound,
    ProxyConnectionError,
    SSLError,
    SSOError,
    TokenRetrievalError,
)
from botocore.parsers import ResponseParserError

from providers.errors import (
    Ambiguous,
    Conflict,
    Denied,
    InUse,
    NotFound,
    ProviderError,
    QuotaExceeded,
    Rejected,
    Throttled,
    Transient,
)


class NoSuchOperation(Rejected):
    """An endpoint does not know an operation, which tells nothing of what is there."""


_UNANSWERED = (
    HTTPClientError,
    SSLError,
    ChecksumError,
    IncompleteReadError,
    ResponseParserError,
)
_NOT_SENT = (EndpointConnectionError, ConnectTimeoutError, ProxyConnectionError)
_NO_CREDENTIALS = (
    NoCredentialsError,
    PartialCredentialsError,
    CredentialRetrievalError,
    TokenRetrievalError,
    ProfileNotFound,
    SSOError,
    LoginError,
)
_DENIED = {
    "AccessDenied",
    "AccessDeniedException",
    "UnauthorizedOperation",
    "NotAuthorized",
    "OptInRequired",
}
_STALE = {"ExpiredToken", "ExpiredTokenException", "RequestExpired", "TokenRefreshRequired"}
_UNKNOWN = {
    "UnrecognizedClientException",
    "InvalidClientTokenId",
    "InvalidSignatureException",
    "SignatureDoesNotMatch",
    "IncompleteSignature",
    "MissingAuthenticationToken",
    "MissingAuthenticationTokenException",
}
_THROTTLED = {
    "Throttling",
    "ThrottlingException",
    "ThrottledException",
    "RequestThrottled",
    "RequestThrottledException",
    "RequestLimitExceeded",
    "TooManyRequestsException",
}
_CLASSES: dict[str, type[ProviderError]] = {
    "UnknownOperationException": NoSuchOperation,
    "UnknownOperation": NoSuchOperation,
    "InvalidAction": NoSuchOperation,
    "ResourceNotFoundException": NotFound,
    "ResourceInUseException": InUse,
    "LimitExceededException": QuotaExceeded,
    "TooManyTagsException": QuotaExceeded,
    "ConflictException": Conflict,
    "RequestInProgressException": Conflict,
    "NotFoundException": NotFound,
    "DisabledException": Conflict,
    "KMSInvalidStateException": Conflict,
    "InvalidKeyUsageException": Conflict,
    "IDPCommunicationError": Transient,
}
_SERVICES = {
    "GetResources": "tag",
    "AssumeRole": "sts",
    "AssumeRoleWithWebIdentity": "sts",
    "GetRoleCredentials": "sso",
    "GetPublicKey": "kms",
    "Sign": "kms",
}
_SUSPECT = re.compile(r"-----|[A-Za-z0-9+/=]{60}")
_LONGEST = 400


def explain(error: Exception, service: str = "acm") -> ProviderError | None:
    """Return what an SDK's exception means, None for what is not the SDK's.

    `service` is the one whose permissions are named where an operation does not tell.

    https://docs.aws.amazon.com/acm/latest/APIReference/CommonErrors.html
    """
    if isinstance(error, ClientError):
        return _refusal(error, service)
    if isinstance(error, _NO_CREDENTIALS):
        return Denied(
            f"there are no usable AWS credentials ({_kind(error)}): log in, or give the job a role"
        )
    if isinstance(error, ParamValidationError):
        return Rejected("the AWS SDK refuses a request as malformed; its words may quote a key")
    if isinstance(error, _NOT_SENT):
        return Transient(f"AWS cannot be reached ({_kind(error)})")
    if isinstance(error, _UNANSWERED):
        return Ambiguous(f"AWS gave no answer that can be read ({_kind(error)})")
    if isinstance(error, BotoCoreError):
        return Rejected(
            f"the AWS SDK cannot work as it is configured ({_kind(error)}):"
            " see the profile, and the variables that begin with AWS_"
        )
    return None


def _refusal(error: ClientError, service: str) -> ProviderError:
    code = str(error.response.get("Error", {}).get("Code", ""))
    action = f"{_SERVICES.get(error.operation_name, service)}:{error.operation_name}"
    text = f"{action}: {code}: {_plain(error)}"
    status = int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
    if code in _STALE:
        return Denied(f"{action}: the AWS credentials have expired: log in again")
    if code in _UNKNOWN:
        return Denied(f"{action}: AWS does not know the credentials, or the clock is wrong: {code}")
    if code in _DENIED:
        return Denied(f"the AWS credentials lack {action}: {_plain(error)}")
    if code in _THROTTLED or status == 429:
        return Throttled(f"{action}: too many calls", _retry_after(error))
    if status >= 500:
        return Ambiguous(text)
    kind = _CLASSES.get(code, Rejected)
    return kind(f"{text}; have the quota raised, or make room" if kind is QuotaExceeded else text)


def _retry_after(error: ClientError) -> float | None:
    headers = error.response.get("ResponseMetadata", {}).get("HTTPHeaders", {})
    asked = str(headers.get("retry-after", ""))
    return float(asked) if asked.isdigit() else None


def _plain(error: ClientError) -> str:
    """The service's own message, unless it may quote what was sent."""
    message = " ".join(str(error.response.get("Error", {}).get("Message", "")).split())
    if _SUSPECT.search(message):
        return "its message is left out, since it may quote the request"
    return message[:_LONGEST]


def _kind(error: Exception) -> str:
    return type(error).__name__
