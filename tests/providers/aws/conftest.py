"""ACM on loopback, and a target in it that waits for nothing."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from acm_others import Others
from aws_emulator import AwsEmulator

from providers.aws.acm import AcmTarget
from providers.base import Bundle, TargetConfig
from providers.conformance import OURS
from providers.specimens import Specimens
from schemas.clouds import AwsAcm
from schemas.request import KeyType
from schemas.target import TargetSpec


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[AwsEmulator]:
    with AwsEmulator().running() as emulator:
        for name, value in emulator.environment().items():
            monkeypatch.setenv(name, value)
        yield emulator


@pytest.fixture
def config(tmp_path: Path) -> TargetConfig:
    spec = TargetSpec(aws_acm=AwsAcm(regions=("eu-west-1",)))
    return TargetConfig("conformance", spec, OURS, tmp_path)


@pytest.fixture
def target(aws: AwsEmulator, config: TargetConfig) -> AcmTarget:
    return AcmTarget(config, sleep=lambda _: None)


@pytest.fixture(scope="session")
def specimens() -> Specimens:
    return Specimens.make(datetime.now(UTC))


@pytest.fixture
def bundle(specimens: Specimens) -> Callable[[], Bundle]:
    return lambda: specimens.bundle("www.example.com", datetime.now(UTC))


@pytest.fixture
def others(aws: AwsEmulator) -> Others:
    return Others(aws)


@pytest.fixture
def make(specimens: Specimens) -> Callable[[KeyType], Bundle]:
    return lambda kind: specimens.bundle("www.example.com", datetime.now(UTC), kind)
