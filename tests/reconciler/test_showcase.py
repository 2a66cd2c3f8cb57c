"""What is shown of a published directory, over HTTP: the right bytes, until when to keep them, no more."""

import http.client
import socket
import threading
import time
from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import quote

import pytest
from answers import NAME, Asker, path_of, tree
from cryptography.x509 import ocsp
from key_kinds import P256
from mint import Authority, Mint

from providers import x509
from providers.base import Publication
from providers.local.location import Location
from providers.local.publisher import DirectoryPublisher
from providers.x509.ocsp import request_for
from reconciler.showcase import Showcase
from reconciler.web import serving
from schemas.revocation import RevocationReason

NOW = datetime.now(UTC).replace(microsecond=0)


@pytest.fixture(scope="module")
def mint() -> Mint:
    return Mint()


@pytest.fixture(scope="module")
def issuing(mint: Mint) -> Authority:
    return mint.authority("services", P256, mint.authority("root", P256), path_length=0)


@pytest.fixture(scope="module")
def leaves(mint: Mint, issuing: Authority) -> list[bytes]:
    """A good one, a revoked one, and one that nobody told of."""
    end = NOW + timedelta(days=9)
    return [mint.leaf(issuing, NOW, end, dns_names=("www.example.com",)) for _ in range(3)]


@pytest.fixture(scope="module")
def directory(
    tmp_path_factory: pytest.TempPathFactory, mint: Mint, issuing: Authority, leaves: list[bytes]
) -> Path:
    root = tmp_path_factory.mktemp("srv")
    publisher = DirectoryPublisher(Location.of(root, "pki"), "corp_1")
    gone = x509.CrlEntry(NOW - timedelta(hours=1), RevocationReason.KEY_COMPROMISE)
    serials = [x509.facts(leaf).serial for leaf in leaves]
    publisher.publish(
        [
            Publication("services-g1.crl", mint.crl(issuing)),
            Publication("services-g1.crt", issuing.der),
        ]
    )
    publisher.publish_tree(tree(issuing, {serials[0]: None, serials[1]: gone}))
    return root / "pki"


@pytest.fixture(scope="module")
def port(directory: Path) -> Iterator[int]:
    with serving(Showcase(Location.of(directory, "."), "/pki"), 0, lambda _: None) as taken:
        yield taken


def ask(
    port: int, target: str, method: str = "GET", body: bytes | None = None, **headers: str
) -> tuple[http.client.HTTPResponse, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    connection.request(method, target, body, named)
    answer = connection.getresponse()
    content = answer.read()
    connection.close()
    return answer, content


def request(issuing: Authority, leaf: bytes) -> bytes:
    return request_for(issuing.authority, x509.facts(leaf).serial)


@pytest.mark.parametrize("prefix", ["", "/pki"])
@pytest.mark.parametrize("safe", ["", "/+="], ids=["encoded", "plain"])
def test_a_get_returns_the_published_response_and_until_when_it_may_be_kept(
    port: int, directory: Path, issuing: Authority, leaves: list[bytes], prefix: str, safe: str
) -> None:
    path = path_of(issuing, x509.facts(leaves[0]).serial)
    text = quote(b64encode(request(issuing, leaves[0])).decode(), safe=safe)
    answer, content = ask(port, f"{prefix}/{NAME}/{text}")
    assert answer.status == 200
    assert content == (directory / NAME / path).read_bytes()
    assert answer.headers["Content-Type"] == "application/ocsp-response"
    response = ocsp.load_der_ocsp_response(content)
    assert response.next_update_utc is not None
    until = response.next_update_utc.strftime("%a, %d %b %Y %H:%M:%S GMT")
    since = response.this_update_utc.strftime("%a, %d %b %Y %H:%M:%S GMT")
    assert (answer.headers["Expires"], answer.headers["Last-Modified"]) == (until, since)
    words = answer.headers["Cache-Control"]
    left = (response.next_update_utc - datetime.now(UTC)).total_seconds()
    assert words.endswith(", public, no-transform, must-revalidate")
    assert abs(int(words.partition(",")[0].removeprefix("max-age=")) - left) < 60
    again, nothing = ask(port, f"/{NAME}/{text}", If_None_Match=answer.headers["ETag"])
    assert (again.status, nothing) == (304, b"")
    assert again.getheader("Content-Length") is None, (
        "0 would be said of the file (RFC 9110 section 8.6)"
    )


def test_lists_and_certificates_have_their_own_types(
    port: int, directory: Path, issuing: Authority
) -> None:
    answer, content = ask(port, "/services-g1.crl")
    assert answer.headers["Content-Type"] == "application/pkix-crl"
    assert content == (directory / "services-g1.crl").read_bytes()
    assert "Expires" in answer.headers
    answer, content = ask(port, "/services-g1.crt")
    assert (answer.headers["Content-Type"], content) == ("application/pkix-cert", issuing.der)
    answer, content = ask(port, "/services-g1.crt", "HEAD")
    assert (answer.status, content) == (200, b"")
    assert answer.headers["Content-Length"] == str(len(issuing.der))


@pytest.mark.parametrize("nonce", [True, False])
def test_openssl_is_told_the_status_by_post_whether_or_not_it_sends_a_nonce(
    port: int,
    issuing: Authority,
    leaves: list[bytes],
    tmp_path: Path,
    require: Callable[[str], str],
    nonce: bool,
) -> None:
    require("openssl")
    asker, more = Asker(tmp_path, issuing), () if nonce else ("-no_nonce",)
    for leaf, status in zip(leaves[:2], ("good", "revoked"), strict=True):
        told = asker.openssl_at(leaf, f"http://127.0.0.1:{port}", *more)
        assert f"leaf.pem: {status}" in told, told
        assert "Response verify OK" in told, told
    told = asker.openssl_at(leaves[2], f"http://127.0.0.1:{port}", *more)
    assert "unauthorized" in told, told


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", ocsp.OCSPResponseStatus.MALFORMED_REQUEST),
        (b"0" * 999, ocsp.OCSPResponseStatus.MALFORMED_REQUEST),
    ],
)
def test_what_is_no_request_is_told_so(
    port: int, body: bytes, status: ocsp.OCSPResponseStatus
) -> None:
    answer, content = ask(port, "/", "POST", body)
    assert answer.status == 200
    assert ocsp.load_der_ocsp_response(content).response_status is status


