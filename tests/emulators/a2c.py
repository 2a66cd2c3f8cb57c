"""acme2certifier on loopback, for what Pebble does not have: renewal information (RFC 9773) and profiles.

It is free software under the GPL: it runs in a process of its own, and nothing of it is imported here.
Every name is taken for proved.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

from wire import Tls, free_port

from providers import x509
from providers.specimens import Specimens

SERVER = Path(__file__).with_name("wsgi_server.py")
MODULE = "acme2certifier.share.acme2certifier_wsgi"
PROFILES = {"classic": "https://ca.example/classic", "short": "https://ca.example/short"}
RETRY_AFTER = 4321
"""Seconds after which it wants to be asked for advice again."""
_CONFIG = """\
[DEFAULT]
debug: False
[Nonce]
nonce_check_disable: False
[CAhandler]
handler_module: acme2certifier.cahandlers.openssl_ca_handler
issuing_ca_key: {folder}/ca-key.pem
issuing_ca_cert: {folder}/ca.pem
issuing_ca_crl: {folder}/ca-crl.pem
cert_validity_days: 30
cert_save_path: {folder}/issued
ca_cert_chain_list: ["{folder}/root.pem"]
[DBhandler]
handler_module: acme2certifier.dbhandlers.wsgi_handler
dbfile: {folder}/a2c.db
[Certificate]
revocation_reason_check_disable: False
[Challenge]
challenge_validation_disable: True
[Renewalinfo]
retry_after_timeout: {retry_after}
renewalthreshold_pctg: {percentage}
[Order]
tnauthlist_support: False
profiles: {profiles}
[Directory]
supress_product_information: True
"""
_PATIENCE = 30.0


@dataclass
class A2c:
    """A running server; `percentage` of a certificate's life is over when it is to be renewed."""

    folder: Path
    tls: Tls
    percentage: float = 85.0
    port: int = field(default_factory=free_port)
    web_port: int = field(default_factory=free_port)

    @classmethod
    @contextmanager
    def running(cls, folder: Path, percentage: float = 85.0) -> Iterator["A2c"]:
        """Run it until the end of the context."""
        folder.mkdir(parents=True, exist_ok=True)
        made = cls(folder, Tls.made(folder / "tls"), percentage)
        made._write()
        with (folder / "a2c.log").open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, SERVER, MODULE, str(made.port), made.tls.authority, made.tls.key],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=folder,
                env=made._environment(),
            )
        try:
            end = time.monotonic() + _PATIENCE
            while not made._answers():
                assert process.poll() is None, made.log
                assert time.monotonic() < end, made.log
                time.sleep(0.05)
            yield made
        finally:
            process.kill()
            process.wait()

    @property
    def url(self) -> str:
        """The directory."""
        return f"https://localhost:{self.port}/directory"

    @property
    def anchors(self) -> bytes:
        """What its own TLS certificate is judged by, in PEM."""
        return self.tls.authority.read_bytes()

    @property
    def log(self) -> str:
        """What it has said."""
        return (self.folder / "a2c.log").read_text()

    def _environment(self) -> dict[str, str]:
        return {
            "PATH": os.defpath,
            "HOME": str(self.folder),
            "ACME_SRV_CONFIGFILE": str(self.folder / "acme_srv.cfg"),
            "ACME2CERTIFIER_BASE_DIR": str(self.folder),
            "ACME2CERTIFIER_I_KNOW_THE_RISK": "1",
        }

    def _write(self) -> None:
        ca = Specimens.make(datetime.now(UTC))
        (self.folder / "issued").mkdir()
        (self.folder / "root.pem").write_bytes(x509.pem(ca.root))
        (self.folder / "ca.pem").write_bytes(x509.pem(ca.intermediate))
        key = x509.key_pem(x509.encode_key(ca.key))
        (self.folder / "ca-key.pem").write_bytes(key.reveal())
        config = _CONFIG.format(
            folder=self.folder,
            retry_after=RETRY_AFTER,
            percentage=self.percentage,
            profiles=json.dumps(PROFILES),
        )
        (self.folder / "acme_srv.cfg").write_text(config)

    def _answers(self) -> bool:
        try:
            with urlopen(self.url, timeout=5, context=self.tls.client()):
                return True
        except (URLError, ConnectionError, TimeoutError):
            return False
