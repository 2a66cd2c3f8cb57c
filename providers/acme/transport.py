"""HTTPS to a CA that nobody vouches for: bounded in size, in time and in where it leads.

No file is needed for a `caBundle`: the TLS context is made from its bytes. What speaks to the network is
the library `requests`; proxies are taken from the environment, credentials (.netrc) and cookies never.
"""

import socket
import ssl
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from http.cookiejar import DefaultCookiePolicy
from threading import Timer
from typing import Any
from urllib.parse import urljoin, urlsplit

import requests
from requests.adapters import HTTPAdapter
from requests.models import PreparedRequest
from urllib3.connection import HTTPSConnection

from providers.errors import Ambiguous, Conflict, Denied

LARGEST = 256 * 1024
"""Bytes of an answer; a long chain is a tenth of it."""
REDIRECTS = 3
SIDE_BY_SIDE = 32
"""Connections that are kept; advice on many certificates is asked for side by side."""
_TIMEOUT = (10.0, 30.0)
"""Seconds to connect, and until the next part of an answer."""
_LONGEST = 60.0
"""Seconds that an answer may take in all."""
_PART = 16 * 1024
_LEADING = frozenset({301, 302, 303, 307, 308})


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: `headers` know no case."""

    url: str
    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def ok(self) -> bool:
        """Whether it is an answer and no refusal."""
        return 200 <= self.status < 300


class _Connection(HTTPSConnection):
    """Hangs up on a server whose headers trickle in: the time-out of a socket is that of a part alone."""

    def getresponse(self) -> Any:
        """Return the answer, its body not read yet."""
        began, watch = time.monotonic(), Timer(_LONGEST, _hang_up, (self.sock,))
        watch.start()
        try:
            answer = super().getresponse()
        finally:
            watch.cancel()
        if time.monotonic() - began >= _LONGEST:
            answer.close()  # http.client took the end for that of the headers
            raise TimeoutError
        return answer


def _hang_up(line: socket.socket | None) -> None:
    if line is not None:
        with suppress(OSError):
            # past TLS, which another thread is reading from
            socket.socket.shutdown(line, socket.SHUT_RDWR)


class _Tls(HTTPAdapter):
    """Judges the server by one TLS context, and by no other list of CAs."""

    def __init__(self, context: ssl.SSLContext) -> None:
        self._context = context
        super().__init__(pool_maxsize=SIDE_BY_SIDE)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, ssl_context=self._context, **kwargs)

    def proxy_manager_for(self, proxy: str, **kwargs: Any) -> Any:
        return super().proxy_manager_for(proxy, ssl_context=self._context, **kwargs)

    def build_connection_pool_key_attributes(
        self, request: PreparedRequest, verify: Any, cert: Any = None
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        host, _ = super().build_connection_pool_key_attributes(request, verify, cert)
        return host, {"ssl_context": self._context, "cert_reqs": "CERT_REQUIRED"}

    def get_connection_with_tls_context(self, *args: Any, **kwargs: Any) -> Any:
        pool = super().get_connection_with_tls_context(*args, **kwargs)
        pool.ConnectionCls = _Connection
        return pool

    def cert_verify(self, *_: Any) -> None:
        """The context judges: no list of CAs is added to it."""


class _Session(requests.Session):
    """Leaves redirects to us: requests reads the whole body of one, however long, even to follow none."""

    def get_redirect_target(self, resp: requests.Response) -> None:
        """Know of none."""


def tls_context(anchors: bytes | None, path: str | None = None) -> ssl.SSLContext:
    """Return a context that believes the anchors (PEM), or without any those of this host."""
    if anchors is None:
        return ssl.create_default_context()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    try:
        context.load_verify_locations(cadata=anchors.decode("ascii"))
    except (ssl.SSLError, ValueError):
        raise Denied(f"caBundle: {path} holds no certificates in PEM") from None
    return context


class Transport:
    """Asks one CA; what only reads may do so from several threads. `clock` gives seconds."""

    def __init__(
        self, context: ssl.SSLContext, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._clock = clock
        self._session = _Session()
        self._session.auth = _nobody
        self._session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        self._session.adapters.clear()
        self._session.mount("https://", _Tls(context))
        self._session.headers.update({"User-Agent": "certform", "Accept-Encoding": "identity"})

    def close(self) -> None:
        """Let go of the connections."""
        self._session.close()

    def head(self, url: str) -> Answer:
        """Ask for the headers alone."""
        return self._send("HEAD", url, {}, None)

    def get(self, url: str) -> Answer:
        """Read what is at an address; redirects lead nowhere but to the same host."""
        at = url
        for _ in range(REDIRECTS + 1):
            answer = self._send("GET", at, {}, None)
            if answer.status not in _LEADING:
                return answer
            at = _next(answer)
        raise Conflict(f"{told(url)} leads from one address to the next, and no answer is there")

    def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        """Send a body; it was signed for this address, so no redirect is followed."""
        return self._send("POST", url, headers, body)

    def _send(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes | None
    ) -> Answer:
        with self._session.request(
            method,
            url,
            data=body,
            headers=dict(headers),
            timeout=_TIMEOUT,
            allow_redirects=False,
            stream=True,
        ) as response:
            return Answer(url, response.status_code, response.headers, self._body(response))

    def _body(self, response: requests.Response) -> bytes:
        """Read a body part by part: neither an endless one nor one that never ends holds us up."""
        end, body = self._clock() + _LONGEST, bytearray()
        if response.headers.get("Content-Encoding", "identity").lower() != "identity":
            raise Conflict(f"{told(response.url)} answers compressed, which was not asked for")
        while part := response.raw.read1(_PART, decode_content=False):
            body += part
            if len(body) > LARGEST:
                raise Conflict(f"{told(response.url)} answers with more than {LARGEST} bytes")
            if self._clock() > end:
                raise Ambiguous(f"{told(response.url)} has not answered within {_LONGEST:.0f}s")
        return bytes(body)


def told(url: str | bytes | None) -> str:
    """Return an address as it is told in an error: whose it is, and no more."""
    try:
        where = urlsplit(str(url)).netloc[:100]
    except ValueError:
        where = ""
    return where if where.isprintable() and where else "the CA"


def _next(answer: Answer) -> str:
    """Return where a redirect leads; raises `Conflict` where that is not the same host by HTTPS."""
    try:
        there = urljoin(answer.url, answer.headers.get("Location", ""))
        own = urlsplit(there)[:2] == ("https", urlsplit(answer.url).netloc)
    except ValueError:
        own = False
    if not own:
        raise Conflict(f"{told(answer.url)} leads to another host, which is not followed")
    return there


def _nobody(request: PreparedRequest) -> PreparedRequest:
    """Log in as nobody: without this, requests looks into .netrc."""
    return request
