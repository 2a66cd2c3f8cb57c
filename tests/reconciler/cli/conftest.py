"""Repositories to run commands in, made by the program itself."""

import shutil
from pathlib import Path

import pytest
from command_line import Repository, environment


@pytest.fixture(scope="session")
def _applied(tmp_path_factory: pytest.TempPathFactory) -> Repository:
    """A repository from the mTLS template, applied once."""
    base = tmp_path_factory.mktemp("applied")
    (base / "pki").mkdir()
    made = Repository(base / "pki", environment(base))
    made.run("init", "--template", "mtls", "orders", "payments")
    made.run("apply", "--auto-approve")
    return made


@pytest.fixture
def applied(_applied: Repository, tmp_path: Path) -> Repository:
    """The same, for one test to change."""
    shutil.copytree(_applied.root.parent, tmp_path / "copy", symlinks=True)
    return Repository(tmp_path / "copy" / "pki", environment(tmp_path / "copy"))


@pytest.fixture
def empty(tmp_path: Path) -> Repository:
    """A folder with nothing in it."""
    (tmp_path / "pki").mkdir()
    return Repository(tmp_path / "pki", environment(tmp_path))