def test_a_huge_request_is_not_read(port: int) -> None:
    answer, _ = ask(port, "/", "POST", b"x" * 65537)
    assert answer.status == 413


HOSTILE = (
    "/../pki/services-g1.crt",
    "/%2e%2e/secret.crt",
    "/..%2fsecret.crt",
    "//etc/passwd",
    "/etc/passwd",
    "/%2Fetc%2Fpasswd",
    "/services-g1.crt%00",
    "/%00",
    "/%ff%fe",
    "/.certform-owner",
    "/ocsp/services-g1.00000000/MA==",
    f"/{NAME}/../../.certform-owner",
    f"/{NAME}/..%2F..%2F.certform-owner",
    f"/{NAME}/",
    f"/{NAME}",
    "/link.crt",
    "/ocsp/away-g1/secret",
    "/" + "a" * 100_000,
    f"/{NAME}/" + "A" * 100_000,
    "http://elsewhere.example/secret.crt",
)


@pytest.mark.parametrize("target", HOSTILE, ids=lambda target: target[:30])
def test_whatever_else_is_asked_for_shows_nothing(port: int, directory: Path, target: str) -> None:
    (directory.parent / "secret.crt").write_text("secret")
    for name, where in (("link.crt", "../secret.crt"), ("ocsp/away-g1", "../..")):
        if not (directory / name).is_symlink():
            (directory / name).symlink_to(where)
    with socket.create_connection(("127.0.0.1", port), timeout=10) as raw:
        raw.sendall(f"GET {target} HTTP/1.0\r\n\r\n".encode("latin-1"))
        answer = b"".join(iter(lambda: raw.recv(65536), b""))
    assert answer.startswith(b"HTTP/1.1 404 "), answer[:200]
    assert b"secret" not in answer.partition(b"\r\n\r\n")[2]
    assert b"owner" not in answer


def test_nobody_can_write(port: int) -> None:
    for method in ("PUT", "DELETE", "PATCH"):
        assert ask(port, "/services-g1.crl", method, b"x")[0].status == 501


def test_who_says_nothing_gets_no_thread_without_end_and_keeps_nobody_out_for_long(
    directory: Path,
) -> None:
    with serving(Showcase(Location.of(directory, ".")), 0, lambda _: None) as taken:
        before = threading.active_count()
        with ExitStack() as silent:
            several = [
                silent.enter_context(socket.create_connection(("127.0.0.1", taken), 10))
                for _ in range(80)
            ]
            assert several[-1].recv(1) == b"", "hung up on at once"
            assert threading.active_count() - before <= 64
        answered = (_is_answered(taken) for _ in range(200))
        assert any(answered)


def _is_answered(port: int) -> bool:
    """Whether the server answers; one that hangs up is given a moment."""
    try:
        return ask(port, "/services-g1.crl")[0].status == 200
    except (OSError, http.client.HTTPException):
        time.sleep(0.05)
        return False
