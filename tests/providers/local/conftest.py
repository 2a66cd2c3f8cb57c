"""A local target in a temporary directory, and certificates for it."""

from datetime import UTC, datetime

import pytest

from providers.base import TargetConfig
from providers.conformance import OURS, request
from providers.local.directory import LocalDirectoryTarget
from providers.specimens import Specimens
from schemas.target import LocalDirectory, TargetSpec


@pytest.fixture(scope="session")
def specimens():
    return Specimens.make(datetime.now(UTC))


@pytest.fixture
def bundle(specimens):
    return lambda name="www.example.com": specimens.bundle(name, datetime.now(UTC))


@pytest.fixture
def make_target(tmp_path):
    def make(name="local", whose=OURS, check=None, reload=None, verify=None, **settings):
        place = LocalDirectory(path="tls", **settings)
        spec = TargetSpec(local_directory=place, check=check, reload=reload, verify=verify)
        return LocalDirectoryTarget.from_config(TargetConfig(name, spec, whose, tmp_path))

    return make


@pytest.fixture
def target(make_target):
    return make_target()


@pytest.fixture
def root(tmp_path):
    return tmp_path / "tls"


@pytest.fixture
def wanted(bundle):
    return lambda name="web", predecessor=None: request(name, bundle(), predecessor)
