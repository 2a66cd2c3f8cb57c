"""A repository whose targets are three emulated clouds: its jobs sign in, some to read and some to write."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bystander import PROJECT, Bystander, Seen
from clouds import Clouds
from command_line import environment
from company import WRITES
from github_emulator import GitHub
from pull_request_town import APPLY, LABEL, Town, certform, git, town_at
from town_clock import Clock
from workflow_steps import StandIn, Use

from providers.sops.identity import make_identity

TARGETS = ("acm/eu-west-1", "vault", "google/global")
DOCUMENTS = {
    "certform.yaml": f"""\
apiVersion: certform.dev/v1
kind: Project
metadata: {{name: {LABEL}}}
spec: {{keyring: [{{age: RECIPIENT}}]}}
""",
    "authorities/ca.yaml": """\
kind: Authority
metadata: {name: root}
spec: {commonName: Story Root, duration: 10y}
""",
    "config/targets.yaml": f"""\
kind: Target
metadata: {{name: acm}}
spec: {{aws-acm: {{regions: [eu-west-1]}}}}
---
kind: Target
metadata: {{name: vault}}
spec: {{azure-key-vault: {{vault: "https://localhost:8443", verifyChallengeResource: false}}}}
---
kind: Target
metadata: {{name: google}}
spec: {{gcp-certificate-manager: {{project: {PROJECT}, endpoint: "http://127.0.0.1:8080"}}}}
""",
}
VARIABLES = {
    "AWS_REGION": "eu-west-1",
    "AWS_PLAN_ROLE": "arn:aws:iam::111122223333:role/plan",
    "AWS_APPLY_ROLE": "arn:aws:iam::111122223333:role/apply",
    "AZURE_TENANT_ID": "tenant",
    "AZURE_PLAN_CLIENT_ID": "plan",
    "AZURE_APPLY_CLIENT_ID": "apply",
    "GCP_WORKLOAD_IDENTITY_PROVIDER": "pool",
    "GCP_PLAN_ACCOUNT": "plan",
    "GCP_APPLY_ACCOUNT": "apply",
}
WHO = {
    "aws-actions/configure-aws-credentials": "role-to-assume",
    "azure/login": "client-id",
    "google-github-actions/auth": "service_account",
}
"""The actions that sign a job in, and by which input they are told as whom."""


def certificate(name: str) -> str:
    """Return the document of a certificate in all three clouds."""
    return (
        f"kind: Certificate\nmetadata: {{name: {name}}}\n"
        f"spec: {{issuerRef: root, duration: 30d, dnsNames: [{name}.example.com],"
        " targets: [acm, vault, google]}\n"
    )


@dataclass(frozen=True, slots=True)
class Fleet:
    """A town whose targets are clouds, somebody else who looks at them, and as whom jobs signed in."""

    town: Town
    clouds: Clouds
    bystander: Bystander
    signed_in: list[str]

    def held(self, name: str) -> dict[str, Seen]:
        """Return what each cloud holds under a certificate's name."""
        places = {
            "acm": {each.name: each for each in self.bystander.in_acm("eu-west-1").values()},
            "vault": self.bystander.in_vault(),
            "google": self.bystander.at_google(),
        }
        return {place: held[name] for place, held in places.items() if name in held}

    @contextmanager
    def only_reading(self) -> Iterator[None]:
        """Check that no cloud is written to meanwhile."""
        before = {cloud: len(wire.asked) for cloud, wire in self.clouds.wires.items()}
        yield
        for cloud, wire in self.clouds.wires.items():
            assert not list(filter(WRITES.match, wire.asked[before[cloud] :])), cloud

    @contextmanager
    def asked_nothing(self) -> Iterator[None]:
        """Check that no cloud hears anything meanwhile."""
        before = {cloud: list(wire.asked) for cloud, wire in self.clouds.wires.items()}
        yield
        assert {cloud: wire.asked for cloud, wire in self.clouds.wires.items()} == before

    @classmethod
    @contextmanager
    def sailing(cls, clouds: Clouds, folder: Path, clock: Path) -> Iterator["Fleet"]:
        """Yield one with two certificates in each cloud, `www` and `old`; somebody else has one, too."""
        root, bare = folder / "repository", folder / "github.git"
        recipient, leading = make_identity(folder / "identity.txt"), clouds.environment()
        bystander = Bystander({**environment(folder), **leading})
        bystander.put_strangers("eu-west-1")
        for path, text in {
            **DOCUMENTS,
            "www.yaml": certificate("www"),
            "old.yaml": certificate("old"),
        }.items():
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_text(clouds.address(text).replace("RECIPIENT", recipient))
        git(folder, "init", "--quiet", "--bare", "--initial-branch=main", str(bare))
        git(bare, "config", "uploadpack.allowAnySHA1InWant", "true")
        git(root, "init", "--quiet", "--initial-branch=main")
        git(root, "remote", "add", "origin", str(bare))
        certform(root, folder, "init")
        git(root, "add", ".")
        git(root, "commit", "--quiet", "--message", "Documents")
        git(root, "push", "--quiet", "origin", "main")
        certform(root, folder, "apply", "--auto-approve", **leading)
        signed_in: list[str] = []
        actions = {**dict(_sign_in(clouds, signed_in))}
        with GitHub.running(folder, bare=bare) as github:
            town = town_at(github, folder, Clock(clock), actions=actions, variables=VARIABLES)
            github.add_check(github.tip(), APPLY)
            yield cls(town, clouds, bystander, signed_in)


def _sign_in(clouds: Clouds, told: list[str]) -> Iterator[tuple[str, StandIn]]:
    """Yield what stands in for the actions that sign in: it gives a job what leads to a cloud."""
    leading: tuple[Mapping[str, str], ...] = (
        clouds.aws.environment(), clouds.azure.environment(), clouds.gcp.environment(),
    )  # fmt: skip
    for (action, who), variables in zip(WHO.items(), leading, strict=True):

        def sign_in(use: Use, who: str = who, given: Mapping[str, str] = variables) -> None:
            if use.job.permissions.get("id-token") != "write":
                use.fail("there is no identity without id-token: write")
                return
            told.append(use.inputs[who].rpartition("/")[2])
            for name, value in given.items():
                use.export(name, value)

        yield action, sign_in
