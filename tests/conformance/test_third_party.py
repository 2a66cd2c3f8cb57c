"""A target and a kind of DNS of somebody else's, in a wheel, are found, checked, used, and judged."""

import os
import subprocess
import sys
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from providers.sops.identity import make_identity

SOURCE = Path(__file__).parent / "third-party"
Run = Callable[[Sequence[str | Path]], "subprocess.CompletedProcess[str]"]

PROJECT = """\
apiVersion: certform.dev/v1
kind: Project
metadata: {{name: boxed}}
spec:
  keyring: [{{age: {recipient}}}]
"""
AUTHORITY = """\
kind: Authority
metadata: {name: root}
spec: {commonName: Boxed Root}
"""
TARGET = """\
kind: Target
metadata: {name: box}
spec:
  example.com/box:
    path: box.json
"""
ISSUER = """\
kind: Issuer
metadata: {name: public}
spec:
  acme:
    server: https://ca.example.com/directory
    privateKeySecretRef: {name: secrets.sops.yaml, key: account}
    solvers:
      - dns01:
          example.com/records:
            pat: /srv/records.json
            tokenSecretRef: {name: secrets.sops.yaml, key: token}
"""
SEALED = "ENC[AES256_GCM,data:dGVzdA==,iv:dGVzdA==,tag:dGVzdA==,type:str]"
SECRETS = f"account: {SEALED}\ntoken: {SEALED}\nsops: {{}}\n"
CERTIFICATE = """\
kind: Certificate
metadata: {name: web}
spec: {issuerRef: root, dnsNames: [web.example], targets: [box]}
"""


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built by the tools its maker would use, and unpacked as pip would install it."""
    folder = tmp_path_factory.mktemp("third-party")
    build = [sys.executable, "-m", "build", "--no-isolation", "--wheel"]
    subprocess.run([*build, "--outdir", str(folder), str(SOURCE)], check=True, capture_output=True)
    (wheel,) = folder.glob("*.whl")
    zipfile.ZipFile(wheel).extractall(folder / "site")
    return folder / "site"


@pytest.fixture
def run(installed: Path, tmp_path: Path) -> Run:
    key = tmp_path / "age-test-key.txt"
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(
            [str(installed), *filter(None, [os.environ.get("PYTHONPATH")])]
        ),
        "SOPS_AGE_KEY_FILE": str(key),
    }

    def run(argv: Sequence[str | Path]) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            argv, env=environment, capture_output=True, text=True, check=False, cwd=tmp_path
        )

    return run


@pytest.fixture
def certform(run: Run, tmp_path: Path) -> Callable[..., "subprocess.CompletedProcess[str]"]:
    """Run the program in a repository with one certificate in the box."""
    recipient = make_identity(tmp_path / "age-test-key.txt")
    root = tmp_path / "repository"
    for name, text in {
        "certform.yaml": PROJECT.format(recipient=recipient),
        "authorities/root.yaml": AUTHORITY,
        "config/box.yaml": TARGET,
        "web.yaml": CERTIFICATE,
    }.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    program = Path(sys.executable).with_name("certform")

    def certform(*argv: str) -> "subprocess.CompletedProcess[str]":
        return run([program, "-C", root, *argv])

    return certform


@pytest.mark.parametrize("suite", ["box_conformance.py", "records_conformance.py"])
def test_it_passes_the_suite(run: Run, suite: str) -> None:
    done = run(
        [
            sys.executable,
            "-m",
            "pytest",
            "-q",
            "-p",
            "no:cacheprovider",
            "-c",
            os.devnull,
            SOURCE / suite,
        ]
    )
    assert done.returncode == 0, done.stdout
    assert " passed" in done.stdout
    assert " failed" not in done.stdout


def test_the_program_uses_it(
    certform: Callable[..., "subprocess.CompletedProcess[str]"], tmp_path: Path
) -> None:
    for argv in (("init",), ("validate",), ("apply", "--auto-approve")):
        done = certform(*argv)
        assert done.returncode == 0, done.stdout + done.stderr
    box = tmp_path / "repository" / "box.json"
    assert "web" in box.read_text()
    assert box.stat().st_mode & 0o077 == 0
    assert "No changes" in certform("plan").stdout


def test_its_objections_stand_at_their_lines(
    certform: Callable[..., "subprocess.CompletedProcess[str]"], tmp_path: Path
) -> None:
    target = tmp_path / "repository" / "config" / "box.yaml"
    target.write_text(TARGET.replace("path: box.json", "pat: box.json"))
    done = certform("validate")
    assert done.returncode == 1
    assert "config/box.yaml:5" in done.stdout + done.stderr
    assert "pat is not a field" in done.stdout + done.stderr


def test_a_kind_that_nobody_installed_is_told_with_its_line(
    certform: Callable[..., "subprocess.CompletedProcess[str]"], tmp_path: Path
) -> None:
    target = tmp_path / "repository" / "config" / "box.yaml"
    target.write_text(TARGET.replace("example.com/box", "example.com/crate"))
    done = certform("validate")
    assert done.returncode == 1
    assert "config/box.yaml:4" in done.stdout + done.stderr
    assert (
        "no installed package has a target of kind example.com/crate" in done.stdout + done.stderr
    )


def test_a_kind_of_dns_is_asked_about_its_settings(
    certform: Callable[..., "subprocess.CompletedProcess[str]"], tmp_path: Path
) -> None:
    (tmp_path / "repository" / "config" / "public.yaml").write_text(ISSUER)
    (tmp_path / "repository" / "secrets.sops.yaml").write_text(SECRETS)
    done = certform("validate")
    assert done.returncode == 1
    assert "config/public.yaml:10" in done.stdout + done.stderr
    assert "pat is not a field" in done.stdout + done.stderr
    (tmp_path / "repository" / "config" / "public.yaml").write_text(ISSUER.replace("pat:", "path:"))
    assert certform("validate").returncode == 0
