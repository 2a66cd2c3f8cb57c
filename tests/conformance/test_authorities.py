"""Every issuer that signs CAs keeps the contract."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from bao import Bao

from providers.authority_conformance import AuthorityConformance
from providers.issuing import AuthorityIssuer
from providers.memory_issuer import Desk, MemoryIssuer
from providers.specimens import Specimens
from providers.vault.issuer import VaultIssuer
from providers.vault.session import VaultSession
from schemas.vault import Vault


class TestMemory(AuthorityConformance):
    @pytest.fixture
    def issuer(self) -> AuthorityIssuer:
        return MemoryIssuer(Desk(Specimens.make(datetime.now(UTC))))


@pytest.fixture(scope="module")
def bao(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bao]:
    with Bao.running(tmp_path_factory.mktemp("bao")) as server:
        server.mount_pki()
        yield server


class TestVault(AuthorityConformance):
    named: str | None = None

    @pytest.fixture
    def issuer(self, bao: Bao, monkeypatch: pytest.MonkeyPatch) -> AuthorityIssuer:
        monkeypatch.setenv("VAULT_TOKEN", bao.root)
        settings = Vault(server=bao.url, role="web", issuer=self.named)
        return VaultIssuer(settings, VaultSession(settings))


class TestVaultIssuer(TestVault):
    named = "default"
