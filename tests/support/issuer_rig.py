"""A repository whose certificates come from a CA of ours, from AWS Private CA, and from ACM itself."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import rig
from aws_emulator import AwsEmulator
from cryptography import x509
from private_ca import PrivateCa
from rig import Ended, Repository, Runner

ISSUERS = """\
kind: Issuer
metadata: {{name: private}}
spec: {{aws-private-ca: {{arn: "{arn}"}}}}
---
kind: Issuer
metadata: {{name: amazon}}
spec: {{aws-acm: {{}}}}
---
kind: Target
metadata: {{name: acm}}
spec: {{aws-acm: {{regions: [eu-west-1]}}}}
"""
WEB = """\
kind: Certificate
metadata: {{name: web}}
spec: {{issuerRef: {issuer}, duration: 5d, dnsNames: [web.example.com], targets: [{target}]}}
"""


@dataclass
class Estate:
    """The repository, AWS on loopback, and what runs certform there."""

    repository: Repository
    runner: Runner
    aws: AwsEmulator
    cas: PrivateCa
    arn: str

    @classmethod
    @contextmanager
    def founded(cls, runner: Runner, place: Path) -> Iterator["Estate"]:
        """Make it, initialised, with nothing issued."""
        repository = rig.prepare(runner, place)
        cas = PrivateCa()
        arn = cas.create()
        (repository.root / "config/issuers.yaml").write_text(ISSUERS.format(arn=arn))
        (repository.root / "certificates.yaml").unlink()
        with AwsEmulator(services={"acm-pca": cas}).running() as aws:
            yield cls(repository, runner, aws, cas, arn)

    def at(self, repository: Repository, runner: Runner) -> "Estate":
        """The same around a copy of the repository, with a CA of its own."""
        arn = self.cas.create()
        issuers = repository.root / "config/issuers.yaml"
        issuers.write_text(issuers.read_text().replace(self.arn, arn))
        return Estate(repository, runner, self.aws, self.cas, arn)

    def bought(self) -> list[str]:
        """The serials (decimal) of all that the CA has issued."""
        return [arn.rpartition("/")[2] for arn in self.cas.sold if arn.startswith(self.arn)]

    def revoke(self, serial: str) -> None:
        """Write a Revocation of one serial."""
        (self.repository.root / "revocation.yaml").write_text(
            f'kind: Revocation\nmetadata: {{name: incident}}\nspec: {{serials: ["{serial}"],'
            " reason: superseded}\n"
        )

    def want(self, issuer: str, target: str = "edge") -> None:
        """Write the one certificate's document."""
        document = self.repository.root / "web.yaml"
        document.write_text(WEB.format(issuer=issuer, target=target))

    def run(self, *argv: str, **variables: str) -> Ended:
        """Run certform with what AWS's SDK looks for in its environment."""
        return self.runner.run(self.repository, *argv, **{**self.aws.environment(), **variables})

    def apply(self, **variables: str) -> Ended:
        return self.run("apply", "--auto-approve", **variables)

    def plan(self) -> str:
        ended = self.run("plan")
        assert ended.status == 0, ended.err
        return ended.out

    def settle(self, *argv: str) -> None:
        """Apply, and expect that nothing is left to do."""
        ended = self.run("apply", "--auto-approve", *argv)
        assert ended.status == 0, ended.out + ended.err
        assert "No changes" in self.plan()

    @property
    def served(self) -> x509.Certificate:
        """The certificate that is installed at the edge."""
        file = self.repository.root / "live/edge/web/current/cert.pem"
        return x509.load_pem_x509_certificate(file.read_bytes())
