"""Age keys of people who can open things, and an environment that holds nobody else's."""

import os
from pathlib import Path

import pytest
from person import Person

from providers.sops import Sops


@pytest.fixture(autouse=True)
def _nobodys_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in [name for name in os.environ if name.startswith("SOPS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)


@pytest.fixture
def alice(tmp_path: Path) -> Person:
    return Person(tmp_path, "alice")


@pytest.fixture
def bob(tmp_path: Path) -> Person:
    return Person(tmp_path, "bob")


@pytest.fixture
def as_alice(monkeypatch: pytest.MonkeyPatch, alice: Person) -> Person:
    monkeypatch.setenv("SOPS_AGE_KEY_FILE", str(alice.file))
    return alice


@pytest.fixture
def sops() -> Sops:
    return Sops()
