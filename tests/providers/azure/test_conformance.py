"""A Key Vault keeps the contract of every target."""

from collections.abc import Callable

import pytest
from azure.keyvault.certificates import CertificateClient, CertificatePolicy
from keyvault_emulator import KeyVault

from providers.azure.vault import KeyVaultTarget
from providers.base import Target
from providers.conformance import TargetConformance


class TestKeyVault(TargetConformance):
    @pytest.fixture
    def config(self, config: object) -> object:
        return config

    @pytest.fixture
    def target(self, target: KeyVaultTarget) -> Target:
        return target

    @pytest.fixture
    def intrude(self, client: CertificateClient) -> Callable[[], str]:
        def put() -> str:
            client.begin_create_certificate("foreign", CertificatePolicy.get_default()).result()
            return "foreign"

        return put

    @pytest.fixture
    def lose(self, vault: KeyVault) -> Callable[[], None]:
        return lambda: vault.store.denied.add("list")
