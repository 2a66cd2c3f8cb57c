"""A real nginx serves responses as docs/ocsp.md has it: the same bytes, however the path is written."""

import http.client
import re
import signal
import socket
import subprocess
import time
from base64 import b64encode
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
from answers import NAME, path_of, tree
from key_kinds import P256
from mint import Authority, Mint

from providers import x509
from providers.local.location import Location
from providers.local.publisher import DirectoryPublisher
from providers.x509.ocsp import INDEX, request_for

DOCUMENT = Path(__file__).parents[3] / "docs/ocsp.md"
CONFIGURATION = """
daemon off;
master_process off;
error_log {root}/error.log;
pid {root}/nginx.pid;
events {{ worker_connections 64; }}
http {{
  access_log off;
  {temporary}
  types {{ text/html html; }}
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
    program = require("nginx")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = int(free.getsockname()[1])
    configure(directory, port)
    root = str(directory.parent)
    argv = (program, "-p", root, "-c", f"{root}/nginx.conf")
    process = subprocess.Popen(argv, stderr=subprocess.DEVNULL)
    try:
        wait_for(port, process)
        yield port
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(10)


def configure(directory: Path, port: int) -> None:
    """Take the block of the documentation, for another port and another folder."""
    (block,) = re.findall(r"```nginx\n(.*?)```", DOCUMENT.read_text(), re.DOTALL)
    server = block.replace("listen 80;", f"listen 127.0.0.1:{port};")
    server = server.replace("root /srv/pki;", f"root {directory};")
    assert (str(port) in server, str(directory) in server) == (True, True)
    root = directory.parent
    temporary = "\n  ".join(f"{kind}_temp_path {root}/{kind};" for kind in KINDS)
    text = CONFIGURATION.format(root=root, temporary=temporary, server=server)
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


def get(port: int, target: str) -> tuple[http.client.HTTPResponse, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    connection.request("GET", target)
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
