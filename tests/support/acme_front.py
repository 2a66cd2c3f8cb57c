"""Who stands between certform and Pebble: passes all on, unless it is to be lost or answered otherwise.

Pebble takes the front's address for its own, since it goes by the Host that it is asked for. What is
asked is told by what it is for: `newOrder`, `finalize`, `order`, `authorization` and so on.
"""

import base64
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request as Asked
from urllib.request import urlopen

from pebble import Pebble
from wire import Request, Response, Wire

_PURPOSES = {
    "dir": "directory",
    "nonce-plz": "newNonce",
    "sign-me-up": "newAccount",
    "order-plz": "newOrder",
    "my-order": "order",
    "finalize-order": "finalize",
    "authZ": "authorization",
    "chalZ": "challenge",
    "certZ": "certificate",
    "revoke-cert": "revokeCert",
}
Answered = Callable[[Request], Response | None]


@dataclass
class Front:
    """A front that runs. `instead` answers in the CA's place, where it returns something."""

    ca: Pebble
    instead: Answered = lambda _: None
    wire: Wire = field(init=False)
    sent: list[tuple[str, Any]] = field(default_factory=list)
    """What was asked for, and the JSON that was signed, None for an empty payload."""

    @classmethod
    @contextmanager
    def running(cls, ca: Pebble) -> Iterator["Front"]:
        """Run a front until the end of the context."""
        front = cls(ca)
        front.wire = Wire(front._serve, purpose, ca.tls)
        with front.wire.running():
            yield front

    @property
    def url(self) -> str:
        """The directory."""
        return f"{self.wire.url}/dir"

    @property
    def anchors(self) -> bytes:
        return self.ca.anchors

    @property
    def web_port(self) -> int:
        return self.ca.web_port

    def directory(self, **more: object) -> Answered:
        """Return what answers with a directory that says more than Pebble's."""
        base = self.wire.url
        said = {
            "newNonce": f"{base}/nonce-plz",
            "newAccount": f"{base}/sign-me-up",
            "newOrder": f"{base}/order-plz",
            "revokeCert": f"{base}/revoke-cert",
            **more,
        }
        answer = Response(200, json.dumps(said).encode(), {"Content-Type": "application/json"})
        return lambda request: answer if request.path == "/dir" else None

    def payloads(self, what: str) -> list[Any]:
        """Return what was signed for one purpose, in order."""
        return [payload for name, payload in self.sent if name == what]

    def _serve(self, request: Request) -> Response:
        self.sent.append((purpose(request), payload(request)))
        return self.instead(request) or self.passed(request)

    def passed(self, request: Request) -> Response:
        """Ask the CA, and return its answer."""
        url = f"https://localhost:{self.ca.port}{request.target}"
        kept = {
            n: v for n, v in request.headers.items() if n not in ("connection", "accept-encoding")
        }
        asked = Asked(url, request.body or None, kept, method=request.method)
        try:
            with urlopen(asked, timeout=30, context=self.ca.tls.client()) as answer:
                return Response(answer.status, answer.read(), dict(answer.headers.items()))
        except HTTPError as why:
            with why:
                return Response(why.code, why.read(), dict(why.headers.items()))


def purpose(request: Request) -> str:
    """Return what a request is for."""
    first = request.path.strip("/").split("/")[0]
    return _PURPOSES.get(first, first)


def payload(request: Request) -> Any:
    """Return the JSON that was signed."""
    try:
        text = json.loads(request.body)["payload"]
    except ValueError:
        return None
    return json.loads(base64.urlsafe_b64decode(f"{text}===") or b"null")


def problem(status: int, code: str, detail: str = "", **headers: str) -> Response:
    """Return a refusal, as a CA words it."""
    body = json.dumps({"type": f"urn:ietf:params:acme:error:{code}", "detail": detail})
    said = {"Content-Type": "application/problem+json"}
    return Response(
        status, body.encode(), {**said, **{k.replace("_", "-"): v for k, v in headers.items()}}
    )
