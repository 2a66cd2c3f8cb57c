"""A repository to import into."""

from pathlib import Path

import pytest
from command_line import Repository, environment


@pytest.fixture(scope="session")
def _begun(tmp_path_factory: pytest.TempPathFactory) -> Repository:
    base = tmp_path_factory.mktemp("begun")
    (base / "pki").mkdir()
    made = Repository(base / "pki", environment(base))
    made.run("init")
    return made


@pytest.fixture
def repository(_begun: Repository, tmp_path: Path) -> Repository:
    """A repository with a Project and nothing else, for one test to fill."""
    import shutil  # noqa: PLC0415

    shutil.copytree(_begun.root.parent, tmp_path / "home", symlinks=True)
    return Repository(tmp_path / "home" / "pki", environment(tmp_path / "home"))
