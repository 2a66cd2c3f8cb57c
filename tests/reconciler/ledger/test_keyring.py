"""What the ledger's secrets are read from may be anything: it is refused, and nothing is quoted."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import pyrage
import pytest

from providers.secret import Secret
from reconciler.errors import LedgerRefused
from reconciler.ledger import keyring
from reconciler.ledger.records import Lineage
from schemas.project import Recipient

DAMAGED = [b"", b"\xff", b"[]", b"7", b"null", b'{"a": 7}', b'{"a": "abc"}', b"[" * 100_000]


@dataclass(frozen=True)
class Opened:
    """A cipher that opens everything to the same content."""

    content: bytes

    def encrypt(self, plaintext: Secret, recipients: Sequence[Recipient], /) -> bytes:
        raise NotImplementedError

    def decrypt(self, ciphertext: bytes, /) -> Secret:  # noqa: ARG002
        return Secret(self.content)


def lineage_of(ring: keyring.Keyring) -> Lineage:
    return Lineage(
        id="0123456789abcdef",
        project="corp",
        created_at=datetime(2026, 1, 1, tzinfo=UTC),
        public_key=ring.public_key,
        leaf_recipient=ring.leaf_recipient,
    )


@pytest.mark.parametrize("content", [*DAMAGED, json.dumps({"signing_key": 7}).encode()])
def test_a_damaged_keyring_is_refused(content: bytes) -> None:
    with pytest.raises(LedgerRefused, match="keyring in the ledger is damaged"):
        keyring.opened(b"", lineage_of(keyring.generate()), Opened(content))


@pytest.mark.parametrize("content", DAMAGED)
def test_a_damaged_bundle_of_leaf_keys_is_refused(content: bytes) -> None:
    ring = keyring.generate()
    recipient = pyrage.x25519.Recipient.from_str(ring.leaf_recipient)
    with pytest.raises(LedgerRefused, match="bundle of leaf keys in the ledger is damaged"):
        keyring.open_bundle(pyrage.encrypt(content, [recipient]), ring)
