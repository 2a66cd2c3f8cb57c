"""A real HTTP(S) server on loopback around an emulated service: it counts what is asked, and fails as told.

The service is a function from `Request` to `Response`. Faults happen on the wire, between the service
and its client, so that every emulator fails in the same ways: refused, slow, dropped, or done and
then not answered.
"""

import datetime as dt
import ipaddress
import secrets
import socket
import ssl
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from enum import Enum, auto
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat


@dataclass(frozen=True, slots=True)
class Request:
    """One request as it came; header names in lower case."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes = field(repr=False)

    @property
    def path(self) -> str:
        return urlsplit(self.target).path

    @property
    def query(self) -> dict[str, str]:
        """The query's parameters, the last of each."""
        parsed = parse_qs(urlsplit(self.target).query, keep_blank_values=True)
        return {name: values[-1] for name, values in parsed.items()}


@dataclass(frozen=True, slots=True)
class Response:
    """An answer; `parts` are a body of no length that anybody knows of, for as long as the client listens."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    parts: Iterable[bytes] | None = None


Service = Callable[[Request], Response]


class Way(Enum):
    """How a request fails."""

    REFUSED = auto()  # answered with the fault's response, and not done
    DROPPED = auto()  # the connection breaks before anything is done
    UNANSWERED = auto()  # done, then the connection breaks
    MISANSWERED = auto()  # done, then answered with the fault's response
    SLOW = auto()  # done after a while


@dataclass(slots=True)
class Fault:
    """What becomes of the next `times` requests of an operation; `times` None means of all."""

    operation: str
    way: Way
    response: Response = Response(500)
    times: int | None = 1
    seconds: float = 0.0


@dataclass(slots=True)
class Wire:
    """A running server. `operation` names what a request asks for, such as `ImportCertificate`.

    `asked` holds the operation of every request in order, also of those that failed.
    """

    service: Service
    operation: Callable[[Request], str]
    tls: "Tls | None" = None
    asked: list[str] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _server: ThreadingHTTPServer | None = None
    _connections: set[socket.socket] = field(default_factory=set)

    @property
    def port(self) -> int:
        assert self._server is not None, "the server does not run"
        return self._server.server_address[1]

    @property
    def url(self) -> str:
        return f"https://localhost:{self.port}" if self.tls else f"http://127.0.0.1:{self.port}"

    @property
    def counts(self) -> Counter[str]:
        return Counter(self.asked)

    def fail(
        self,
        operation: str,
        way: Way,
        response: Response = Response(500),
        *,
        times: int | None = 1,
        seconds: float = 0.0,
    ) -> None:
        """Let the next requests of an operation (`*`: of any) fail in one way."""
        with self._lock:
            self.faults.append(Fault(operation, way, response, times, seconds))

    def heal(self) -> None:
        """Let nothing fail any more."""
        with self._lock:
            self.faults.clear()

    @contextmanager
    def running(self) -> Iterator["Wire"]:
        """Serve on a free port of 127.0.0.1 until the end of the context."""
        server = _Server(("127.0.0.1", 0), _handler(self))
        server.daemon_threads = False  # each is waited for: no thread outlives its server
        if self.tls is not None:
            server.socket = self.tls.context().wrap_socket(server.socket, server_side=True)
        self._server = server
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        try:
            yield self
        finally:
            server.shutdown()
            self._hang_up()
            server.server_close()
            thread.join()

    def _hang_up(self) -> None:
        """End the connections that clients keep open."""
        for connection in tuple(self._connections):
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def answer(self, request: Request) -> Response | None:
        """Return the answer to a request, None where the connection is to break."""
        name = self.operation(request)
        with self._lock:
            self.asked.append(name)
            fault = self._due(name)
        if fault is None:
            return self.service(request)
        if fault.way is Way.REFUSED:
            return fault.response
        if fault.way is Way.DROPPED:
            return None
        time.sleep(fault.seconds)
        done = self.service(request)
        if fault.way is Way.MISANSWERED:
            return fault.response
        return done if fault.way is Way.SLOW else None

    def _due(self, name: str) -> Fault | None:
        for fault in self.faults:
            if fault.operation in ("*", name) and fault.times != 0:
                if fault.times is not None:
                    fault.times -= 1
                return fault
        return None


class _Server(ThreadingHTTPServer):
    def handle_error(self, request: Any, client_address: Any) -> None:
        """Tell what went wrong here; that a client has gone is its own affair."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)


def _handler(wire: Wire) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True
        timeout = 60  # seconds for which a thread waits for a client that says nothing

        def setup(self) -> None:
            super().setup()
            wire._connections.add(self.connection)

        def finish(self) -> None:
            wire._connections.discard(self.connection)
            with suppress(OSError):  # whoever asked may have gone
                super().finish()

        def _serve(self) -> None:
            length = int(self.headers.get("content-length") or 0)
            headers = {name.lower(): value for name, value in self.headers.items()}
            body = self.rfile.read(length)
            response = wire.answer(Request(self.command, self.path, headers, body))
            if response is None:
                self.close_connection = True
                self.connection.close()
                return
            self.send_response(response.status)
            for name, value in response.headers.items():
                if name.lower() not in ("content-length", "connection", "transfer-encoding"):
                    self.send_header(name, value)
            if response.parts is not None:
                self.close_connection = True
            else:
                self.send_header("Content-Length", str(len(response.body)))
            self.end_headers()
            for part in response.parts or (response.body,):
                self.wfile.write(part)

        do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_LIST = _serve  # noqa: N815

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            pass

    return Handler


UNCLAIMED = range(10_240, 32_768)
"""Ports that no system gives to a connection by itself: one that is bound later is still free then."""


def free_port() -> int:
    """Return a port of this host that nothing listens on, by TCP nor by UDP."""
    while True:
        port = UNCLAIMED.start + secrets.randbelow(len(UNCLAIMED))
        try:
            with (
                socket.create_server(("127.0.0.1", port)),
                socket.socket(type=socket.SOCK_DGRAM) as udp,
            ):
                udp.bind(("127.0.0.1", port))
        except OSError:
            continue
        return port


@dataclass(frozen=True, slots=True)
class Tls:
    """A throwaway certificate for localhost; `authority` is the file that clients trust."""

    authority: Path
    key: Path

    @classmethod
    def made(cls, folder: Path) -> "Tls":
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "emulator on loopback")])
        now = dt.datetime.now(dt.UTC)
        names: list[x509.GeneralName] = [
            x509.DNSName("localhost"),
            x509.IPAddress(ipaddress.ip_address("127.0.0.1")),
        ]
        certificate = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - dt.timedelta(minutes=5))
            .not_valid_after(now + dt.timedelta(days=2))
            .add_extension(x509.SubjectAlternativeName(names), critical=False)
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .sign(key, hashes.SHA256())
        )
        folder.mkdir(parents=True, exist_ok=True)
        made = cls(folder / "emulator-ca.pem", folder / "emulator-key.pem")
        made.authority.write_bytes(certificate.public_bytes(Encoding.PEM))
        made.key.touch(mode=0o600)
        made.key.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        return made

    def context(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.authority, self.key)
        return context

    def client(self) -> ssl.SSLContext:
        """What trusts this certificate alone."""
        return ssl.create_default_context(cafile=self.authority)
