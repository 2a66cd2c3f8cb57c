"""A repository whose certificates a real nginx serves, and callers that never stop calling."""

import shutil
import signal
import socket
import ssl
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event, Thread

from command_line import Repository, environment
from cryptography.x509 import load_der_x509_certificate
from rotation_bench import crl_pem
from wire import free_port

HOST = "127.0.0.1"
NAME = "orders.svc.internal"
PAUSE = 0.005
"""Seconds between two calls of one caller."""
DOORS = ("open", "mutual", "missed")
MORE = {
    "certform.yaml": """\
  publish:
    to: {directory: out/pki}
    baseURL: http://pki.example.com
""",
    "config/bundle.yaml": """\
kind: Bundle
metadata: {name: corp}
spec: {authorities: [root], targets: [local, clients], overlap: 1s}
""",
    "config/clients.yaml": """\
kind: Target
metadata: {name: clients}
spec:
  local-directory: {path: out/clients}
""",
    "services/payments.yaml": "  targets: [clients]\n",
}
"""What is written beside the template of `init`, or below what that wrote."""
TARGET = """\
kind: Target
metadata: {{name: local}}
spec:
  local-directory: {{path: out/tls}}
  check: [{nginx}, -t]
  reload: [{nginx}, -s, reload]
  verify: {{connect: "127.0.0.1:{port}", timeout: 60s}}
"""
NGINX = """\
daemon off;
worker_processes 1;
error_log {base}/error.log;
pid {base}/nginx.pid;
events {{ worker_connections 64; }}
http {{
  access_log off;
  {temporary}
  {servers}
  {extra}
}}
"""
SERVER = """
  server {{
    listen 127.0.0.1:{port} ssl;
    ssl_certificate {pair}/fullchain.pem;
    ssl_certificate_key {pair}/privkey.pem;
    {verify}
    location / {{ return 200 "well"; }}
  }}
"""
KINDS = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")


@dataclass(frozen=True)
class House:
    """The repository, its targets, and a server with a door for all, one for known clients, one forgotten."""

    base: Path
    repository: Repository
    nginx: tuple[str, ...]
    ports: Mapping[str, int]

    @classmethod
    def opened(cls, applied: Path, base: Path, nginx: str) -> "House":
        """Return a copy of what was `applied`, and a configuration of nginx that names what is installed."""
        shutil.copytree(applied, base, symlinks=True)
        argv = (nginx, "-p", str(base), "-c", str(base / "nginx.conf"))
        repository = Repository(base / "repository", environment(base))
        house = cls(base, repository, argv, {door: free_port() for door in DOORS})
        shutil.copytree(house.pair("orders"), base / "missed")
        house.configure()
        served = TARGET.format(nginx=", ".join(argv), port=house.ports["open"])
        (repository.root / "config" / "targets.yaml").write_text(served)
        return house

    @property
    def out(self) -> Path:
        """Where everything is installed and published."""
        return self.repository.root / "out"

    def pair(self, name: str) -> Path:
        """Return the folder of what is installed now: who opens two files wants them of one folder."""
        place = "tls" if name == "orders" else "clients"
        return (self.out / place / name / "current").resolve()

    def bundle(self, place: str = "clients") -> Path:
        """Return the file of anchors of the clients, or of the server (`tls`)."""
        return self.out / place / "corp" / "current" / "ca-certificates.pem"

    def anchors(self) -> set[int]:
        """Return how many anchors the bundles have."""
        return {self.bundle(p).read_text().count("BEGIN CERT") for p in ("clients", "tls")}

    def lists(self) -> list[bytes]:
        """Return all CRLs that are published now."""
        return [path.read_bytes() for path in sorted((self.out / "pki").glob("*.crl"))]

    def known_lists(self) -> Path:
        """Return a file of the anchors and the CRLs, written anew; one caller at a time may ask for it."""
        path = self.base / "lists.pem"
        path.write_bytes(self.bundle().read_bytes() + b"".join(map(crl_pem, self.lists())))
        return path

    def configure(self, extra: str = "") -> None:
        """Write nginx's configuration; `extra` is more of it."""
        tls = self.out / "tls"
        trust = self.bundle("tls")
        known = f"ssl_client_certificate {trust}; ssl_verify_client on; ssl_verify_depth 3;"
        pairs = {"open": tls / "orders" / "current", "missed": self.base / "missed"}
        servers = "".join(
            SERVER.format(
                port=port,
                pair=pairs.get(door, pairs["open"]),
                verify=known if door == "mutual" else "",
            )
            for door, port in self.ports.items()
        )
        temporary = " ".join(f"{kind}_temp_path {self.base}/{kind};" for kind in KINDS)
        text = NGINX.format(base=self.base, temporary=temporary, servers=servers, extra=extra)
        (self.base / "nginx.conf").write_text(text)

    @contextmanager
    def open(self) -> Iterator[None]:
        """Run nginx."""
        with serving(self.nginx, self.ports["open"]):
            yield


