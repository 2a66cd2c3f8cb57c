"""CA keys in an Azure Key Vault: keys that are of no use to a CA, and signatures of any length."""

import os
from collections.abc import Iterator
from pathlib import Path
from unittest import mock

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from keyvault_keys import Key, Vault
from keyvault_tokens import environment
from wire import Tls

from providers.azure.credentials import credentials
from providers.azure.errors import explain
from providers.azure.keys import AzureKeySigner, connected
from providers.calls import Calls
from providers.errors import Conflict, Denied, NotFound, ProviderError
from providers.remote import verifies
from schemas.custody import AzureKey


@pytest.fixture
def vault(tmp_path: Path) -> Iterator[Vault]:
    vault = Vault(Tls.made(tmp_path))
    identity = vault.tokens.wire()
    with (
        vault.wire().running(),
        identity.running(),
        mock.patch.dict(os.environ, environment(identity, vault.tls)),
    ):
        credentials.cache_clear()
        yield vault
        credentials.cache_clear()


def signer(vault: Vault, which: tuple[str, str], *, verify: bool = False) -> AzureKeySigner:
    key = AzureKey(key=vault.identifier(which), verify_challenge_resource=verify)
    calls = Calls(explain, patience=0.3, sleep=lambda _: None)
    return AzureKeySigner(key, lambda: connected(key), calls)


@pytest.fixture
def which(vault: Vault) -> tuple[str, str]:
    return vault.make("ca", ec.generate_private_key(ec.SECP521R1()))


def test_numbers_that_begin_with_zeros_are_signatures_too(
    vault: Vault, which: tuple[str, str]
) -> None:
    remote = signer(vault, which)
    public = remote.public_key()
    for number in range(24):  # of P-521, half of all numbers begin with a byte of zero
        data = bytes([number])
        assert verifies(public, remote.sign(data), data)


@pytest.mark.parametrize(
    ("key", "said"),
    [
        (ec.generate_private_key(ec.SECP256K1()), "its type is EC-HSM P-256K"),
        (rsa.generate_private_key(65537, 1024), "an RSA key of 1024 bits"),
    ],
)
def test_keys_that_no_ca_has_are_refused(vault: Vault, key: Key, said: str) -> None:
    with pytest.raises(Conflict, match=said):
        signer(vault, vault.make("ca", key)).public_key()


def test_a_key_that_is_not_for_signing_is_refused(vault: Vault, which: tuple[str, str]) -> None:
    vault.versions[which].operations = ("wrapKey", "unwrapKey")
    with pytest.raises(Conflict, match="do not include sign"):
        signer(vault, which).public_key()


def test_a_key_that_has_expired_signs_nothing_and_no_permission_is_asked_for(
    vault: Vault, which: tuple[str, str]
) -> None:
    vault.versions[which].expires = 1
    with pytest.raises(Conflict, match=r"expired key.*new `generation`") as refusal:
        signer(vault, which).sign(b"x")
    assert "permission" not in str(refusal.value)


def test_another_version_of_the_key_is_another_key(vault: Vault, which: tuple[str, str]) -> None:
    with pytest.raises(NotFound, match="was not found in this key vault"):
        signer(vault, (which[0], "f" * 32)).public_key()


def test_a_vault_of_another_domain_gets_no_token(vault: Vault, which: tuple[str, str]) -> None:
    with pytest.raises(ProviderError, match="verifyChallengeResource: false"):
        signer(vault, which, verify=True).public_key()
    assert vault.tokens.given == []


def test_a_token_that_has_expired_is_asked_for_anew(vault: Vault, which: tuple[str, str]) -> None:
    remote = signer(vault, which)
    remote.sign(b"x")
    vault.tokens.expire()
    with pytest.raises(Denied, match="does not take our token"):
        remote.sign(b"y")
