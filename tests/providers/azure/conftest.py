"""A vault on loopback, and a target that is one of its clients."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from azure.keyvault.certificates import CertificateClient
from keyvault_emulator import KeyVault

from providers.azure.credentials import Credentials
from providers.azure.errors import explain
from providers.azure.vault import KeyVaultTarget
from providers.base import Bundle, TargetConfig
from providers.calls import Calls
from providers.conformance import OURS
from providers.specimens import Specimens
from schemas.clouds import AzureKeyVault
from schemas.target import TargetSpec

Making = Callable[..., KeyVaultTarget]


@pytest.fixture
def vault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[KeyVault]:
    with KeyVault.made(tmp_path / "vault") as made:
        for name, value in made.environment().items():
            monkeypatch.setenv(name, value)
        yield made


@pytest.fixture
def known() -> Credentials:
    return Credentials()


@pytest.fixture
def config(vault: KeyVault, tmp_path: Path) -> TargetConfig:
    settings = AzureKeyVault(vault=vault.url, verify_challenge_resource=False)
    return TargetConfig("kv", TargetSpec(azure_key_vault=settings), OURS, tmp_path)


@pytest.fixture
def slept() -> list[float]:
    """How long was waited, in seconds, without waiting."""
    return []


@pytest.fixture
def target(config: TargetConfig, known: Credentials, slept: list[float]) -> KeyVaultTarget:
    return KeyVaultTarget(config, known, Calls(explain, sleep=slept.append))


@pytest.fixture
def client(vault: KeyVault, known: Credentials) -> CertificateClient:
    """Somebody else, who uses the same vault."""
    return CertificateClient(vault.url, known.of(None), verify_challenge_resource=False)


@pytest.fixture
def bundle() -> Callable[[], Bundle]:
    """Make a new certificate with a new key."""
    specimens = Specimens.make(datetime.now(UTC))
    return lambda: specimens.bundle("www.example.com", datetime.now(UTC))
