"""A real nginx serves responses as docs/ocsp.md has it: the same bytes, however the path is written."""

import http.client
import os
import re
import signal
import socket
import subprocess
import time
from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

import pytest
from answers import NAME, path_of, tree
from cryptography import x509 as crypto
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp
from key_kinds import P256
from mint import Authority, Mint
from wire import free_port

from providers import x509
from providers.local.location import Location
from providers.local.publisher import DirectoryPublisher
from providers.x509.ocsp import INDEX, request_for, unauthorized

DOCUMENT = Path(__file__).parents[3] / "docs/ocsp.md"
MODULE = Path("/usr/lib/nginx/modules/ngx_http_js_module.so")
CONFIGURATION = """
{module}
daemon off;
master_process off;
error_log {root}/error.log;
pid {root}/nginx.pid;
events {{ worker_connections 64; }}
http {{
  access_log off;
  {temporary}
  types {{ text/html html; }}
  {script}
{server}
}}
"""
KINDS = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
SHAPES = {
    "a plus": re.compile(r"[^/]*\+[^/]*[^/+]"),
    "a slash": re.compile(r"[^/]+/[^/]*[^/+]"),
    "two slashes": re.compile(r"[^/]+//[^/]*[^/+]"),
    "a slash at the end": re.compile(r"[^/]+/"),
    "a plus at the end": re.compile(r"[^/]+\+"),
}
"""What the base64 of a serial may look like: the rest of the request is the same for all of a CA."""


@pytest.fixture(scope="module")
def issuing() -> Authority:
    mint = Mint()
    return mint.authority("services", P256, mint.authority("root", P256), path_length=0)


@pytest.fixture(scope="module")
def serials(issuing: Authority) -> dict[str, str]:
    """One serial for each shape."""
    found: dict[str, str] = {}
    while len(found) < len(SHAPES):
        serial = x509.new_serial()
        tail = b64encode(request_for(issuing.authority, serial)).decode()[-28:]
        for name, shape in SHAPES.items():
            if name not in found and shape.fullmatch(tail):
                found[name] = serial
                break
    return found


@pytest.fixture(scope="module")
def directory(
    tmp_path_factory: pytest.TempPathFactory, issuing: Authority, serials: dict[str, str]
) -> Path:
    root = tmp_path_factory.mktemp("srv")
    publisher = DirectoryPublisher(Location.of(root, "pki"), "corp_1")
    statuses: dict[str, x509.CrlEntry | None] = dict.fromkeys(serials.values())
    publisher.publish_tree(tree(issuing, statuses))
    return root / "pki"


@pytest.fixture(scope="module")
def port(directory: Path, require: Callable[[str], str]) -> Iterator[int]:
    """A server of files alone."""
    with serving(directory, require("nginx"), scripted=False) as port:
        yield port


@pytest.fixture
def answering(directory: Path, require: Callable[[str], str]) -> Iterator[int]:
    """A server that answers by POST as well."""
    program = require("nginx")
    if not MODULE.exists():
        skip = pytest.fail if os.environ.get("CI") == "true" else pytest.skip
        skip("nginx has no JavaScript module")
    with serving(directory, program, scripted=True) as port:
        yield port


@contextmanager
def serving(directory: Path, program: str, *, scripted: bool) -> Iterator[int]:
    port = free_port()
    configure(directory, port, scripted=scripted)
    root = str(directory.parent)
    argv = (program, "-p", root, "-c", f"{root}/nginx.conf")
    process = subprocess.Popen(argv, stderr=subprocess.DEVNULL)
    try:
        wait_for(port, process)
        yield port
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(10)


def block(language: str) -> str:
    """Return the one block of the documentation in a language."""
    (found,) = re.findall(rf"```{language}\n(.*?)```", DOCUMENT.read_text(), re.DOTALL)
    return str(found)


def configure(directory: Path, port: int, *, scripted: bool) -> None:
    """Take the blocks of the documentation, for another port and another folder."""
    server = block("nginx").replace("listen 80;", f"listen 127.0.0.1:{port};")
    server = server.replace("root /srv/pki;", f"root {directory};")
    assert (str(port) in server, str(directory) in server) == (True, True)
    root = directory.parent
    temporary = "\n  ".join(f"{kind}_temp_path {root}/{kind};" for kind in KINDS)
    module = script = ""
    if scripted:
        (root / "ocsp.js").write_text(block("js"))
        module, script = f"load_module {MODULE};", f"js_import ocsp from {root}/ocsp.js;"
        server = f"{server.rstrip().removesuffix('}')}{block('nginx server')}}}"
    text = CONFIGURATION.format(
        root=root, temporary=temporary, server=server, module=module, script=script
    )
    (root / "nginx.conf").write_text(text)


def wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    for _ in range(200):
        if process.poll() is not None:
            pytest.fail("nginx did not start")
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    pytest.fail("nginx does not listen")


def get(
    port: int, target: str, body: bytes | None = None
) -> tuple[http.client.HTTPResponse, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    connection.request("GET" if body is None else "POST", target, body)
    answer = connection.getresponse()
    content = answer.read()
    connection.close()
    return answer, content


@pytest.mark.parametrize("safe", ["", "/", "/+="], ids=["encoded", "slashes plain", "plain"])
@pytest.mark.parametrize("shape", SHAPES)
def test_every_response_is_served_however_the_path_is_written(
    port: int, directory: Path, issuing: Authority, serials: dict[str, str], shape: str, safe: str
) -> None:
    serial = serials[shape]
    text = b64encode(request_for(issuing.authority, serial)).decode()
    answer, content = get(port, f"/{NAME}/{quote(text, safe=safe)}")
    assert answer.status == 200
    assert answer.headers["Content-Type"] == "application/ocsp-response"
    assert "ETag" in answer.headers
    assert content == (directory / NAME / path_of(issuing, serial)).read_bytes()


def test_the_ca_certificate_and_the_list_have_the_types_of_their_own(
    port: int, directory: Path
) -> None:
    for name, kind in (("a.crl", "application/pkix-crl"), ("a.crt", "application/pkix-cert")):
        (directory / name).write_bytes(b"x")
        answer, content = get(port, f"/{name}")
        assert (answer.status, answer.headers["Content-Type"], content) == (200, kind, b"x")


def test_what_is_beside_the_trees_is_not_shown(port: int, directory: Path) -> None:
    (hidden,) = (path for path in (directory / "ocsp").iterdir() if "." in path.name)
    assert get(port, "/.certform-owner")[0].status == 404
    assert get(port, f"/ocsp/{hidden.name}/x")[0].status == 404
    assert get(port, f"/{NAME}/")[0].status in (403, 404)


@pytest.mark.parametrize("nonce", [True, False])
def test_with_the_script_of_the_documentation_it_answers_by_post(
    answering: int,
    directory: Path,
    issuing: Authority,
    serials: dict[str, str],
    nonce: bool,
) -> None:
    url, authority = f"/{NAME}", issuing.authority
    for serial in serials.values():
        asked = request_for(authority, serial)
        if nonce:
            plain = ocsp.load_der_ocsp_request(asked)
            names = plain.issuer_name_hash, plain.issuer_key_hash, plain.serial_number
            builder = ocsp.OCSPRequestBuilder().add_certificate_by_hash(*names, hashes.SHA1())
            built = builder.add_extension(crypto.OCSPNonce(b"n" * 16), critical=False).build()
            asked = built.public_bytes(Encoding.DER)
        answer, content = get(answering, url, asked)
        assert (answer.status, answer.headers["Content-Type"]) == (200, "application/ocsp-response")
        assert content == (directory / NAME / path_of(issuing, serial)).read_bytes()
    for unknown in (request_for(authority, x509.new_serial()), b"0" * 200):
        assert get(answering, url, unknown)[1] == unauthorized()
    for garbage in (b"x", b"\x30\x80" * 4, b"y" * 9000):
        assert get(answering, url, garbage)[0].status in (400, 413)


def test_a_switch_is_seen_at_once(
    port: int, directory: Path, issuing: Authority, serials: dict[str, str]
) -> None:
    serial = serials["a plus"]
    text = quote(b64encode(request_for(issuing.authority, serial)).decode(), safe="")
    before = get(port, f"/{NAME}/{text}")[1]
    publisher = DirectoryPublisher(Location.of(directory.parent, "pki"), "corp_1")
    statuses: dict[str, x509.CrlEntry | None] = dict.fromkeys(serials.values())
    publisher.publish_tree(tree(issuing, statuses))
    assert get(port, f"/{NAME}/{text}")[1] != before


def test_a_path_that_ends_in_a_slash_is_a_file_of_a_folder(
    issuing: Authority, serials: dict[str, str]
) -> None:
    assert path_of(issuing, serials["a slash at the end"]).endswith(f"/{INDEX}")
