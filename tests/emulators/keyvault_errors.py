"""The errors of Key Vault, as its REST API words them.

https://learn.microsoft.com/azure/key-vault/general/rest-error-codes
"""

import json
from collections.abc import Mapping

from wire import Response


class Refusal(Exception):
    """What an operation is answered with instead of its result."""

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        inner: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.response = error(status, code, message, inner, headers)


def error(
    status: int,
    code: str,
    message: str,
    inner: str | None = None,
    headers: Mapping[str, str] | None = None,
) -> Response:
    body: dict[str, object] = {"code": code, "message": message}
    if inner is not None:
        body["innererror"] = {"code": inner}
    return answer({"error": body}, status, headers)


def answer(body: object, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    kind = {"Content-Type": "application/json; charset=utf-8"}
    return Response(status, json.dumps(body).encode(), {**kind, **(headers or {})})


def not_found(name: str) -> Refusal:
    return Refusal(
        404,
        "CertificateNotFound",
        f"A certificate with (name/id) {name} was not found in this key vault.",
    )


def no_pending(name: str) -> Refusal:
    return Refusal(404, "PendingCertificateNotFound", f"Pending certificate not found: {name}")


def bad(message: str) -> Refusal:
    return Refusal(400, "BadParameter", message)


def in_deleted_state(name: str) -> Refusal:
    return Refusal(
        409,
        "Conflict",
        f"Certificate {name} is currently in a deleted but recoverable state, and its name cannot be "
        "reused; in this state, the certificate can only be recovered or purged.",
        "ObjectIsDeletedButRecoverable",
    )


def being(name: str, what: str) -> Refusal:
    return Refusal(
        409,
        "Conflict",
        f"Certificate {name} is currently being {what.lower()}.",
        f"ObjectIsBeing{what}",
    )


def in_progress() -> Refusal:
    return Refusal(
        409,
        "Forbidden",
        "A new key vault certificate can not be created or imported while a pending key vault "
        "certificate's status is inProgress.",
    )


def forbidden(permission: str, *, rbac: bool) -> Refusal:
    if rbac:
        message = (
            "Caller is not authorized to perform action on resource.\r\n"
            f"Action: 'Microsoft.KeyVault/vaults/certificates/{permission}'\r\n"
        )
        return Refusal(403, "Forbidden", message, "ForbiddenByRbac")
    message = (
        "The user, group or application 'appid=00000000-0000-0000-0000-00000000000a' does not have "
        f"certificates {permission} permission on key vault 'emulated;location=westeurope'."
    )
    return Refusal(403, "Forbidden", message, "ForbiddenByPolicy")


def throttled(seconds: float) -> Refusal:
    return Refusal(
        429,
        "Throttled",
        "Request was not processed because too many requests were received. "
        "Reason: VaultRequestTypeLimitReached",
        headers={"Retry-After": f"{seconds:.0f}"},
    )
