"""CAs whose keys are at key services, from YAML to what OpenSSL takes: the real program, over the wire."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from unittest import mock

import boto3
import kms_aws
import kms_gcp
import pytest
from aws_emulator import AwsEmulator
from certificate_manager_tokens import Tokens
from command_line import Repository, environment
from cryptography.hazmat.primitives.asymmetric import ec
from keyvault_keys import Vault
from keyvault_tokens import environment as environment_of
from wire import Tls, Wire

SERVICES = "authorities/services.yaml"


@pytest.fixture
def aws() -> Iterator[AwsEmulator]:
    with kms_aws.serving() as (emulator, _), mock.patch.dict(os.environ, emulator.environment()):
        yield emulator


def made(*, rsa: bool = False) -> str:
    """Return a new key as it is written."""
    client = boto3.Session().client("kms")
    key = client.create_key(KeySpec="RSA_2048" if rsa else "ECC_NIST_P256", KeyUsage="SIGN_VERIFY")
    return f"aws-kms: {key['KeyMetadata']['Arn']}"


def begun(folder: Path, custody: str, **variables: str) -> Repository:
    """Return a repository with a root in the ledger and an intermediate elsewhere; nothing is applied."""
    (folder / "pki").mkdir()
    pki = Repository(folder / "pki", {**environment(folder), **variables})
    pki.run("init", "--template", "mtls", "orders", "payments")
    pki.edit(
        "certform.yaml",
        "  # publish:\n  #   to: {directory: /srv/pki}",
        "  publish:\n    to: {directory: out/pki}",
    )
    pki.edit("certform.yaml", "  #   baseURL", "    baseURL")
    written = f"  duration: 3y\n  privateKey: {{custody: {{{custody}}}}}\n"
    pki.edit(SERVICES, "  duration: 3y\n", written)
    return pki


def rewrite(pki: Repository, custody: str) -> None:
    """Let the intermediate have another key."""
    line = next(x for x in (pki.root / SERVICES).read_text().splitlines() if "custody" in x)
    pki.edit(SERVICES, line, f"  privateKey: {{custody: {{{custody}}}}}")


@pytest.fixture
def pki(aws: AwsEmulator, tmp_path: Path) -> Repository:
    """One with the intermediate in AWS KMS."""
    found = begun(tmp_path, made(), **aws.environment())
    aws.wire.asked.clear()
    return found


def verified(pki: Repository, name: str) -> str:
    """Return what OpenSSL says of a certificate as it is installed."""
    folder = pki.root / "out/tls" / name / "current"
    argv = ["openssl", "verify", "-CAfile", "trust.pem", "-untrusted", "chain.pem", "cert.pem"]
    done = subprocess.run(argv, cwd=folder, capture_output=True, text=True, check=False)
    return done.stdout + done.stderr


def test_from_yaml_to_leaves_that_openssl_takes(pki: Repository, aws: AwsEmulator) -> None:
    planned = pki.run("plan").stdout
    assert "custody" in planned
    assert "aws-kms:arn:aws:kms:eu-west-1:" in planned
    assert aws.wire.asked == []
    pki.run("apply", "--auto-approve")
    assert verified(pki, "orders") == verified(pki, "payments") == "cert.pem: OK\n"
    # one proof, two leaves, one CRL
    assert aws.wire.counts == {"GetPublicKey": 1, "Sign": 4}
    aws.wire.asked.clear()
    assert "No changes." in pki.run("plan").stdout
    pki.run("drift")
    pki.run("apply", "--auto-approve")
    assert "problem" not in pki.run("doctor").stdout
    assert "in order" in pki.run("ledger", "recover").stdout
    pki.run("log", "--verify")
    assert "aws-kms:arn" in pki.run("show", "authority/services").stdout
    assert aws.wire.asked == []


def test_the_ledger_holds_nothing_of_the_key(pki: Repository) -> None:
    pki.run("apply", "--auto-approve")
    argv = ["git", "ls-tree", "-r", "--name-only", "certform/ledger", "authorities"]
    done = subprocess.run(argv, cwd=pki.root, capture_output=True, text=True, check=True)
    listed = done.stdout.split()
    assert [name for name in listed if "key" in name] == ["authorities/root.g1.key.sops.json"]


def test_who_may_not_sign_is_told_and_the_rest_is_done(pki: Repository, aws: AwsEmulator) -> None:
    aws.denied.add("Sign")
    told = pki.run("apply", "--auto-approve", code=4).stderr
    assert "kms:Sign" in told
    assert "kms:GetPublicKey and kms:Sign on the key" in told
    assert "Apply incomplete: 3 done, 1 failed" in told
    aws.denied.clear()
    pki.run("apply", "--auto-approve")
    assert verified(pki, "orders") == "cert.pem: OK\n"


def test_a_key_of_another_kind_is_refused(pki: Repository) -> None:
    rewrite(pki, made(rsa=True))
    told = pki.run("apply", "--auto-approve", code=4).stderr
    assert "is of kind RSA 2048, and ECDSA 256 is asked for" in told


def test_without_any_credentials_it_is_said_what_is_missing(pki: Repository) -> None:
    told = pki.run(
        "apply", "--auto-approve", code=4, AWS_ACCESS_KEY_ID="", AWS_SECRET_ACCESS_KEY=""
    )
    assert "there are no usable AWS credentials" in told.stderr


def test_an_edit_of_custody_takes_a_new_generation(pki: Repository) -> None:
    pki.run("apply", "--auto-approve")
    rewrite(pki, made())
    assert "set generation: 2" in pki.run("plan").stdout
    pki.edit(SERVICES, "generation: 1", "generation: 2")
    pki.run("apply", "--auto-approve")
    assert "No changes." in pki.run("plan").stdout
    assert verified(pki, "orders") == "cert.pem: OK\n"


def converges(pki: Repository, wire: Wire) -> None:
    """Apply, expect leaves that OpenSSL takes, and nothing left to do or to ask for."""
    pki.run("plan")
    assert wire.asked == []
    pki.run("apply", "--auto-approve")
    assert verified(pki, "orders") == verified(pki, "payments") == "cert.pem: OK\n"
    wire.asked.clear()
    assert "No changes." in pki.run("plan").stdout
    assert wire.asked == []


def test_a_key_in_an_azure_key_vault_signs_from_yaml_to_leaves(tmp_path: Path) -> None:
    vault = Vault(Tls.made(tmp_path))
    which = vault.make("ca", ec.generate_private_key(ec.SECP256R1()))
    identity = vault.tokens.wire()
    with vault.wire().running() as wire, identity.running():
        variables = environment_of(identity, vault.tls)
        key = f"{{key: '{vault.identifier(which)}', verifyChallengeResource: false}}"
        converges(begun(tmp_path, f"azure-key-vault: {key}", **variables), wire)


def test_a_key_in_google_cloud_kms_signs_from_yaml_to_leaves(tmp_path: Path) -> None:
    kms, tokens = kms_gcp.Kms(), Tokens()
    key = kms.make("ca", "EC_SIGN_P256_SHA256", ec.generate_private_key(ec.SECP256R1()))
    issuing = Wire(tokens.issue, lambda _: "Token")
    with kms.wire().running() as wire, issuing.running():
        file = tmp_path / "credentials.json"
        tokens.write_credentials(file, issuing.url)
        custody = f"gcp-kms: {{key: {key}, endpoint: '{wire.url}'}}"
        pki = begun(tmp_path, custody, GOOGLE_APPLICATION_CREDENTIALS=str(file))
        converges(pki, wire)
