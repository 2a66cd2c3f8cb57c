"""Repositories to run commands in, made by the program itself."""

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

PROGRAM = Path(sys.executable).parent / "certform"


@dataclass(frozen=True)
class Repository:
    """A folder, and the environment certform runs in there."""

    root: Path
    environment: dict[str, str]

    def run(self, *arguments, code=0, **variables):
        """Run certform; return what it printed, after checking how it ended."""
        done = subprocess.run(
            [sys.executable, "-P", "-m", "reconciler", "-C", self.root, *arguments],
            env={**self.environment, **variables},
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        assert done.returncode == code, f"{done.returncode}\n{done.stdout}\n{done.stderr}"
        assert "Traceback" not in done.stdout + done.stderr
        return done

    def edit(self, path, old, new):
        """Change a document."""
        file = self.root / path
        text = file.read_text()
        assert old in text
        file.write_text(text.replace(old, new))


def environment(home):
    kept = {k: v for k, v in os.environ.items() if k in ("PATH", "LANG", "TMPDIR", "PYTHONPATH")}
    return {**kept, "HOME": str(home)}


@pytest.fixture(scope="session")
def _applied(tmp_path_factory):
    """A repository from the mTLS template, applied once."""
    base = tmp_path_factory.mktemp("applied")
    (base / "pki").mkdir()
    made = Repository(base / "pki", environment(base))
    made.run("init", "--template", "mtls", "orders", "payments")
    made.run("apply", "--auto-approve")
    return made


@pytest.fixture
def applied(_applied, tmp_path):
    """The same, for one test to change."""
    shutil.copytree(_applied.root.parent, tmp_path / "copy", symlinks=True)
    return Repository(tmp_path / "copy" / "pki", environment(tmp_path / "copy"))


@pytest.fixture
def empty(tmp_path):
    """A folder with nothing in it."""
    (tmp_path / "pki").mkdir()
    return Repository(tmp_path / "pki", environment(tmp_path))
