"""The suite that its maker runs: certform's own, over a target that came in a wheel of its own."""

from collections.abc import Callable
from pathlib import Path

import pytest
from certform_box import BoxTarget

from providers.conformance import OURS, TargetConformance
from providers.plugins import plugin_class
from reconciler.sdk import Target, TargetConfig
from schemas.target import TargetSpec


class TestBox(TargetConformance):
    @pytest.fixture
    def config(self, tmp_path: Path) -> TargetConfig:
        spec = TargetSpec.model_validate({"example.com/box": {"path": "box.json"}})
        return TargetConfig("box", spec, OURS, tmp_path)

    @pytest.fixture
    def target(self, config: TargetConfig) -> Target:
        kind = plugin_class("example.com/box")
        assert kind is BoxTarget
        return kind.from_config(config)

    @pytest.fixture
    def lose(self, config: TargetConfig) -> Callable[[], None]:
        def spoil() -> None:
            (config.root / "box.json").write_text("{")

        return spoil
