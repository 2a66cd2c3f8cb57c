"""Age keys of people who can open things, and an environment that holds nobody else's."""

import os

import pyrage
import pytest

from providers.sops import Sops
from schemas.project import Recipient


class Person:
    """Somebody with an age key in a file."""

    def __init__(self, folder, name):
        identity = pyrage.x25519.Identity.generate()
        self.secret = str(identity)
        self.public = str(identity.to_public())
        self.recipient = Recipient(age=self.public)
        self.file = folder / f"{name}.txt"
        self.file.write_text(self.secret + "\n", encoding="ascii")


@pytest.fixture(autouse=True)
def _nobodys_environment(monkeypatch, tmp_path):
    for name in [name for name in os.environ if name.startswith("SOPS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)


@pytest.fixture
def alice(tmp_path) -> Person:
    return Person(tmp_path, "alice")


@pytest.fixture
def bob(tmp_path) -> Person:
    return Person(tmp_path, "bob")


@pytest.fixture
def as_alice(monkeypatch, alice) -> Person:
    monkeypatch.setenv("SOPS_AGE_KEY_FILE", str(alice.file))
    return alice


@pytest.fixture
def sops() -> Sops:
    return Sops()
