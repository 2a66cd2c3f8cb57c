"""Repositories whose merged pull requests are applied."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from merge_documents import certificate
from merge_house import House, Site, unborn

WEB = {"web.yaml": certificate("web")}


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Site:
    """Where one certificate was applied five days ago; it lives for thirty."""
    folder = tmp_path_factory.mktemp("site")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SOPS_AGE_KEY_FILE", str(folder / "house" / "identity.txt"))
        return Site.made(folder, WEB, days=5)


@pytest.fixture
def house(site: Site, monkeypatch: pytest.MonkeyPatch) -> Iterator[House]:
    """The repository, as it was at first."""
    monkeypatch.setenv("SOPS_AGE_KEY_FILE", str(site.place / "identity.txt"))
    with site.house() as house:
        yield house


@pytest.fixture
def bare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[House]:
    """A repository that nobody uses certform in yet."""
    monkeypatch.setenv("SOPS_AGE_KEY_FILE", str(tmp_path / "identity.txt"))
    with unborn(tmp_path) as house:
        yield house
