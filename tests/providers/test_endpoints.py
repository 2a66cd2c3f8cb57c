"""What a TLS server shows, asked without trusting it."""

import socket
import ssl
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from providers import x509
from providers.base import Bundle
from providers.endpoints import chain_served
from providers.errors import Unreachable
from providers.specimens import Specimens


@pytest.fixture(scope="module")
def bundle() -> Bundle:
    now = datetime.now(UTC)
    return Specimens.make(now).bundle("localhost", now)


@contextmanager
def listening(answer: Callable[[socket.socket], object]) -> Iterator[str]:
    """Answer one connection on loopback."""

    def serve() -> None:
        connection, _ = listener.accept()
        with connection:
            answer(connection)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve)
        thread.start()
        yield f"localhost:{listener.getsockname()[1]}"
        thread.join()


@contextmanager
def serving(bundle: Bundle, folder: Path, names: list[str | None]) -> Iterator[str]:
    """Serve a bundle, and note the name that was asked for."""
    (folder / "chain.pem").write_bytes(b"".join((bundle.certificate, *bundle.chain)))
    (folder / "key.pem").write_bytes(bundle.held_key.reveal())
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "chain.pem", folder / "key.pem")
    context.sni_callback = lambda _socket, name, _context: names.append(name)

    def answer(connection: socket.socket) -> None:
        with context.wrap_socket(connection, server_side=True) as session:
            session.recv(1)

    with listening(answer) as connect:
        yield connect


def test_the_chain_is_told_as_it_is_served_though_nobody_here_trusts_it(
    bundle: Bundle, tmp_path: Path
) -> None:
    names: list[str | None] = []
    with serving(bundle, tmp_path, names) as connect:
        shown = chain_served(connect)
    whole = tuple(x509.to_der(pem) for pem in (bundle.certificate, *bundle.chain))
    assert shown == (whole if sys.version_info >= (3, 13) else whole[:1])
    assert names == ["localhost"]


def test_an_address_is_no_name_to_ask_for(bundle: Bundle, tmp_path: Path) -> None:
    names: list[str | None] = []
    with serving(bundle, tmp_path, names) as connect:
        chain_served(connect.replace("localhost", "127.0.0.1"))
    assert names == [None]


def test_who_speaks_no_tls_is_told(bundle: Bundle) -> None:
    with (
        listening(
            lambda connection: connection.sendall(b"220 mail.example.com ESMTP\r\n")
        ) as connect,
        pytest.raises(Unreachable, match=r"the handshake fails|reset"),
    ):
        chain_served(connect)


def test_who_never_answers_is_not_waited_for(bundle: Bundle) -> None:
    gone = threading.Event()
    with listening(lambda _connection: gone.wait()) as connect:
        with pytest.raises(Unreachable, match="no answer in time"):
            chain_served(connect, timeout=0.2)
        gone.set()


@pytest.mark.parametrize("connect", ["127.0.0.1:1", "127.0.0.1:99999", "nonsense", "a..b:443"])
def test_nobody_there_is_told(connect: str) -> None:
    with pytest.raises(Unreachable):
        chain_served(connect, timeout=1)
