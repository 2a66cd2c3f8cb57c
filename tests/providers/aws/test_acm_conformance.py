"""The contract of every target, kept by ACM."""

from collections.abc import Callable

import pytest
from acm_others import Others
from aws_emulator import AwsEmulator

from providers.aws.acm import AcmTarget
from providers.base import Bundle, TargetConfig
from providers.conformance import TargetConformance


class TestAcm(TargetConformance):
    @pytest.fixture
    def config(self, config: TargetConfig) -> TargetConfig:
        return config

    @pytest.fixture
    def target(self, target: AcmTarget) -> AcmTarget:
        return target

    @pytest.fixture
    def intrude(self, others: Others, bundle: Callable[[], Bundle]) -> Callable[[], str]:
        return lambda: others.put(bundle(), {"team": "other"}).arn

    @pytest.fixture
    def lose(self, aws: AwsEmulator) -> Callable[[], None]:
        return lambda: setattr(aws, "expired", True)
