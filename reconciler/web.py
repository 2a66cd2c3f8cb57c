"""A small web server for trying: it shows a published directory to this machine alone, read only."""

import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import BoundedSemaphore, Thread
from typing import Any, ClassVar

from reconciler.showcase import Answer, Showcase

_LONGEST_REQUEST = 1 << 16
"""Bytes of an OCSP request."""
_PATIENCE = 10.0
"""Seconds that who asks may take to say what."""
_AT_ONCE = 64
"""Who asks beyond that many is hung up on: each has a thread of its own."""


class Server(ThreadingHTTPServer):
    """Listens at one address of this machine."""

    daemon_threads = True
    request_queue_size = _AT_ONCE

    def __init__(self, address: str, port: int, asked: type["Asked"]) -> None:
        self.address_family = socket.AF_INET6 if ":" in address else socket.AF_INET
        self._places = BoundedSemaphore(_AT_ONCE)
        super().__init__((address, port), asked)

    def process_request(self, request: Any, client_address: Any) -> None:
        """Answer in a thread of its own, or hang up where there are too many."""
        if not self._places.acquire(blocking=False):
            self.shutdown_request(request)
            return
        super().process_request(request, client_address)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """Answer, and make room for the next one."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._places.release()


class Asked(BaseHTTPRequestHandler):
    """One request. What is shown, and who is told of it, are the class's own."""

    showcase: ClassVar[Showcase]
    tell: ClassVar[Callable[[str], None]]
    protocol_version = "HTTP/1.1"
    server_version = "certform"
    sys_version = ""
    timeout = _PATIENCE

    def do_GET(self) -> None:
        """Show a file."""
        known = self.headers.get("If-None-Match", "")
        self._send(self.showcase.get(self.path, datetime.now(UTC), known))

    def do_HEAD(self) -> None:
        """Tell of a file without its content."""
        self.do_GET()

    def do_POST(self) -> None:
        """Answer an OCSP request."""
        length = self.headers.get("Content-Length", "")
        if not length.isascii() or not length.isdigit() or int(length) > _LONGEST_REQUEST:
            self.close_connection = True
            self._send(Answer(HTTPStatus.REQUEST_ENTITY_TOO_LARGE))
            return
        self._send(self.showcase.post(self.rfile.read(int(length))))

    def _send(self, answer: Answer) -> None:
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        if answer.status is not HTTPStatus.NOT_MODIFIED:  # of which that would be the whole file's
            self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(answer.body)

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """Refuse; a path that is too long is one that shows nothing."""
        long = code == HTTPStatus.REQUEST_URI_TOO_LONG
        super().send_error(HTTPStatus.NOT_FOUND if long else code, message, explain)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - http.server's own name
        """Tell what was asked for."""
        type(self).tell(format % args)


@contextmanager
def serving(showcase: Showcase, port: int, tell: Callable[[str], None]) -> Iterator[int]:
    """Serve at 127.0.0.1, and ::1 where there is IPv6; yields the port. Raises OSError where it is taken."""
    asked = type("AskedHere", (Asked,), {"showcase": showcase, "tell": staticmethod(tell)})
    servers = [Server("127.0.0.1", port, asked)]
    chosen = int(servers[0].server_address[1])
    with suppress(OSError):
        servers.append(Server("::1", chosen, asked))
    for server in servers:
        Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield chosen
    finally:
        for server in servers:
            server.shutdown()
            server.server_close()
