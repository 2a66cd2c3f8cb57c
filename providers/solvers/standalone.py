"""HTTP-01 by a web server of our own, which runs for as long as it has a file to answer with.

Every solver of one process that listens on one address shares one server: a port can be had only once.
"""

import socket
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from socketserver import TCPServer, ThreadingMixIn
from typing import Any, Self

from providers.solvers.listening import listen
from providers.solvers.webroot import FOLDERS, checked
from providers.solving import SolverConfig, WebFile
from schemas.solvers import Standalone

_PREFIX = "/" + "/".join(FOLDERS) + "/"
_PATIENCE = 5.0
"""Seconds that a client has for its request."""
_MOST_CLIENTS = 64


class _Answer(BaseHTTPRequestHandler):
    """Answers a presented file by its exact path, and nothing else, whatever host was asked for."""

    server: "_Server"
    timeout = _PATIENCE
    server_version = "certform"
    sys_version = ""

    def do_GET(self) -> None:
        """Answer with a file."""
        asked = self.requestline.split()[1]  # `path` is what http.server has made of it
        content = self.server.files.get(asked)
        self.send_response(404 if content is None else 200)
        self.send_header("Content-Type", "application/octet-stream")
        self.send_header("Content-Length", str(len(content or b"")))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content or b"")

    do_HEAD = do_GET  # noqa: N815  http.server's name

    def log_message(self, *_: object) -> None:
        """Say nothing."""


class _Server(ThreadingMixIn, TCPServer):
    """One server; `files` are contents by path. Each client has a thread, and there are only so many."""

    def __init__(self, address: str) -> None:
        super().__init__(("", 0), _Answer, bind_and_activate=False)
        self.socket.close()
        self.socket = listen(address)
        self.files: dict[str, bytes] = {}
        self._clients: set[socket.socket] = set()
        self._lock = threading.Lock()
        self._thread = threading.Thread(
            target=self.serve_forever, args=(0.05,), name=f"acme http-01 {address}", daemon=True
        )
        self._thread.start()

    def verify_request(self, request: Any, client_address: Any) -> bool:  # noqa: ARG002  socketserver's
        """Whether there is room for one more client."""
        with self._lock:
            if len(self._clients) >= _MOST_CLIENTS:
                return False
            self._clients.add(request)
            return True

    def shutdown_request(self, request: Any) -> None:
        """Let a client go."""
        with self._lock:
            self._clients.discard(request)
        super().shutdown_request(request)

    def handle_error(self, *_: object) -> None:
        """Say nothing of a client that went away."""

    def stop(self) -> None:
        """Stop listening, hang up on whoever is still there, and wait until every thread has ended."""
        self.shutdown()
        with self._lock:
            clients = tuple(self._clients)
        for client in clients:
            _hang_up(client)
        self.server_close()
        self._thread.join()


def _hang_up(client: socket.socket) -> None:
    try:
        client.shutdown(socket.SHUT_RDWR)
    except OSError:  # it was quicker
        return


@dataclass(slots=True)
class _Servers:
    """The servers of this process by the address they listen on."""

    running: dict[str, _Server] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, address: str, path: str, content: bytes) -> None:
        """Have a file answered, by a server that is started where none runs."""
        with self.lock:
            if address not in self.running:
                self.running[address] = _Server(address)
            self.running[address].files[path] = content

    def remove(self, address: str, path: str) -> None:
        """Have a file answered no more; the server stops with the last one."""
        with self.lock:
            server = self.running.get(address)
            if server is None:
                return
            server.files.pop(path, None)
            if not server.files:
                del self.running[address]
                server.stop()


_SERVERS = _Servers()


@dataclass(frozen=True, slots=True)
class StandaloneSolver:
    """Answers by itself what a CA asks for."""

    settings: Standalone

    @classmethod
    def from_config(cls, config: SolverConfig, /) -> Self:
        """Make the solver; reads nothing and connects nowhere."""
        return cls(config.of(Standalone))

    def present(self, file: WebFile, /) -> None:
        """Have the file answered; `Conflict` where something else of this host has the port."""
        path = _PREFIX + checked(file).token
        _SERVERS.add(self.settings.listen, path, file.content.encode())

    def clean_up(self, file: WebFile, /) -> None:
        """Have it answered no more; after the last one nothing listens."""
        _SERVERS.remove(self.settings.listen, _PREFIX + checked(file).token)
