"""HTTPS to a CA that nobody vouches for: bounded in size, time and direction, judged by the right anchors."""

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import acme_ca_rig
import pytest
from acme_ca_rig import Buyer
from acme_front import Front
from wire import Request, Response, Tls, Wire

from providers.acme import transport
from providers.acme.errors import explain
from providers.acme.network import Network
from providers.acme.transport import LARGEST, Transport, tls_context
from providers.calls import Calls
from providers.errors import Ambiguous, Conflict, Denied, NotFound, ProviderError, Transient


@pytest.fixture(scope="module")
def tls(tmp_path_factory: pytest.TempPathFactory) -> Tls:
    return Tls.made(tmp_path_factory.mktemp("tls"))


@contextmanager
def _answering(tls: Tls, service: Callable[[Request], Response]) -> Iterator[Wire]:
    wire = Wire(service, lambda request: request.path, tls)
    with wire.running():
        yield wire


def _transport(tls: Tls, clock: Callable[[], float] | None = None) -> Transport:
    context = tls_context(tls.authority.read_bytes())
    return Transport(context, clock) if clock else Transport(context)


def _got(asking: Transport, url: str) -> bytes:
    try:
        return Calls(explain, patience=0).read(lambda: asking.get(url)).body
    finally:
        asking.close()


def test_an_answer_that_is_too_large_is_not_read_to_its_end(tls: Tls) -> None:
    sizes = {"/fits": LARGEST, "/large": LARGEST + 1, "/pem": 1024 * 1024}
    with _answering(tls, lambda request: Response(200, b"x" * sizes[request.path])) as wire:
        assert len(_got(_transport(tls), f"{wire.url}/fits")) == LARGEST
        for path in ("/large", "/pem"):
            with pytest.raises(Conflict, match=f"more than {LARGEST} bytes"):
                _got(_transport(tls), f"{wire.url}{path}")


def test_a_compressed_answer_is_not_unpacked(tls: Tls) -> None:
    packed = Response(200, b"\x1f\x8b" + b"x" * 100, {"Content-Encoding": "gzip"})
    with (
        _answering(tls, lambda _: packed) as wire,
        pytest.raises(Conflict, match="answers compressed"),
    ):
        _got(_transport(tls), wire.url)


def test_an_address_that_is_no_directory_is_told_as_that(tls: Tls) -> None:
    with _answering(tls, lambda _: Response(404)) as wire:
        asking = Network(f"{wire.url}/dir", _transport(tls))
        with pytest.raises(NotFound, match="HTTP 404; `server` is not the CA's directory"):
            _ = asking.directory
        asking.transport.close()


@contextmanager
def _raw(tls: Tls, write: Callable[[ssl.SSLSocket], None]) -> Iterator[str]:
    """Listen, and let each client be answered by `write`; yield the address."""
    done = threading.Event()

    def serve() -> None:
        with tls.context().wrap_socket(server, server_side=True) as listening:
            while not done.is_set():
                try:
                    client, _ = listening.accept()
                except OSError:
                    return
                with client:
                    try:
                        client.recv(65_536)
                        write(client)
                    except OSError:
                        continue

    server = socket.create_server(("127.0.0.1", 0))
    port = server.getsockname()[1]
    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield f"https://localhost:{port}/"
    finally:
        done.set()
        # refused where the thread has seen it already
        with suppress(ConnectionRefusedError), socket.create_connection(("127.0.0.1", port)):
            pass
        thread.join()


@pytest.mark.parametrize("status", ["200 OK", "302 Found\r\nLocation: /elsewhere"])
@pytest.mark.parametrize("chunked", [True, False])
def test_an_endless_answer_ends(tls: Tls, status: str, *, chunked: bool) -> None:
    def endless(client: ssl.SSLSocket) -> None:
        how = "Transfer-Encoding: chunked\r\n" if chunked else ""
        client.sendall(f"HTTP/1.1 {status}\r\n{how}\r\n".encode())
        while True:
            part = b"x" * 1024
            client.sendall(b"400\r\n" + part + b"\r\n" if chunked else part)

    with _raw(tls, endless) as url, pytest.raises(Conflict, match="more than"):
        _got(_transport(tls), url)


def test_an_answer_that_trickles_in_ends(tls: Tls) -> None:
    """The clock leaps with each part that comes in."""

    def trickle(client: ssl.SSLSocket) -> None:
        client.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n")
        for _ in range(99):
            client.sendall(b"x")
            if client.recv(1) == b"":  # it has hung up
                return

    ticks = iter(range(0, 1_000_000, 100))
    with (
        _raw(tls, trickle) as url,
        pytest.raises(Ambiguous, match="has not answered within 60s"),
    ):
        _got(_transport(tls, lambda: next(ticks)), url)


