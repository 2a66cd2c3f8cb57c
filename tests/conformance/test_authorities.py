"""Every issuer that signs CAs keeps the contract; Vault with the policies of the pages and no other right."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from bao import Bao
from bao_logins import documented_policy

from providers.authority_conformance import AuthorityConformance
from providers.issuing import AuthorityIssuer
from providers.memory_issuer import Desk, MemoryIssuer
from providers.specimens import Specimens
from providers.vault.issuer import VaultIssuer
from providers.vault.session import VaultSession
from schemas.vault import Vault

PAGE = Path(__file__).parents[2] / "docs/authorities.md"
POLICY = next(
    block
    for block in re.findall(r"```hcl\n(.*?)```", PAGE.read_text(), re.DOTALL)
    if "sign-intermediate" in block
)


class TestMemory(AuthorityConformance):
    @pytest.fixture
    def issuer(self) -> AuthorityIssuer:
        return MemoryIssuer(Desk(Specimens.make(datetime.now(UTC))))


@pytest.fixture(scope="module")
def bao(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bao]:
    with Bao.running(tmp_path_factory.mktemp("bao")) as server:
        server.mount_pki()
        server.policy("certform", documented_policy())
        server.policy("cas", POLICY)
        server.policy("cas-named", POLICY.replace("pki/root/", "pki/issuer/default/"))
        yield server


class TestVault(AuthorityConformance):
    named: str | None = None

    @pytest.fixture
    def issuer(self, bao: Bao, monkeypatch: pytest.MonkeyPatch) -> AuthorityIssuer:
        cas = "cas-named" if self.named else "cas"
        monkeypatch.setenv("VAULT_TOKEN", bao.token("certform", cas))
        settings = Vault(server=bao.url, role="web", issuer=self.named)
        return VaultIssuer(settings, VaultSession(settings))


class TestVaultIssuer(TestVault):
    named = "default"
