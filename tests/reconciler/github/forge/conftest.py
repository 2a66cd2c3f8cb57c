"""An emulated GitHub with one pull request, and no waiting for what GitHub would look up."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from github_emulator import GitHub
from github_state import Pull


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Look at once whether something was made."""
    monkeypatch.setattr("reconciler.github.forge.PAUSE", 0.01)


@pytest.fixture
def github(tmp_path: Path) -> Iterator[GitHub]:
    """GitHub, with one commit on `main`."""
    with GitHub.running(tmp_path) as github:
        github.commit({"certform.yaml": "kind: Project", "old.yaml": "x"})
        yield github


@pytest.fixture
def pull(github: GitHub) -> Pull:
    """An open pull request, of one commit."""
    return github.pull({"web.yaml": "kind: Certificate"})