def test_headers_that_trickle_in_end(tls: Tls, monkeypatch: pytest.MonkeyPatch) -> None:
    def trickle(client: ssl.SSLSocket) -> None:
        client.sendall(b"HTTP/1.1 200 OK\r\n")
        while client.recv(1) != b"":
            pass

    before = set(threading.enumerate())
    monkeypatch.setattr(transport, "_LONGEST", 0.2)
    with _raw(tls, trickle) as url, pytest.raises(Ambiguous, match="gave no answer"):
        _got(_transport(tls), url)
    assert set(threading.enumerate()) <= before


def test_a_redirect_leads_to_the_same_host_alone(tls: Tls) -> None:
    places = {
        "/here": "/there",
        "/there": "/end",
        "/away": "https://127.0.0.1:1/",
        "/plain": "http://localhost/",
        "/none": "https://[",
        "/round": "/round",
        "/file": "file:///etc/passwd",
    }

    def service(request: Request) -> Response:
        if request.path == "/end":
            return Response(200, b"the end")
        return Response(302, b"", {"Location": places[request.path]})

    with _answering(tls, service) as wire:
        assert _got(_transport(tls), f"{wire.url}/here") == b"the end"
        for path in ("/away", "/plain", "/file", "/none"):
            with pytest.raises(Conflict, match="leads to another host"):
                _got(_transport(tls), f"{wire.url}{path}")
        with pytest.raises(Conflict, match="from one address to the next"):
            _got(_transport(tls), f"{wire.url}/round")
        assert wire.counts["/round"] == 4
        assert _transport(tls).post(f"{wire.url}/here", b"{}", {}).status == 302


def test_the_servers_certificate_is_judged_by_the_bundle_alone(
    tls: Tls, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = Tls.made(tmp_path)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tls.authority))
    monkeypatch.setenv("SSL_CERT_FILE", str(tls.authority))
    with _answering(tls, lambda _: Response(200, b"yes")) as wire:
        assert _got(_transport(tls), wire.url) == b"yes"
        assert _got(Transport(tls_context(None)), wire.url) == b"yes"  # of this host, as it says
        with pytest.raises(Denied, match=r"is not one that .* trusts: self-signed"):
            _got(_transport(other), wire.url)
        monkeypatch.delenv("SSL_CERT_FILE")
        with pytest.raises(Denied, match="its TLS certificate is not one"):
            _got(Transport(tls_context(None)), wire.url)
    with pytest.raises(Denied, match=r"caBundle: ca\.pem holds no certificates in PEM"):
        tls_context(b"\xff nothing", "ca.pem")


def test_nothing_goes_out_without_tls(tls: Tls) -> None:
    for url in ("http://127.0.0.1:1/", "file:///etc/passwd", "ftp://127.0.0.1/"):
        with pytest.raises(Conflict, match="no https:// address"):
            _got(_transport(tls), url)


def test_a_ca_that_is_not_there_is_told_of(tls: Tls) -> None:
    with pytest.raises(Transient, match=r"localhost:1 cannot be reached"):
        _got(_transport(tls), "https://localhost:1/")


def test_an_answer_that_breaks_off_is_no_answer(tls: Tls) -> None:
    def half(client: ssl.SSLSocket) -> None:
        client.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")

    def nothing(_: ssl.SSLSocket) -> None:
        return

    for write in (half, nothing):
        with _raw(tls, write) as url, pytest.raises(Ambiguous, match="gave no answer"):
            _got(_transport(tls), url)


def test_it_says_what_it_is_and_not_who(
    tls: Tls, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[Request] = []
    netrc = tmp_path / "netrc"
    netrc.write_text("machine localhost login somebody password test-password\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))

    def service(request: Request) -> Response:
        seen.append(request)
        return Response(200, b"", {"Set-Cookie": "who=you; Path=/"})

    with _answering(tls, service) as wire:
        asking = _transport(tls)
        asking.get(wire.url)
        asking.get(wire.url)
        asking.close()
    for request in seen:
        assert request.headers["user-agent"] == "certform"
        assert not {"authorization", "cookie"} & request.headers.keys()


def test_the_wrong_anchors_stop_an_order_before_it_begins(
    front: Front, buyer: Buyer, tmp_path: Path
) -> None:
    issuer = acme_ca_rig.issuer(front)
    issuer.anchors = Tls.made(tmp_path).authority.read_bytes()
    with pytest.raises(ProviderError, match="caBundle"):
        issuer.issue(buyer.ask("never.example.com"))
    assert not front.wire.asked
