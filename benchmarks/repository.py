"""A repository of any size, with an age key of its own and an empty ledger."""

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pyrage

CERTFORM = str(Path(sys.executable).with_name("certform"))
FILES = 100

_PROJECT = """\
apiVersion: certform.dev/v1
kind: Project
metadata: {{name: benchmark}}
spec:
  keyring:
    - age: {recipient}
"""
_AUTHORITIES = """\
kind: Authority
metadata: {name: root}
spec:
  commonName: Benchmark Root
---
kind: Authority
metadata: {name: internal}
spec:
  parentRef: root
  commonName: Benchmark Issuing CA
"""
_TARGET = """\
kind: Target
metadata: {{name: nodes}}
spec:
  local-directory:
    path: {path}
"""
_CERTIFICATE = """\
kind: Certificate
metadata:
  name: service-{number:05d}
  labels:
    team: payments
spec:
  issuerRef: internal
  dnsNames:
    - service-{number:05d}.example.internal
  duration: 90d
  usages: [server auth, client auth]
  targets: [{target}]
"""


@dataclass(frozen=True, slots=True)
class Repository:
    """A repository and the environment its commands run in."""

    root: Path
    environment: Mapping[str, str]

    def command(self, *words: str) -> list[str]:
        """Return the argument list of one certform command here."""
        return [CERTFORM, "--chdir", str(self.root), *words]

    def run(self, *words: str) -> None:
        """Run one certform command, raising CalledProcessError when it fails."""
        subprocess.run(self.command(*words), env=self.environment, check=True, capture_output=True)


def make_repository(root: Path, certificates: int) -> Repository:
    """Write the documents of that many certificates over 100 files, and create the ledger."""
    root.mkdir(parents=True)
    key = root.with_name(f"{root.name}.age")
    _write(root / "certform.yaml", _PROJECT.format(recipient=make_key(key)))
    _write(root / "authorities/internal.yaml", _AUTHORITIES)
    live = root.with_name(f"{root.name}.live")
    _write(root / "config/targets.yaml", _TARGET.format(path=live))
    for number in range(min(FILES, certificates)):
        documents = (_certificate(n, "nodes") for n in range(number, certificates, FILES))
        _write(root / f"teams/payments/file-{number:02d}.yaml", "---\n".join(documents))
    subprocess.run(["git", "init", "-q", "-b", "main", str(root)], check=True)
    made = Repository(root, {**os.environ, "SOPS_AGE_KEY_FILE": str(key)})
    made.run("init")
    return made


def make_key(path: Path) -> str:
    """Write a new age identity and return its recipient."""
    identity = pyrage.x25519.Identity.generate()
    path.touch(mode=0o600)
    path.write_text(f"{identity}\n")
    return str(identity.to_public())


def in_clouds(recipient: str, targets: str, counts: Mapping[str, int]) -> dict[str, str]:
    """Return the documents of so many certificates for each of some targets, over 100 files."""
    names = [name for name, count in counts.items() for _ in range(count)]
    files: dict[str, str] = {
        "certform.yaml": _PROJECT.format(recipient=recipient),
        "authorities/internal.yaml": _AUTHORITIES,
        "config/targets.yaml": targets,
    }
    for number in range(min(FILES, len(names))):
        numbers = range(number, len(names), FILES)
        documents = (_certificate(each, names[each]) for each in numbers)
        files[f"teams/payments/file-{number:02d}.yaml"] = "---\n".join(documents)
    return files


def example(folder: str) -> Path:
    """Return a copy of the example repository."""
    source = Path(__file__).resolve().parent.parent / "example-repo"
    return Path(shutil.copytree(source, Path(folder, "example")))


def _certificate(number: int, target: str) -> str:
    return _CERTIFICATE.format(number=number, target=target)


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
