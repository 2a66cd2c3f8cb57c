"""A repository with CAs on both sides of a Vault's, and OpenSSL as the judge of what hangs by what."""

import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import rig
from bao import Bao
from cryptography import x509
from rig import Ended, Repository, Runner

from providers.x509 import pem, to_der

ISSUERS = """\
kind: Issuer
metadata: {{name: company}}
spec: {{vault: {{server: "{server}", role: web}}}}
---
kind: Issuer
metadata: {{name: inside}}
spec: {{vault: {{server: "{server}", path: inside, role: web}}}}
"""
AUTHORITIES = """\
kind: Authority
metadata: {{name: root}}
spec: {{commonName: Own Root, duration: 10y}}
---
kind: Authority
metadata: {{name: services}}
spec:
  parentRef: company
  commonName: Own Services
  duration: 300d
  nameConstraints: {{permitted: {{dnsDomains: [example.com]}}}}
---
kind: Authority
metadata: {{name: deputy}}
spec:
  parentRef: root
  commonName: Own CA inside
  duration: 2y
  nameConstraints: {{permitted: {{dnsDomains: [example.com]}}}}
  privateKey:
    custody: {{vault: {{server: "{server}", path: inside}}}}
"""
LEAF = """\
kind: Certificate
metadata: {{name: {name}}}
spec: {{issuerRef: {issuer}, duration: {duration}, dnsNames: [{name}.example.com], targets: [edge]}}
"""


@dataclass
class Hierarchy:
    """The repository, the Vault, and what runs certform there."""

    repository: Repository
    runner: Runner
    bao: Bao

    @classmethod
    @contextmanager
    def founded(cls, runner: Runner, place: Path) -> Iterator["Hierarchy"]:
        """Make it, initialised, with a root in the mount `pki` and nothing in `inside`."""
        with Bao.running(place / "bao") as bao:
            bao.mount_pki()
            settings = {"type": "pki", "config": {"max_lease_ttl": "87600h"}}
            bao.write("sys/mounts/inside", settings)
            bao.role("inside")
            repository = rig.prepare(runner, place, cls._documents(bao.url))
            yield cls(repository, runner, bao)

    @staticmethod
    def _documents(server: str) -> Mapping[str, str]:
        return {
            "certform.yaml": rig.PROJECT,
            "config/targets.yaml": rig.TARGETS,
            "config/issuers.yaml": ISSUERS.format(server=server),
            "authorities/ca.yaml": AUTHORITIES.format(server=server),
        }

    def want(self, name: str, issuer: str, duration: str = "20d") -> None:
        """Write a Certificate's document."""
        text = LEAF.format(name=name, issuer=issuer, duration=duration)
        (self.repository.root / f"{name}.yaml").write_text(text)

    def edit(self, old: str, new: str) -> None:
        """Change the document of the CAs."""
        file = self.repository.root / "authorities/ca.yaml"
        text = file.read_text()
        assert old in text
        file.write_text(text.replace(old, new))

    def run(self, *argv: str, **variables: str) -> Ended:
        """Run certform with a token of Vault's in its environment."""
        return self.runner.run(self.repository, *argv, VAULT_TOKEN=self.bao.root, **variables)

    def apply(self, **variables: str) -> Ended:
        return self.run("apply", "--auto-approve", **variables)

    def settle(self) -> None:
        """Apply, and expect that nothing is left to do."""
        ended = self.apply()
        assert ended.status == 0, ended.out + ended.err
        assert "No changes" in self.run("plan").out

    def file(self, name: str, file: str) -> Path:
        """What is installed of a certificate."""
        return self.repository.root / f"live/edge/{name}/current/{file}"

    def chain(self, name: str) -> list[str]:
        """The common names of a certificate's issuers, from its own up to the one below the anchor."""
        pems = self.file(name, "chain.pem").read_bytes()
        return [_name(each) for each in x509.load_pem_x509_certificates(pems)]

    def served(self, name: str) -> x509.Certificate:
        """The certificate that is installed."""
        return x509.load_pem_x509_certificate(self.file(name, "cert.pem").read_bytes())

    def verified(self, name: str, anchors: str) -> str:
        """What OpenSSL says of a certificate and its chain below anchors (PEM)."""
        trusted = self.repository.temporary / "trusted.pem"
        trusted.write_text(anchors)
        argv = ["openssl", "verify", "-x509_strict", "-purpose", "sslserver", "-no-CApath"]
        argv += ["-CAfile", str(trusted), "-untrusted", str(self.file(name, "chain.pem"))]
        done = subprocess.run(
            [*argv, str(self.file(name, "cert.pem"))], capture_output=True, text=True, check=False
        )
        return done.stdout + done.stderr

    def published(self, name: str) -> str:
        """A CA's certificate as it is published, in PEM."""
        file = self.repository.root / f"live/pki/{name}.crt"
        return pem(to_der(file.read_bytes())).decode()

    def certificate(self, name: str) -> x509.Certificate:
        """A CA's certificate as it is published."""
        return x509.load_pem_x509_certificate(self.published(name).encode())

    def revoke(self, authority: str) -> None:
        """Write a Revocation of the first generation of a CA."""
        (self.repository.root / "revocations").mkdir()
        (self.repository.root / "revocations/incident.yaml").write_text(
            f"kind: Revocation\nmetadata: {{name: incident}}\nspec: {{authorityRef: {authority},"
            " generation: 1, reason: keyCompromise}\n"
        )

    def is_revoked_in_vault(self, serial: int) -> bool:
        """Whether the mount `pki` has revoked a certificate."""
        digits = f"{serial:040x}"
        name = ":".join(digits[at : at + 2] for at in range(0, len(digits), 2))
        return bool(self.bao.read(f"pki/cert/{name}")["revocation_time"])

    def names(self, path: str) -> list[str]:
        """What Vault lists below a path."""
        return list(self.bao.ask("LIST", path)["data"]["keys"])

    def vault_root(self) -> str:
        """The root of the mount `pki`, in PEM."""
        return str(self.bao.read("pki/cert/ca")["certificate"])


def _name(certificate: x509.Certificate) -> str:
    (found,) = certificate.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)
    return str(found.value)
