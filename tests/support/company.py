"""A company with certificates in three clouds and on this machine, and the real `certform` to keep them."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import rig
from bystander import PROJECT, Bystander, Seen
from clouds import Clouds
from command_line import Repository, environment
from cryptography import x509

from providers.sops.identity import make_identity

REGIONS = ("eu-west-1", "us-east-1")
PARENT = f"projects/{PROJECT}/locations/global"
DOCUMENTS = {
    "certform.yaml": """\
apiVersion: certform.dev/v1
kind: Project
metadata: {name: stories}
spec: {keyring: [{age: RECIPIENT}]}
""",
    "authorities/ca.yaml": """\
kind: Authority
metadata: {name: root}
spec: {commonName: Story Root, duration: 10y}
---
kind: Authority
metadata: {name: web}
spec: {parentRef: root, commonName: Story Web CA, duration: 5y}
""",
    "config/acm.yaml": """\
kind: Target
metadata: {name: acm}
spec: {aws-acm: {regions: [eu-west-1]}}
""",
    "config/vault.yaml": """\
kind: Target
metadata: {name: vault}
spec: {azure-key-vault: {vault: "https://localhost:8443", verifyChallengeResource: false}}
""",
    "config/google.yaml": """\
kind: Target
metadata: {name: google}
spec: {gcp-certificate-manager: {project: example-project, endpoint: "http://127.0.0.1:8080"}}
""",
    "config/edge.yaml": """\
kind: Target
metadata: {name: edge}
spec: {local-directory: {path: live/edge}}
""",
    "www.yaml": """\
kind: Certificate
metadata: {name: www}
spec:
  issuerRef: web
  duration: 20m
  renewBefore: 5m
  dnsNames: [www.example.com]
  targets: [acm, vault, google, edge]
""",
}
WRITES = re.compile(
    r"Import|Create|Delete|Update|Merge|Purge|Recover|Add|Remove|Request|Tag|Cancel"
)


SDKS = (
    "boto3",
    "azure.keyvault.certificates",
    "azure.identity",
    "google.cloud.certificate_manager_v1",
)
"""What a runner had better load once."""


@dataclass(frozen=True)
class Company:
    """Its clouds, somebody else who looks at them, and its repository."""

    clouds: Clouds
    bystander: Bystander
    repository: Repository
    runner: rig.Runner

    def write(self, path: str, text: str) -> None:
        """Write a document."""
        file = self.repository.root / path
        file.parent.mkdir(exist_ok=True)
        file.write_text(text)

    def run(self, *arguments: str, code: int = 0) -> str:
        """Run certform; return what it printed on stdout and on stderr, after checking how it ended."""
        where = self.repository.root.parent
        place = rig.Repository(self.repository.root, where / "age-key.txt", where / "tmp")
        ended = self.runner.run(place, *arguments, **self.repository.environment)
        told = ended.out + ended.err
        assert ended.status == code, f"{ended.status}\n{told}"
        assert "Traceback" not in told
        return told

    def plan(self) -> str:
        """Return what `certform plan` prints."""
        return self.run("plan")

    def apply(self, code: int = 0) -> str:
        """Return what `certform apply` prints."""
        return self.run("apply", "--auto-approve", code=code)

    def settle(self) -> None:
        """Apply; nothing is left to do."""
        self.apply()
        assert "No changes." in self.plan()

    def asked(self, run: Callable[[], object]) -> Mapping[str, list[str]]:
        """Return the operations that each cloud was asked for during a run."""
        before = {cloud: len(wire.asked) for cloud, wire in self.clouds.wires.items()}
        run()
        return {name: wire.asked[before[name] :] for name, wire in self.clouds.wires.items()}

    def in_acm(self, name: str, region: str = "eu-west-1") -> list[Seen]:
        """What a region holds under a certificate's name."""
        return [each for each in self.bystander.in_acm(region).values() if each.name == name]

    def everywhere(self, name: str) -> dict[str, Seen]:
        """What each place holds under a certificate's name, asked without certform."""
        found = {each.id.split(":")[3]: each for r in REGIONS for each in self.in_acm(name, r)}
        clouds = {"vault": self.bystander.in_vault(), "google": self.bystander.at_google()}
        found |= {cloud: held[name] for cloud, held in clouds.items() if name in held}
        file = self.repository.root / "live" / "edge" / name / "current" / "cert.pem"
        if file.exists():
            found["edge"] = Seen(str(file), {}, x509.load_pem_x509_certificate(file.read_bytes()))
        return found

    def strangers(self) -> dict[str, Seen]:
        """What belongs to somebody else, by its identity."""
        places = [
            *(self.bystander.in_acm(region) for region in REGIONS),
            self.bystander.in_vault(),
            self.bystander.at_google(),
        ]
        everything = [each for place in places for each in place.values()]
        return {each.id: each for each in everything if not each.name}

    @classmethod
    def founded(cls, clouds: Clouds, folder: Path, runner: rig.Runner) -> "Company":
        """A company with nothing issued yet, in whose places somebody else has a certificate already."""
        root, key = folder / "pki", folder / "age-key.txt"
        recipient = make_identity(key)
        root.mkdir()
        (folder / "tmp").mkdir()
        variables = {**environment(folder), **clouds.environment(), "SOPS_AGE_KEY_FILE": str(key)}
        made = cls(clouds, Bystander(variables), Repository(root, variables), runner)
        for path, text in DOCUMENTS.items():
            made.write(path, clouds.address(text).replace("RECIPIENT", recipient))
        made.run("init")
        made.bystander.put_strangers(*REGIONS)
        return made
