"""CAs for the tests of this folder; each is started once, where a test asks for it."""

from collections.abc import Iterator

import pytest
from a2c import A2c
from acme_ca_rig import Buyer
from acme_front import Front
from pebble import Pebble

from providers.solvers import standalone


@pytest.fixture(scope="session")
def pebble(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pebble]:
    with Pebble.running(tmp_path_factory.mktemp("pebble")) as ca:
        yield ca


@pytest.fixture
def front(pebble: Pebble) -> Iterator[Front]:
    with Front.running(pebble) as front:
        yield front


@pytest.fixture(scope="session")
def a2c(tmp_path_factory: pytest.TempPathFactory) -> Iterator[A2c]:
    with A2c.running(tmp_path_factory.mktemp("a2c")) as ca:
        yield ca


@pytest.fixture(autouse=True)
def _nobody_listens() -> Iterator[None]:
    """Let servers of runs that were stopped in this process end with their test, as with their process."""
    yield
    servers = standalone._SERVERS
    for address, server in tuple(servers.running.items()):
        for path in tuple(server.files):
            servers.remove(address, path)


@pytest.fixture
def buyer() -> Buyer:
    return Buyer()
