"""Every issuer keeps the contract."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import pytest
from aws_emulator import AwsEmulator
from private_ca import PrivateCa
from private_ca_signing import Line

from providers.aws.private_ca import POLLS, PrivateCaIssuer
from providers.issuer_conformance import IssuerConformance
from providers.issuing import Issuer
from providers.memory_issuer import Desk, MemoryIssuer
from providers.specimens import Specimens
from schemas.issuer import AwsPrivateCa


class TestMemory(IssuerConformance):
    @pytest.fixture
    def issuer(self) -> MemoryIssuer:
        return MemoryIssuer(Desk(Specimens.make(datetime.now(UTC))))

    @pytest.fixture
    def busy(self, issuer: MemoryIssuer) -> Callable[[], None]:
        return lambda: setattr(issuer.desk, "waits", 1)


class AwsConformance(IssuerConformance):
    algorithm, line, usage_mode = "EC_prime256v1", Line.SUBORDINATE, "GENERAL_PURPOSE"

    @pytest.fixture
    def cas(self, monkeypatch: pytest.MonkeyPatch) -> Iterator[PrivateCa]:
        cas = PrivateCa()
        with AwsEmulator(services={"acm-pca": cas}).running() as emulator:
            for name, value in emulator.environment().items():
                monkeypatch.setenv(name, value)
            yield cas

    @pytest.fixture
    def issuer(self, cas: PrivateCa) -> Issuer:
        arn = cas.create(self.algorithm, self.line, self.usage_mode)
        return PrivateCaIssuer(AwsPrivateCa(arn=arn), sleep=lambda _: None)

    @pytest.fixture
    def busy(self, cas: PrivateCa) -> Callable[[], None]:
        return lambda: setattr(cas, "slow", POLLS)


class TestAwsSubordinate(AwsConformance):
    pass


class TestAwsRsaRoot(AwsConformance):
    algorithm, line = "RSA_2048", Line.ROOT


class TestAwsShortLived(AwsConformance):
    usage_mode = "SHORT_LIVED_CERTIFICATE"
