"""Every target keeps the contract."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from providers.base import Installed, Target, TargetConfig
from providers.conformance import TargetConformance
from providers.local.directory import LocalDirectoryTarget
from providers.local.layout import MARKER
from providers.memory import MemoryTarget


class TestLocalDirectory(TargetConformance):
    @pytest.fixture
    def target(self, config: TargetConfig) -> Target:
        return LocalDirectoryTarget.from_config(config)

    @pytest.fixture
    def intrude(self, config: TargetConfig) -> Callable[[], str]:
        def put() -> str:
            directory = config.root / "tls" / "foreign" / "current"
            directory.mkdir(parents=True)
            (directory / "cert.pem").write_text("somebody else's")
            return "foreign"

        return put

    @pytest.fixture
    def lose(self, config: TargetConfig) -> Callable[[], None]:
        return (config.root / "tls" / MARKER).unlink


class TestMemory(TargetConformance):
    @pytest.fixture
    def target(self, config: TargetConfig) -> Target:
        return MemoryTarget.from_config(config)

    @pytest.fixture
    def intrude(self, target: MemoryTarget) -> Callable[[], str]:
        def put() -> str:
            foreign = Installed("memory:1", "foreign", {}, "1", "0" * 64, datetime.now(UTC))
            target.store.put_foreign(foreign)
            return "foreign"

        return put

    @pytest.fixture
    def lose(self, target: MemoryTarget) -> Callable[[], None]:
        return lambda: setattr(target.store, "reachable", False)
