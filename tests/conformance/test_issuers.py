"""Every issuer keeps the contract."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import acme_ca_rig
import pytest
from aws_emulator import AwsEmulator
from bao import Bao
from own_issuer import OwnIssuer
from pebble import Pebble
from private_ca import PrivateCa
from private_ca_signing import Line

from providers.acme.issuer import AcmeIssuer
from providers.aws.private_ca import POLLS, PrivateCaIssuer
from providers.issuer_conformance import IssuerConformance
from providers.issuing import Issuer
from providers.memory_issuer import Desk, MemoryIssuer
from providers.specimens import Specimens
from providers.vault.issuer import VaultIssuer
from providers.vault.session import VaultSession
from schemas.issuer import VAULT, AwsPrivateCa
from schemas.vault import Vault


class TestMemory(IssuerConformance):
    @pytest.fixture
    def issuer(self) -> MemoryIssuer:
        return MemoryIssuer(Desk(Specimens.make(datetime.now(UTC))))

    @pytest.fixture
    def busy(self, issuer: MemoryIssuer) -> Callable[[], None]:
        return lambda: setattr(issuer.desk, "waits", 1)


class TestOwn(IssuerConformance):
    @pytest.fixture
    def issuer(self) -> OwnIssuer:
        return OwnIssuer(Specimens.make(datetime.now(UTC)))


@pytest.fixture(scope="module")
def pebble(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pebble]:
    """A CA that takes every name for proved: some of the suite's lead nowhere."""
    trusting = {"PEBBLE_VA_ALWAYS_VALID": "1"}
    with Pebble.running(tmp_path_factory.mktemp("pebble"), trusting) as ca:
        yield ca


class TestAcme(IssuerConformance):
    addresses = ("192.0.2.1", "192.0.2.2")  # Pebble sorts the two kinds in two ways
    remembers = False

    @pytest.fixture
    def issuer(self, pebble: Pebble) -> AcmeIssuer:
        return acme_ca_rig.issuer(pebble)

    @pytest.fixture
    def busy(self, issuer: AcmeIssuer) -> Callable[[], None]:
        def wait_for_nothing() -> None:
            issuer.patience = 0

        return wait_for_nothing


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


@pytest.fixture(scope="module")
def bao(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bao]:
    with Bao.running(tmp_path_factory.mktemp("bao")) as server:
        server.mount_pki()
        yield server


class TestVault(IssuerConformance):
    keys = tuple(key for key in VAULT.keys or () if key.size < 3072)
    remembers = False
    named: str | None = None

    @pytest.fixture
    def issuer(self, bao: Bao, monkeypatch: pytest.MonkeyPatch) -> Issuer:
        monkeypatch.setenv("VAULT_TOKEN", bao.root)
        settings = Vault(server=bao.url, role="web", issuer=self.named)
        return VaultIssuer(settings, VaultSession(settings))


class TestVaultIssuer(TestVault):
    named = "default"
