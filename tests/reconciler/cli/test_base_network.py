"""Whom a plan speaks to, over the wire: never an address that is proposed, whatever field it stands in."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import kms_gcp
import pytest
from aws_emulator import AwsEmulator
from branches import commit, git, stranger
from certificate_manager_emulator import CertificateManagerEmulator
from command_line import Repository
from cryptography.hazmat.primitives.asymmetric import ec
from keyvault_emulator import KeyVault
from wire import Request, Response, Wire

TARGETS, PROFILES, AUTHORITY = (
    "config/targets.yaml",
    "config/profiles.yaml",
    "authorities/services.yaml",
)
GOOGLE = """
---
kind: Target
metadata: {{name: edge}}
spec: {{gcp-certificate-manager: {{project: example-project, endpoint: "{endpoint}"}}}}
"""
VAULT = """
---
kind: Target
metadata: {{name: vault}}
spec: {{azure-key-vault: {{vault: "{address}", verifyChallengeResource: false}}}}
"""
ACM = """
---
kind: Target
metadata: {{name: acm}}
spec: {{aws-acm: {{regions: [eu-west-1], role: "arn:aws:iam::111122223333:role/{role}"}}}}
"""


@pytest.fixture
def evil() -> Iterator[Wire]:
    with stranger() as wire:
        yield wire


@pytest.fixture
def google(tmp_path: Path) -> Iterator[CertificateManagerEmulator]:
    (tmp_path / "google").mkdir()
    with CertificateManagerEmulator.running(tmp_path / "google") as emulator:
        yield emulator


def add(repository: Repository, document: str) -> None:
    with (repository.root / TARGETS).open("a") as file:
        file.write(document)


def reaching(repository: Repository, variables: Mapping[str, str]) -> Repository:
    """Return the same repository, run where an environment leads to a cloud."""
    return Repository(repository.root, {**repository.environment, **variables})


def named(repository: Repository, target: str) -> None:
    """Let every certificate go into a target, too."""
    repository.edit(PROFILES, "targets: [local]", f"targets: [local, {target}]")


def test_another_endpoint_is_not_spoken_to_before_it_is_merged(
    applied: Repository, google: CertificateManagerEmulator, evil: Wire
) -> None:
    add(applied, GOOGLE.format(endpoint=google.wire.url))
    named(applied, "edge")
    commit(applied)
    applied.edit(TARGETS, google.wire.url, evil.url)
    variables = google.environment()
    shown = reaching(applied, variables).run("plan", "--base", "HEAD").stdout
    assert evil.asked == []
    assert "ListCertificates" in google.wire.asked
    assert f'endpoint = "{google.wire.url}" -> "{evil.url}"' in shown
    assert "edge/global   observed, 0 certificates" in shown
    reaching(applied, variables).run("plan")
    assert evil.asked  # as proposed it is spoken to, where nobody says against what


def test_a_new_target_is_not_spoken_to_before_it_is_merged(
    applied: Repository, google: CertificateManagerEmulator, evil: Wire
) -> None:
    commit(applied)
    add(applied, GOOGLE.format(endpoint=evil.url))
    named(applied, "edge")
    shown = reaching(applied, google.environment()).run("plan", "--base", "HEAD").stdout
    assert (evil.asked, google.wire.asked) == ([], [])
    assert "edge/global   taken to hold nothing: new here" in shown


def test_nobody_is_spoken_to_for_a_repositorys_first_pull_request(
    empty: Repository, google: CertificateManagerEmulator, evil: Wire
) -> None:
    git(empty, "init", "--quiet", "--initial-branch", "main")
    commit(empty)
    empty.run("init", "--template", "mtls", "orders")
    add(empty, GOOGLE.format(endpoint=evil.url))
    named(empty, "edge")
    reaching(empty, google.environment()).run("plan", "--base", "HEAD")
    assert (evil.asked, google.wire.asked) == ([], [])


def test_another_vault_is_not_spoken_to_before_it_is_merged(
    applied: Repository, tmp_path: Path
) -> None:
    """The token that a vault is sent is good for more than that vault."""
    for name in ("ours", "theirs"):
        (tmp_path / name).mkdir()
    with KeyVault.made(tmp_path / "ours") as ours, KeyVault.made(tmp_path / "theirs") as theirs:
        add(applied, VAULT.format(address=ours.url))
        named(applied, "vault")
        commit(applied)
        variables = ours.environment()
        assert "observed" in reaching(applied, variables).run("plan", "--base", "HEAD").stdout
        asked = len(ours.wire.asked)
        assert asked
        applied.edit(TARGETS, ours.url, theirs.url)
        shown = reaching(applied, variables).run("plan", "--base", "HEAD").stdout
        assert theirs.wire.asked == []
        assert len(ours.wire.asked) == asked
        assert "taken to hold nothing: another place than before" in shown


def test_no_role_is_assumed_before_it_is_merged(applied: Repository) -> None:
    with AwsEmulator().running() as aws:
        add(applied, ACM.format(role="certform"))
        named(applied, "acm")
        commit(applied)
        applied.edit(TARGETS, "role/certform", "role/admin")
        sent: list[bytes] = []
        service = aws.wire.service

        def serve(request: Request) -> Response:
            sent.append(request.body)
            return service(request)

        aws.wire.service = serve
        shown = reaching(applied, aws.environment()).run("plan", "--base", "HEAD").stdout
        assumed = b"\n".join(body for body in sent if b"AssumeRole" in body)
        assert b"certform" in assumed
        assert b"admin" not in assumed
        assert "acm/eu-west-1   observed, 0 certificates" in shown


def test_a_plan_never_asks_for_a_ca_key(applied: Repository, evil: Wire) -> None:
    kms = kms_gcp.Kms()
    name = kms.make("ca", "EC_SIGN_P256_SHA256", ec.generate_private_key(ec.SECP256R1()))
    written = f'{{gcp-kms: {{key: {name}, endpoint: "{evil.url}"}}}}'
    commit(applied)
    applied.edit(
        AUTHORITY,
        "  generation: 1 ",
        f"  privateKey: {{custody: {written}}}\n  generation: 2 ",
    )
    shown = applied.run("plan", "--base", "HEAD").stdout
    assert "custody/services will be configured: new here" in shown
    applied.run("plan")
    assert evil.asked == []
