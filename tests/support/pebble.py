"""Pebble, Let's Encrypt's small CA, and its challtestsrv on loopback: real ACME, with keys of its own.

Everything is made at run time, on free ports, and gone with the test. Names of any kind lead to
127.0.0.1, where Pebble looks for HTTP-01 at `web_port`, and for DNS-01 it asks challtestsrv.
"""

import json
import os
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from shutil import which
from typing import Any
from urllib.error import URLError
from urllib.request import Request, urlopen

import pytest
from cryptography import x509
from name_server_ports import HOST
from wire import Tls, free_port

QUICK = {"PEBBLE_VA_NOSLEEP": "1", "PEBBLE_WFE_NONCEREJECT": "0", "PEBBLE_AUTHZREUSE": "0"}
EAB_KEYS = {"kid-1": "zWNDZM6eQGHWpSRTPal5eIUYFTu7EajVIoguysqZ9wG44nMEtx3MUAsUDkMTQ12W"}
"""Account bindings by their key ID: the one that Pebble's own example has."""
_PATIENCE = 20.0


@dataclass
class Pebble:
    """A running CA. `environment` is Pebble's, such as `{"PEBBLE_WFE_NONCEREJECT": "50"}`."""

    folder: Path
    tls: Tls
    environment: Mapping[str, str] = field(default_factory=dict)
    bindings: Mapping[str, str] = field(default_factory=dict)
    dns: str = ""
    port: int = field(default_factory=free_port)
    management_port: int = field(default_factory=free_port)
    web_port: int = field(default_factory=free_port)
    dns_port: int = field(default_factory=free_port)
    names_port: int = field(default_factory=free_port)
    _processes: list["subprocess.Popen[bytes]"] = field(default_factory=list)

    @classmethod
    @contextmanager
    def running(
        cls,
        folder: Path,
        environment: Mapping[str, str] | None = None,
        bindings: Mapping[str, str] | None = None,
        dns: str = "",
    ) -> Iterator["Pebble"]:
        """Run a CA until the end of the context; `dns` is who it asks, when not challtestsrv."""
        for program in ("pebble", "pebble-challtestsrv"):
            if which(program) is None:
                pytest.skip(f"{program} is not installed")
        folder.mkdir(parents=True, exist_ok=True)
        made = cls(
            folder, Tls.made(folder / "tls"), {**QUICK, **(environment or {})}, bindings or {}, dns
        )
        try:
            made.start()
            yield made
        finally:
            made.stop()

    @property
    def url(self) -> str:
        """The directory."""
        return f"https://localhost:{self.port}/dir"

    @property
    def anchors(self) -> bytes:
        """What its own TLS certificate is judged by, in PEM."""
        return self.tls.authority.read_bytes()

    def start(self) -> None:
        """Start both programs, and wait until they answer. A CA that is started again has forgotten all."""
        (self.folder / "pebble.json").write_text(json.dumps(self._config()))
        self._run(
            "pebble-challtestsrv",
            *("-dns01", f"{HOST}:{self.dns_port}", "-management", f"{HOST}:{self.names_port}"),
            *("-http01", "", "-https01", "", "-tlsalpn01", "", "-defaultIPv6", ""),
        )
        asked = self.dns or f"{HOST}:{self.dns_port}"
        self._run("pebble", "-config", "pebble.json", "-dnsserver", asked)
        end = time.monotonic() + _PATIENCE
        while not self._answers():
            assert all(p.poll() is None for p in self._processes), self.log
            assert time.monotonic() < end, self.log
            time.sleep(0.02)

    def stop(self) -> None:
        """Stop both, and wait until they have."""
        for process in self._processes:
            process.kill()
            process.wait()
        self._processes.clear()

    @property
    def log(self) -> str:
        """What both have said."""
        return "".join(log.read_text() for log in sorted(self.folder.glob("*.log")))

    def manage(self, path: str) -> Any:
        """Ask Pebble's own management; JSON is taken apart."""
        url = f"https://localhost:{self.management_port}/{path}"
        with urlopen(url, timeout=10, context=self.tls.client()) as answer:
            body = answer.read()
        return (
            json.loads(body)
            if answer.headers["Content-Type"].startswith("application/json")
            else body
        )

    def status(self, certificate: bytes) -> dict[str, Any]:
        """Return what Pebble knows of a certificate (DER): its `Status`, and the `Reason` if revoked."""
        serial = x509.load_der_x509_certificate(certificate).serial_number
        found: dict[str, Any] = self.manage(f"cert-status-by-serial/{serial:x}")
        return found

    def root_name(self, number: int = 0) -> str:
        """Return the common name of a root; alternate ones have other numbers."""
        root = x509.load_pem_x509_certificate(self.manage(f"roots/{number}"))
        return str(root.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)[0].value)

    def tell_dns(self, verb: str, **said: object) -> None:
        """Tell challtestsrv what to answer, such as `set-txt` with `host` and `value`."""
        request = Request(f"http://{HOST}:{self.names_port}/{verb}", json.dumps(said).encode())
        with urlopen(request, timeout=10) as answer:
            answer.read()

    def _config(self) -> Mapping[str, object]:
        return {
            "pebble": {
                "listenAddress": f"{HOST}:{self.port}",
                "managementListenAddress": f"{HOST}:{self.management_port}",
                "certificate": str(self.tls.authority),
                "privateKey": str(self.tls.key),
                "httpPort": self.web_port,
                "tlsPort": self.web_port,
                "ocspResponderURL": "",
                "externalAccountBindingRequired": bool(self.bindings),
                "externalAccountMACKeys": dict(self.bindings),
            }
        }

    def _run(self, program: str, *arguments: str) -> None:
        with (self.folder / f"{program}.log").open("ab") as log:
            self._processes.append(
                subprocess.Popen(
                    [program, *arguments],
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    cwd=self.folder,
                    env={
                        "PATH": os.defpath,
                        "HOME": str(self.folder),
                        "GOMAXPROCS": "1",
                        **self.environment,
                    },
                )
            )

    def _answers(self) -> bool:
        try:
            with urlopen(self.url, timeout=5, context=self.tls.client()):
                self.tell_dns("clear-txt", host="nobody.example.com.")
        except (URLError, ConnectionError, TimeoutError):
            return False
        return True
