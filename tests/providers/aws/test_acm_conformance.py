"""The contract of every target, kept by ACM."""

from collections.abc import Callable

import pytest
from acm_certificates import Parsed
from aws_emulator import AwsEmulator

from providers.aws.acm import AcmTarget
from providers.base import Bundle, TargetConfig
from providers.conformance import TargetConformance


class TestAcm(TargetConformance):
    @pytest.fixture
    def config(self, config: TargetConfig) -> TargetConfig:
        return config

    @pytest.fixture
    def target(self, aws: AwsEmulator, config: TargetConfig) -> AcmTarget:
        return AcmTarget(config, sleep=lambda _: None)

    @pytest.fixture
    def intrude(self, aws: AwsEmulator, bundle: Callable[[], Bundle]) -> Callable[[], str]:
        def put() -> str:
            made = bundle()
            parsed, now = Parsed(made.certificate), aws.acm.now()
            return aws.store().put_imported(parsed, made.chain[0], {"team": "other"}, now).arn

        return put

    @pytest.fixture
    def lose(self, aws: AwsEmulator) -> Callable[[], None]:
        return lambda: setattr(aws, "expired", True)