@contextmanager
def serving(argv: Sequence[str], port: int) -> Iterator[None]:
    """Run nginx until the end of the context; it serves at a port."""
    process = subprocess.Popen(argv, stderr=subprocess.DEVNULL)
    try:
        _wait_for(port, process)
        yield
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(20)


def _wait_for(port: int, process: "subprocess.Popen[bytes]") -> None:
    for _ in range(400):
        assert process.poll() is None, f"nginx ended with {process.returncode}"
        with socket.socket() as probe:
            if probe.connect_ex((HOST, port)) == 0:
                return
        time.sleep(0.05)
    raise AssertionError("nginx does not listen")


def apply(base: Path) -> Path:
    """Make a repository with a server and a client in it, and apply it once; nothing serves yet."""
    repository = Repository(base / "repository", environment(base))
    repository.root.mkdir(parents=True)
    repository.run("init", "--template", "mtls", "orders", "payments")
    for path, more in MORE.items():
        with (repository.root / path).open("a") as document:
            document.write(more)
    repository.run("apply", "--auto-approve")
    return base


@dataclass
class Caller:
    """Calls until it is told to stop. `serials` counts what it was shown, `failures` says what went wrong."""

    name: str
    call: Callable[[], int]
    serials: Counter[int] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)
    stopped: Event = field(default_factory=Event)

    def run(self) -> None:
        """Call again and again."""
        while not self.stopped.wait(PAUSE):
            try:
                self.serials[self.call()] += 1
            except (OSError, AssertionError) as error:
                self.failures.append(f"{time.time():.3f} {error}")

    def __str__(self) -> str:
        total = sum(self.serials.values()) + len(self.failures)
        return f"{total} {self.name} ({len(self.failures)} failed)"


@contextmanager
def calling(house: House) -> Iterator[list[Caller]]:
    """Let callers call: one that knows the bundle, one that asks the CRLs, and one that shows who it is."""
    callers = [
        Caller("by the bundle", lambda: call(house, "open", plain(house))),
        Caller("with CRLs", lambda: call(house, "open", strict(house))),
        Caller("known to the server", lambda: call(house, "mutual", known(house))),
    ]
    threads = [Thread(target=caller.run) for caller in callers]
    for thread in threads:
        thread.start()
    try:
        yield callers
    finally:
        for caller in callers:
            caller.stopped.set()
        for thread in threads:
            thread.join()


def call(house: House, door: str, context: ssl.SSLContext) -> int:
    """Ask for a page at a door; return the serial that the server showed."""
    return visit(house.ports[door], NAME, context)


def visit(port: int, name: str, context: ssl.SSLContext) -> int:
    """Ask for a page by a new handshake; return the serial that the server showed."""
    with (
        socket.create_connection((HOST, port), timeout=30) as connection,
        context.wrap_socket(connection, server_hostname=name) as tls,
    ):
        tls.sendall(f"GET / HTTP/1.0\r\nHost: {name}\r\n\r\n".encode())
        # a client's certificate is refused after the handshake (RFC 8446, section 4.4.2.4)
        answer = tls.recv(4096).decode()
        assert answer.startswith("HTTP/1.1 200"), answer.partition("\r")[0]
        der = tls.getpeercert(binary_form=True)
    assert der is not None
    return load_der_x509_certificate(der).serial_number


def plain(house: House) -> ssl.SSLContext:
    """Trust the anchors that are installed now, and look at the name."""
    return ssl.create_default_context(cafile=str(house.bundle()))


def strict(house: House) -> ssl.SSLContext:
    """Ask a CRL about every link as well."""
    context = ssl.create_default_context(cafile=str(house.known_lists()))
    context.verify_flags |= ssl.VERIFY_CRL_CHECK_CHAIN
    return context


def known(house: House) -> ssl.SSLContext:
    """Show a certificate that certform installed for a client."""
    context, pair = plain(house), house.pair("payments")
    context.load_cert_chain(pair / "fullchain.pem", pair / "privkey.pem")
    return context
