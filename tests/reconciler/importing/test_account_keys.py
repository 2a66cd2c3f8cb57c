"""An account's key that is taken over is one that the ACME issuer logs in with: the account goes on."""

from collections.abc import Callable
from pathlib import Path

import pytest
from certbot_folders import account_jwk, account_pem

from providers.acme.accounts import read_key
from providers.secret import Secret
from reconciler.importing.keys import held_key, new_account_key
from reconciler.importing.outcome import HeldKey
from schemas.secrets import SecretReference

REFERENCE = SecretReference(name="config/a.sops.yaml", key="privateKey")


@pytest.mark.parametrize("make", [account_jwk, account_pem])
def test_the_issuer_takes_a_key_that_certbot_or_lego_kept(
    make: Callable[[], bytes], tmp_path: Path
) -> None:
    path = tmp_path / "key"
    path.write_bytes(make())
    taken = read_key(held_key(HeldKey("a", REFERENCE, path)), REFERENCE)
    assert taken.key.public_key() == read_key(Secret(path.read_bytes()), REFERENCE).key.public_key()


def test_the_issuer_takes_a_key_that_is_made() -> None:
    first, second = (read_key(new_account_key(), REFERENCE).key.public_key() for _ in range(2))
    assert first != second
