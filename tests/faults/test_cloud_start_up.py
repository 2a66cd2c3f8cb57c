"""No SDK is imported before a target needs it, and none at all where no target does."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from providers.sops.identity import make_identity

SDKS = ("boto3", "botocore", "azure", "google", "grpc", "msal", "requests", "moto")
FORBIDDING = f"""\
import sys
from importlib.abc import MetaPathFinder

class Forbidden(MetaPathFinder):
    def find_spec(self, name, path, target=None):
        if name.partition(".")[0] in {SDKS!r}:
            raise AssertionError(f"{{name}} is imported")

sys.meta_path.insert(0, Forbidden())
from reconciler.__main__ import main
main()
"""
LOCAL = """\
kind: Target
metadata: {name: edge}
spec: {local-directory: {path: live}}
"""
CLOUDS = """\
---
kind: Target
metadata: {name: aws}
spec: {aws-acm: {regions: [eu-west-1, us-east-1]}}
---
kind: Target
metadata: {name: vault}
spec: {azure-key-vault: {vault: kv-example-prod}}
---
kind: Target
metadata: {name: google}
spec: {gcp-certificate-manager: {project: example-project}}
"""
DOCUMENTS = """\
kind: Authority
metadata: {name: root}
spec: {commonName: Example Root}
---
kind: Certificate
metadata: {name: web}
spec: {issuerRef: root, dnsNames: [www.example.com], targets: [edge]}
"""


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository with a ledger whose only target is a directory."""
    root = tmp_path_factory.mktemp("start-up") / "repository"
    for folder in ("authorities", "config"):
        (root / folder).mkdir(parents=True)
    recipient = make_identity(root.parent / "identity.txt")
    project = f"metadata: {{name: start-up}}\nspec: {{keyring: [{{age: {recipient}}}]}}\n"
    (root / "certform.yaml").write_text(f"apiVersion: certform.dev/v1\nkind: Project\n{project}")
    authority, certificate = DOCUMENTS.split("---\n")
    (root / "authorities/ca.yaml").write_text(authority)
    (root / "certificates.yaml").write_text(certificate)
    (root / "config/targets.yaml").write_text(LOCAL)
    subprocess.run(["git", "init", "--quiet", "--initial-branch=main", root], check=True)
    assert certform(root, "init").returncode == 0
    return root


def certform(root: Path, *argv: str) -> "subprocess.CompletedProcess[str]":
    """Run certform in a process that cannot import any SDK."""
    environment = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    return subprocess.run(
        [sys.executable, "-c", FORBIDDING, *argv],
        cwd=root,
        env={**environment, "SOPS_AGE_KEY_FILE": str(root.parent / "identity.txt")},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


@pytest.mark.parametrize(
    "argv",
    [("version",), ("--help",), ("validate",), ("plan",), ("apply", "--auto-approve"), ("drift",)],
    ids=" ".join,
)
def test_where_no_target_is_in_a_cloud_no_sdk_is_imported(
    root: Path, argv: tuple[str, ...]
) -> None:
    done = certform(root, *argv)
    assert done.returncode in (0, 2), done.stdout + done.stderr


def test_documents_that_speak_of_clouds_are_checked_without_an_sdk(root: Path) -> None:
    targets = root / "config/targets.yaml"
    targets.write_text(LOCAL + CLOUDS)
    try:
        done = certform(root, "validate")
        assert done.returncode == 0, done.stdout + done.stderr
        planned = certform(root, "plan")
        assert "in find_spec" in planned.stderr, "an import would not be noticed"
    finally:
        targets.write_text(LOCAL)
