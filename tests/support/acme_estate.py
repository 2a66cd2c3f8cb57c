"""A repository whose certificates come from Pebble, its account's key in a sops file; certform runs in it."""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import rig
from acme_ca_rig import pem_key
from cryptography import x509
from name_server_ports import HOST
from pebble import Pebble
from rig import REVOCATION, Ended, Repository, Runner

from providers.secret import Secret
from providers.sops.binary import Sops
from schemas.project import Recipient

ISSUER = """\
kind: Issuer
metadata: {{name: public}}
spec:
  acme:
    server: {url}
    email: pki@example.com
    caBundle: config/acme-ca.pem
    privateKeySecretRef: {{name: secrets/acme.sops.yaml, key: account}}
    solvers: [{{http01: {{standalone: {{listen: "{listen}"}}}}}}]
"""
WEB = """\
kind: Certificate
metadata: {{name: {name}}}
spec: {{issuerRef: {issuer}, dnsNames: [{names}], targets: [edge]}}
"""


@dataclass
class AcmeEstate:
    """The repository, the CA, and what runs certform there."""

    repository: Repository
    runner: Runner
    pebble: Pebble

    @classmethod
    @contextmanager
    def founded(
        cls, runner: Runner, place: Path, environment: Mapping[str, str] | None = None
    ) -> Iterator["AcmeEstate"]:
        """Make it, initialised, with nothing issued; `environment` is Pebble's."""
        with Pebble.running(place / "pebble", environment) as pebble:
            repository = rig.prepare(runner, place)
            (repository.root / "certificates.yaml").unlink()
            estate = cls(repository, runner, pebble)
            estate.write("config/acme-ca.pem", pebble.anchors.decode())
            estate.declare()
            estate.seal("secrets/acme.sops.yaml", {"account": pem_key()})
            yield estate

    def declare(self, server: str = "", listen: str = "") -> None:
        """Write the Issuer's document: for Pebble, with a solver that answers where it looks."""
        text = ISSUER.format(
            url=server or self.pebble.url, listen=listen or f"{HOST}:{self.pebble.web_port}"
        )
        self.write("config/issuers.yaml", text)

    def want(self, *names: str, certificate: str = "web", issuer: str = "public") -> None:
        """Write one certificate's document."""
        text = WEB.format(name=certificate, issuer=issuer, names=", ".join(names))
        self.write(f"{certificate}.yaml", text)

    def revoke(self, certificate: x509.Certificate) -> None:
        """Write a Revocation of one certificate."""
        self.write("revocation.yaml", REVOCATION.format(serial=f"{certificate.serial_number:x}"))

    def write(self, path: str, text: str) -> None:
        """Write a file of the repository."""
        file = self.repository.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)

    def seal(self, path: str, values: Mapping[str, bytes]) -> None:
        """Write a sops file that the repository's own identity opens."""
        project = (self.repository.root / "certform.yaml").read_text()
        found = re.search(r"age1[a-z0-9]+", project)
        assert found, project
        sealed = Sops().seal(
            {key: Secret(value) for key, value in values.items()},
            path,
            [Recipient(age=found[0])],
        )
        self.write(path, sealed.decode())

    def run(self, *argv: str, **variables: str) -> Ended:
        """Run certform."""
        return self.runner.run(self.repository, *argv, **variables)

    def apply(self, **variables: str) -> Ended:
        """Run `certform apply --auto-approve`."""
        return self.run("apply", "--auto-approve", **variables)

    def settle(self) -> None:
        """Apply, and expect that nothing is left to do."""
        ended = self.apply()
        assert ended.status == 0, ended.out + ended.err
        left = self.run("plan")
        assert "No changes" in left.out, left.out + left.err

    def served(self, certificate: str = "web") -> x509.Certificate:
        """The certificate that is installed at the edge."""
        file = self.repository.root / f"live/edge/{certificate}/current/cert.pem"
        return x509.load_pem_x509_certificate(file.read_bytes())
