"""A repository with a ledger, real git and real sops."""

import os
from collections.abc import Callable
from pathlib import Path

import pyrage
import pytest
from ledger_kit import NOW, Site, make_repository, run_git

from providers.sops.binary import Sops
from reconciler.ledger.creation import create_ledger
from schemas.project import LedgerSettings, Recipient


@pytest.fixture(scope="session")
def identity(tmp_path_factory: pytest.TempPathFactory) -> pyrage.x25519.Identity:
    made = pyrage.x25519.Identity.generate()
    file = tmp_path_factory.mktemp("age") / "keys.txt"
    file.write_text(str(made))
    file.chmod(0o600)
    os.environ["SOPS_AGE_KEY_FILE"] = str(file)
    return made


@pytest.fixture
def recipients(identity: pyrage.x25519.Identity) -> tuple[Recipient, ...]:
    return (Recipient(age=str(identity.to_public())),)


@pytest.fixture
def make_site(tmp_path: Path, recipients: tuple[Recipient, ...]) -> Callable[..., Site]:
    def make(*, remote: bool) -> Site:
        path = make_repository(tmp_path / "clone")
        if remote:
            run_git(tmp_path, "init", "--quiet", "--bare", "--initial-branch=main", "origin.git")
            run_git(path, "remote", "add", "origin", str(tmp_path / "origin.git"))
            run_git(path, "push", "--quiet", "origin", "main")
        settings = LedgerSettings()
        lineage = create_ledger(path, "example", settings, recipients, Sops(), NOW)
        return Site(path, settings.model_copy(update={"public_key": lineage.public_key}))

    return make


@pytest.fixture(params=[False, True], ids=["local", "remote"])
def site(request: pytest.FixtureRequest, make_site: Callable[..., Site]) -> Site:
    return make_site(remote=request.param)
