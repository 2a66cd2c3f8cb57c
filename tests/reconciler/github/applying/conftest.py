"""Repositories whose merged pull requests are applied."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from merge_documents import certificate
from merge_house import House, Site, unborn
from rig import Runner

WEB = {"web.yaml": certificate("web")}


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Site:
    """Where one certificate was applied five days ago; it lives for thirty."""
    folder = tmp_path_factory.mktemp("site")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SOPS_AGE_KEY_FILE", str(folder / "house" / "identity.txt"))
        return Site.made(folder, WEB, days=5)


@pytest.fixture(scope="session")
def _runner() -> Iterator[Runner]:
    runner = Runner(
        "reconciler.cli.commands.action",
        "reconciler.github.commands.apply",
        "reconciler.github.commands.plan",
        "reconciler.github.commands.renew",
        "reconciler.github.rest",
        "reconciler.inventory_page",
    )
    yield runner
    runner.stop()


@pytest.fixture
def house(site: Site, _runner: Runner, monkeypatch: pytest.MonkeyPatch) -> Iterator[House]:
    """The repository, as it was at first."""
    monkeypatch.setenv("SOPS_AGE_KEY_FILE", str(site.place / "identity.txt"))
    with site.house(_runner) as house:
        yield house


@pytest.fixture
def bare(tmp_path: Path, _runner: Runner, monkeypatch: pytest.MonkeyPatch) -> Iterator[House]:
    """A repository that nobody uses certform in yet."""
    monkeypatch.setenv("SOPS_AGE_KEY_FILE", str(tmp_path / "identity.txt"))
    with unborn(tmp_path, _runner) as house:
        yield house
