"""A proxy that leads to this host alone (CONNECT, RFC 9110 section 9.3.6), and tells what clients sent."""

import socket
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field


@dataclass
class Tunnel:
    """A running proxy. `seen` is all that its clients sent."""

    seen: list[bytes] = field(default_factory=list)
    url: str = ""

    @classmethod
    @contextmanager
    def running(cls) -> Iterator["Tunnel"]:
        """Run it on a free port until the end of the context."""
        tunnel = cls()

        class Handler(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                tunnel.lead(self.connection)

        with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler) as server:
            tunnel.url = f"http://127.0.0.1:{server.server_address[1]}"
            thread = threading.Thread(target=server.serve_forever, args=(0.05,))
            thread.start()
            try:
                yield tunnel
            finally:
                server.shutdown()
                thread.join()

    def lead(self, client: socket.socket) -> None:
        """Lead one client to the port it asks for, until either hangs up."""
        client.settimeout(10)
        head = b""
        while b"\r\n\r\n" not in head:
            head += client.recv(4096)
        self.seen.append(head)
        port = int(head.split()[1].rpartition(b":")[2])
        with socket.create_connection(("127.0.0.1", port), timeout=10) as server:
            client.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
            back = threading.Thread(target=self._pass, args=(server, client, []))
            back.start()
            self._pass(client, server, self.seen)
            back.join()

    def _pass(self, here: socket.socket, there: socket.socket, seen: list[bytes]) -> None:
        with suppress(OSError):
            while data := here.recv(1 << 16):
                seen.append(data)
                there.sendall(data)
        with suppress(OSError):
            there.shutdown(socket.SHUT_WR)
