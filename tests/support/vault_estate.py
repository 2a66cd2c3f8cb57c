"""A repository whose certificates come from OpenBao over TLS, with a secret id in a sops file."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import rig
from bao import Bao
from bao_logins import app_role, documented_policy
from cryptography import x509
from rig import Ended, Repository, Runner
from wire import Tls

from providers.secret import Secret
from providers.sops.binary import Sops
from schemas.project import Recipient

ISSUER = """\
kind: Issuer
metadata: {{name: internal}}
spec:
  vault:
    server: {url}
    role: web
    caBundle: config/vault-ca.pem
    auth:
      appRole: {{roleId: {role}, secretRef: {{name: secrets/vault.sops.yaml, key: secretId}}}}
"""
WEB = """\
kind: Certificate
metadata: {{name: web}}
spec: {{issuerRef: {issuer}, duration: 5d, dnsNames: [web.example.com], targets: [edge]}}
"""


@dataclass
class VaultEstate:
    """The repository, the server, and what runs certform there."""

    repository: Repository
    runner: Runner
    bao: Bao
    secret_id: str

    @classmethod
    @contextmanager
    def founded(cls, runner: Runner, place: Path) -> Iterator["VaultEstate"]:
        """Make it, initialised, with nothing issued."""
        tls = Tls.made(place / "tls")
        with Bao.running(place / "bao", tls=tls) as bao:
            bao.mount_pki()
            bao.policy("certform", documented_policy())
            role, secret_id = app_role(bao)
            repository = rig.prepare(runner, place)
            (repository.root / "certificates.yaml").unlink()
            estate = cls(repository, runner, bao, secret_id)
            estate.write("config/vault-ca.pem", tls.authority.read_text())
            estate.write("config/issuers.yaml", ISSUER.format(url=bao.url, role=role))
            estate.seal("secrets/vault.sops.yaml", "secretId", secret_id)
            yield estate

    def want(self, issuer: str) -> None:
        """Write the one certificate's document."""
        self.write("web.yaml", WEB.format(issuer=issuer))

    def revoke(self, serial: str) -> None:
        """Write a Revocation of one serial."""
        self.write("revocation.yaml", rig.REVOCATION.format(serial=serial))

    def write(self, path: str, text: str) -> None:
        """Write a file of the repository."""
        file = self.repository.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)

    def seal(self, path: str, key: str, value: str) -> None:
        """Write a sops file that the repository's own identity opens."""
        found = re.search(r"age1[a-z0-9]+", (self.repository.root / "certform.yaml").read_text())
        assert found
        meant = [Recipient(age=found[0])]
        self.write(path, Sops().seal({key: Secret(value.encode())}, path, meant).decode())

    def run(self, *argv: str, **variables: str) -> Ended:
        """Run certform."""
        return self.runner.run(self.repository, *argv, **variables)

    def apply(self, *argv: str) -> Ended:
        """Run `certform apply --auto-approve`."""
        return self.run("apply", "--auto-approve", *argv)

    def settle(self, *argv: str) -> None:
        """Apply, and expect that nothing is left to do."""
        ended = self.apply(*argv)
        assert ended.status == 0, ended.out + ended.err
        left = self.run("plan")
        assert "No changes" in left.out, left.out + left.err

    @property
    def folder(self) -> Path:
        """Where the certificate is installed."""
        return self.repository.root / "live/edge/web/current"

    @property
    def served(self) -> x509.Certificate:
        """The certificate that is installed."""
        return x509.load_pem_x509_certificate((self.folder / "cert.pem").read_bytes())

    @property
    def serial(self) -> str:
        return f"{self.served.serial_number:x}"
