"""An account's key that is taken over is one that the ACME issuer logs in with: the account goes on."""

from collections.abc import Callable
from pathlib import Path

import pytest
from acme_ca_rig import pem_of
from certbot_folders import account_jwk, account_pem
from cryptography.hazmat.primitives.asymmetric import ec

from providers.acme.accounts import read_key
from providers.secret import Secret
from reconciler.importing.keys import held_key, new_account_key
from reconciler.importing.outcome import HeldKey
from reconciler.importing.sources import Unread
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


def test_a_key_on_a_curve_that_no_ca_takes_is_not_taken_over(tmp_path: Path) -> None:
    path = tmp_path / "key"
    path.write_bytes(pem_of(ec.generate_private_key(ec.SECP256K1())))
    with pytest.raises(Unread):
        held_key(HeldKey("a", REFERENCE, path))
