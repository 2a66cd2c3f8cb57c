"""How a server is spoken to: over connections that only our settings decide about.

No token, no address and no client's certificate is taken from the environment here, no redirect is
followed, since the token would go along, and no answer is read that is too large.
"""

import io
import json
import ssl
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import hvac
from requests import PreparedRequest, Response, Session
from requests.adapters import HTTPAdapter
from requests.utils import get_environ_proxies

from providers.errors import Unreachable
from providers.words import printable

LARGEST = 1 << 20
"""Octets of an answer that are read; a certificate and its chain have some thousand."""
LARGEST_CRL = 1 << 25
TIMEOUTS = (10.0, 60.0)
"""Seconds for a connection to be made, and for an answer to begin."""
_INDEX = "X-Vault-Index"
"""How far the data of the node that answered had come: on the way back, how far it has to be."""
_HIDDEN = ("secret_id", "jwt", "token")
_LONGEST = 300


@dataclass(slots=True)
class Refused(Exception):
    """An answer that is no success; `said` are the words of Vault, None where it was no Vault's."""

    status: int
    method: str
    path: str
    said: str | None
    retry_after: float | None = None

    @property
    def is_login(self) -> bool:
        """Whether it is a login that was refused."""
        return self.path.startswith("auth/") and self.path.endswith("/login")


@dataclass(slots=True)
class TooLarge(Exception):
    """An answer that is too large to be read."""

    path: str


@dataclass(slots=True)
class NoVault(Exception):
    """What answered is no Vault, or sends us elsewhere."""

    status: int


class _Line(Session):
    """Sends what hvac asks, once, and lets nothing pass that is not a Vault's answer.

    A node that lags behind what was written here says so (412) instead of answering from before it:
    https://developer.hashicorp.com/vault/docs/enterprise/consistency.
    """

    def __init__(self, address: str, bundle: bytes | None) -> None:
        super().__init__()
        self.trust_env = False  # no .netrc, no REQUESTS_CA_BUNDLE
        if address.startswith("https:"):
            self.mount("https://", _Trusting(trust(bundle)))
            self.proxies = dict(get_environ_proxies(address))

    def request(self, method: str, url: Any, *args: Any, **rest: Any) -> Response:
        """Send a request of hvac; raises `Refused`, `TooLarge`, `NoVault`."""
        asked = {**rest, "stream": True, "cert": None, "allow_redirects": False}
        path = str(url).partition("/v1/")[2]
        with super().request(method, url, *args, **asked) as answer:
            body = whole(answer, LARGEST_CRL if path.endswith("/crl") else LARGEST, path)
        told = _json(body)
        if answer.status_code in (200, 204) and (told is not None or not body):
            if seen := answer.headers.get(_INDEX):
                self.headers[_INDEX] = seen
            return _read(answer.status_code, body)
        if told is None or answer.status_code < 400:
            raise NoVault(answer.status_code)
        raise Refused(
            answer.status_code,
            method.upper(),
            path,
            _words(told, _secrets(asked)),
            _seconds(answer.headers.get("Retry-After")),
        )


class _Trusting(HTTPAdapter):
    """Verifies servers by one context, whatever requests thinks is to be trusted."""

    def __init__(self, context: ssl.SSLContext) -> None:
        self._context = context
        super().__init__()

    def init_poolmanager(self, *args: Any, **settings: Any) -> None:
        """Let direct connections use the context."""
        super().init_poolmanager(*args, **settings, ssl_context=self._context)

    def proxy_manager_for(self, proxy: str, **settings: Any) -> Any:
        """Let connections through a proxy use the context."""
        return super().proxy_manager_for(proxy, **settings, ssl_context=self._context)

    def cert_verify(self, conn: Any, url: str, verify: Any, cert: Any) -> None:
        """Add nothing to what the context trusts."""

    def send(self, request: PreparedRequest, *args: Any, **settings: Any) -> Response:
        """Send a request to a server that is verified."""
        return super().send(request, *args, **{**settings, "verify": True})


def client_of(address: str, namespace: str | None, bundle: bytes | None) -> Any:
    """Return hvac's client of a server, without a token; connects nowhere.

    An https:// server is reached through the environment's proxy, one of this host never. Raises
    `Unreachable` for a bundle (PEM) that cannot be read.
    """
    return hvac.Client(
        url=address,
        token="",
        verify=True,
        session=_Line(address, bundle),
        namespace=namespace,
        timeout=TIMEOUTS,
    )


def trust(bundle: bytes | None) -> ssl.SSLContext:
    """Return what servers are verified by: a bundle (PEM), or what this system trusts."""
    if bundle is None:
        return ssl.create_default_context()
    try:
        return ssl.create_default_context(cadata=bundle.decode("ascii"))
    except (ssl.SSLError, ValueError):
        raise Unreachable("its caBundle holds no certificates in PEM") from None


def whole(answer: Response, largest: int, path: str) -> bytes:
    """Return an answer's body, decoded; raises `TooLarge`."""
    body = bytearray()
    for part in answer.iter_content(1 << 16):
        body += part
        if len(body) > largest:
            raise TooLarge(path)
    return bytes(body)


def _read(status: int, body: bytes) -> Response:
    """Return an answer that has been read, for hvac to read."""
    answer = Response()
    answer.status_code, answer.encoding, answer.raw = status, "utf-8", io.BytesIO(body)
    return answer


def _json(body: bytes) -> dict[str, Any] | None:
    """Return a JSON object, None for anything else: a page of a proxy, for instance."""
    try:
        told = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return told if isinstance(told, dict) else None


def _secrets(asked: Mapping[str, Any]) -> Iterator[str]:
    """Yield what was sent and must not be shown, should an answer repeat it."""
    yield asked.get("headers", {}).get("X-Vault-Token", "")
    sent = asked.get("json") or {}
    yield from (str(sent.get(name, "")) for name in _HIDDEN)


def _words(told: Mapping[str, Any], secrets: Iterator[str]) -> str | None:
    """Return the errors that Vault tells, fit to be shown, and without any secret that was sent."""
    errors = told.get("errors")
    if not isinstance(errors, list):
        return None
    text = " ".join("; ".join(map(str, errors)).split())
    for secret in filter(None, secrets):
        text = text.replace(secret, "(secret)")
    return printable(text, _LONGEST)


def _seconds(value: str | None) -> float | None:
    return float(value[:9]) if value and value.isascii() and value.isdigit() else None
