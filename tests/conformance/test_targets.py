"""Every target keeps the contract."""

from datetime import UTC, datetime

import pytest

from providers.base import Installed
from providers.conformance import TargetConformance
from providers.local.directory import LocalDirectoryTarget
from providers.local.layout import MARKER
from providers.memory import MemoryTarget


class TestLocalDirectory(TargetConformance):
    @pytest.fixture
    def target(self, config):
        return LocalDirectoryTarget.from_config(config)

    @pytest.fixture
    def intrude(self, config):
        def put():
            directory = config.root / "tls" / "foreign" / "current"
            directory.mkdir(parents=True)
            (directory / "cert.pem").write_text("somebody else's")
            return "foreign"

        return put

    @pytest.fixture
    def lose(self, config):
        return (config.root / "tls" / MARKER).unlink


class TestMemory(TargetConformance):
    @pytest.fixture
    def target(self, config):
        return MemoryTarget.from_config(config)

    @pytest.fixture
    def intrude(self, target):
        def put():
            foreign = Installed("memory:1", "foreign", {}, "1", "0" * 64, datetime.now(UTC))
            target.store.put_foreign(foreign)
            return "foreign"

        return put

    @pytest.fixture
    def lose(self, target):
        return lambda: setattr(target.store, "reachable", False)
