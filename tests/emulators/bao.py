"""A real OpenBao on loopback: unsealed, with the root token at hand, gone with the test.

Its storage is in memory, or in files where it has to outlive a restart.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.request import HTTPSHandler, OpenerDirector, ProxyHandler, Request, build_opener

from wire import Tls, free_port

BAO = Path(sys.executable).with_name("bao")
PKI = "pki"
ROLE = "web"
WEB: Mapping[str, object] = {
    "allowed_domains": "example.com",
    "allow_bare_domains": True,
    "allow_subdomains": True,
    "allowed_uri_sans": "spiffe://example.com/*",
    "client_flag": False,
    "key_type": "any",
    "max_ttl": "720h",
    "require_cn": False,
}
"""A role for the servers of example.com."""
_PATIENCE = 20.0


class Refused(Exception):
    """What Vault refused, by its status."""

    def __init__(self, status: int, body: str) -> None:
        super().__init__(f"{status} {body}")
        self.status = status


@dataclass
class Bao:
    """A running server. What is asked here is asked as root, unless `token` says otherwise."""

    folder: Path
    port: int
    tls: Tls | None = None
    durable: bool = False
    root: str = ""
    key: str = ""
    cluster: int = field(default_factory=free_port)
    process: "subprocess.Popen[bytes] | None" = field(default=None, repr=False)

    @classmethod
    @contextmanager
    def running(
        cls, folder: Path, *, tls: Tls | None = None, durable: bool = False
    ) -> Iterator["Bao"]:
        """Run a server, initialised and unsealed, until the end of the context."""
        folder.mkdir(parents=True, exist_ok=True)
        made = cls(folder, free_port(), tls, durable)
        try:
            made.start()
            told = made.ask("PUT", "sys/init", {"secret_shares": 1, "secret_threshold": 1})
            made.key, made.root = told["keys"][0], told["root_token"]
            made.unseal()
            yield made
        finally:
            made.stop()

    @property
    def url(self) -> str:
        return f"https://localhost:{self.port}" if self.tls else f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start the server, and wait until it answers; it is sealed then."""
        config = self.folder / "bao.json"
        config.write_text(json.dumps(self._config()))
        with (self.folder / "bao.log").open("ab") as log:
            self.process = subprocess.Popen(
                [BAO, "server", f"-config={config}"],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env={"PATH": os.defpath, "HOME": str(self.folder), "GOMAXPROCS": "1"},
            )
        end = time.monotonic() + _PATIENCE
        while not self._answers():
            assert self.process.poll() is None, (self.folder / "bao.log").read_text()
            assert time.monotonic() < end, "the server does not answer"
            time.sleep(0.02)

    def stop(self) -> None:
        """Stop the server, and wait until it has."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    def restart(self) -> None:
        """Stop and start it, unsealed again; without `durable` all it knew is gone."""
        self.stop()
        self.start()
        self.unseal()

    def seal(self) -> None:
        self.ask("PUT", "sys/seal")

    def unseal(self) -> None:
        """Unseal it, and wait until it is at work."""
        self.ask("PUT", "sys/unseal", {"key": self.key})
        end = time.monotonic() + _PATIENCE
        while not self._works():
            assert time.monotonic() < end, "the server does not work"
            time.sleep(0.02)

    def ask(
        self,
        method: str,
        path: str,
        data: Mapping[str, object] | None = None,
        *,
        token: str | None = None,
        namespace: str | None = None,
    ) -> Any:
        """Ask for a path, as root unless a token is given, and return the JSON; raises `Refused`."""
        body = None if data is None else json.dumps(data).encode()
        headers = {"X-Vault-Token": self.root if token is None else token}
        if namespace:
            headers["X-Vault-Namespace"] = namespace
        request = Request(f"{self.url}/v1/{path}", body, headers, method=method)
        try:
            with self._directly.open(request, timeout=30) as answer:
                return json.loads(answer.read() or b"null")
        except HTTPError as why:
            with why:
                raise Refused(why.code, why.read().decode()) from None

    def write(self, path: str, data: Mapping[str, object], namespace: str | None = None) -> Any:
        return self.ask("POST", path, data, namespace=namespace)

    def read(self, path: str) -> Any:
        return self.ask("GET", path)["data"]

    def run(self, *argv: str) -> str:
        """Run the command line as root, and return what it prints: JSON, where it prints something."""
        done = subprocess.run(
            [BAO, *argv],
            env={
                "HOME": str(self.folder),
                "BAO_ADDR": self.url,
                "BAO_TOKEN": self.root,
                "BAO_FORMAT": "json",
            },
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def mount_pki(
        self, path: str = PKI, namespace: str | None = None, ttl: str = "8760h", **ca: object
    ) -> str:
        """Mount the PKI engine with a root of its own and the role `web`; return the root (PEM)."""
        tune = {"type": "pki", "config": {"max_lease_ttl": "87600h"}}
        self.write(f"sys/mounts/{path}", tune, namespace)
        told = self.write(
            f"{path}/root/generate/internal",
            {"common_name": f"Test Root of {path}", "key_type": "ec", "ttl": ttl, **ca},
            namespace,
        )
        self.role(path, ROLE, namespace)
        return str(told["data"]["certificate"])

    def role(
        self, path: str = PKI, name: str = ROLE, namespace: str | None = None, **fields: object
    ) -> None:
        """Make a role as `web` is, but for some fields."""
        self.write(f"{path}/roles/{name}", {**WEB, **fields}, namespace)

    def policy(self, name: str, text: str, namespace: str | None = None) -> None:
        """Make a policy (HCL)."""
        self.write(f"sys/policies/acl/{name}", {"policy": text}, namespace)

    def token(self, *policies: str, namespace: str | None = None, **fields: object) -> str:
        """Make a token with these policies and no other."""
        told = self.write(
            "auth/token/create",
            {"policies": policies, "no_default_policy": True, **fields},
            namespace,
        )
        return str(told["auth"]["client_token"])

    def issued(self, path: str = PKI) -> list[str]:
        """The serials of all certificates that a mount keeps, in lower-case hex."""
        keys = self.ask("LIST", f"{path}/certs")["data"]["keys"]
        return [f"{int(key.replace(':', ''), 16):x}" for key in keys]

    @cached_property
    def _directly(self) -> OpenerDirector:
        """What asks the server itself, whatever proxy a test has set."""
        trust = HTTPSHandler(context=self.tls.client()) if self.tls else HTTPSHandler()
        return build_opener(ProxyHandler({}), trust)

    def _config(self) -> Mapping[str, object]:
        listener: dict[str, object] = {"address": f"127.0.0.1:{self.port}"}
        if self.tls:
            files = {"tls_cert_file": str(self.tls.authority), "tls_key_file": str(self.tls.key)}
            listener |= files
        else:
            listener |= {"tls_disable": True}
        settings = {"listener": {"tcp": listener}, "api_addr": self.url}
        if not self.durable:
            return {**settings, "storage": {"inmem": {}}}
        data = self.folder / "data"
        data.mkdir(exist_ok=True)
        raft = {"path": str(data), "node_id": "one", "performance_multiplier": 1}
        cluster = f"https://127.0.0.1:{self.cluster}"
        listener["cluster_address"] = f"127.0.0.1:{self.cluster}"
        return {**settings, "storage": {"raft": raft}, "cluster_addr": cluster}

    def _works(self) -> bool:
        with suppress(Refused):
            return not self.ask("GET", "sys/health")["standby"]
        return False

    def _answers(self) -> bool:
        with suppress(URLError, ConnectionError, TimeoutError):
            self.ask("GET", "sys/seal-status")
            return True
        return False
