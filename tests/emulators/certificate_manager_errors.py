"""What Certificate Manager answers when it refuses: google.rpc.Status as JSON (AIP-193)."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from wire import Response

HTTP = {
    "INVALID_ARGUMENT": 400,
    "FAILED_PRECONDITION": 400,
    "UNAUTHENTICATED": 401,
    "PERMISSION_DENIED": 403,
    "NOT_FOUND": 404,
    "ALREADY_EXISTS": 409,
    "ABORTED": 409,
    "RESOURCE_EXHAUSTED": 429,
    "INTERNAL": 500,
    "UNAVAILABLE": 503,
}
RPC = {
    "INVALID_ARGUMENT": 3,
    "NOT_FOUND": 5,
    "ALREADY_EXISTS": 6,
    "PERMISSION_DENIED": 7,
    "RESOURCE_EXHAUSTED": 8,
    "FAILED_PRECONDITION": 9,
    "ABORTED": 10,
    "INTERNAL": 13,
    "UNAVAILABLE": 14,
    "UNAUTHENTICATED": 16,
}


@dataclass
class Refusal(Exception):
    """One refusal; `status` is a canonical code such as `FAILED_PRECONDITION`."""

    status: str
    message: str
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def response(self) -> Response:
        code = HTTP[self.status]
        error = {"code": code, "message": self.message, "status": self.status}
        return Response(code, json.dumps({"error": error}).encode(), self.headers)


def invalid(message: str) -> Refusal:
    return Refusal("INVALID_ARGUMENT", message)


def precondition(message: str) -> Refusal:
    return Refusal("FAILED_PRECONDITION", message)


def missing(name: str) -> Refusal:
    return Refusal("NOT_FOUND", f"Resource '{name}' was not found")
