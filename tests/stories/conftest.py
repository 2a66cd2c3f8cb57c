"""The clouds of each story, and the company that it is about."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from clouds import Clouds
from company import SDKS, Company
from pull_request_town import Plot, Town
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


@pytest.fixture(scope="session")
def plot(
    tmp_path_factory: pytest.TempPathFactory,
    require: Callable[[str], str],
    tell: Callable[[str], None],
) -> Iterator[Plot]:
    require("cc")
    made = Plot.made(tmp_path_factory.mktemp("plot"))
    yield made
    for line in made.tally():
        tell(line)


@pytest.fixture
def town(plot: Plot) -> Iterator[Town]:
    with plot.town() as town:
        yield town
