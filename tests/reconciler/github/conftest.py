"""A repository on the emulated GitHub, applied once, and a copy of it for each test."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from github_emulator import GitHub
from plan_station import Station, Stock, copied, stocked
from rig import Runner


@pytest.fixture(scope="session")
def _stock(tmp_path_factory: pytest.TempPathFactory) -> Stock:
    return stocked(tmp_path_factory.mktemp("stock"))


@pytest.fixture(scope="session")
def _runner() -> Iterator[Runner]:
    runner = Runner(
        "reconciler.cli.commands.action",
        "reconciler.github.commands.plan",
        "reconciler.github.rest",
    )
    yield runner
    runner.stop()


@pytest.fixture
def station(_stock: Stock, _runner: Runner, tmp_path: Path) -> Iterator[Station]:
    """The repository, served by the emulated GitHub until the test ends."""
    with GitHub.running(tmp_path, bare=copied(_stock, tmp_path)) as github:
        yield Station(github, tmp_path, _stock.documents, _runner)
