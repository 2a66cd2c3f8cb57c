"""The clouds of each story, and the company that it is about."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from clouds import Clouds
from company import SDKS, Company
from rig import Runner


@pytest.fixture(scope="session")
def runner() -> Iterator[Runner]:
    made = Runner(*SDKS)
    yield made
    made.stop()


@pytest.fixture
def clouds(tmp_path: Path) -> Iterator[Clouds]:
    with Clouds.running(tmp_path / "clouds") as running:
        yield running


@pytest.fixture
def company(clouds: Clouds, tmp_path: Path, runner: Runner) -> Company:
    return Company.founded(clouds, tmp_path, runner)
