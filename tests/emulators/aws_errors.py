"""What AWS answers when it refuses: an error that an operation raises, and how it looks on the wire."""

import json
from dataclasses import dataclass, field

from wire import Response


@dataclass(eq=False)
class Refusal(Exception):
    """An error of AWS; `code` is what SDKs call its code."""

    code: str
    message: str
    status: int = 400
    headers: dict[str, str] = field(default_factory=dict)

    def as_json(self) -> Response:
        """The error as the json 1.1 protocol has it."""
        body = json.dumps({"__type": self.code, "message": self.message}).encode()
        return Response(self.status, body, {"x-amzn-ErrorType": self.code, **self.headers})

    def as_query(self) -> Response:
        """The error as XML has it (STS, Route 53)."""
        body = (
            f"<ErrorResponse><Error><Type>Sender</Type><Code>{self.code}</Code>"
            f"<Message>{self.message}</Message></Error><RequestId>1</RequestId></ErrorResponse>"
        )
        return Response(self.status, body.encode(), {"content-type": "text/xml", **self.headers})


def invalid(message: str) -> Refusal:
    return Refusal("ValidationException", message)
