"""The ledger's two secrets, and the bundles leaf keys lie in while they must be kept.

Both secrets lie in one sops file: the Ed25519 key that signs the ledger, and the age identity that
opens the bundles. Writing a bundle needs the identity's public half only.
"""

import base64
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import pyrage
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from providers.secret import Secret
from reconciler.errors import LedgerRefused
from reconciler.ledger import sshsig
from reconciler.ledger.records import Lineage
from schemas.project import Recipient

_SIGNING_KEY, _LEAF_IDENTITY = "signing_key", "leaf_identity"


class Cipher(Protocol):
    """What encrypts to a keyring's recipients: sops. Failures are `ProviderError`s."""

    def encrypt(self, plaintext: Secret, recipients: Sequence[Recipient], /) -> bytes:
        """Return ciphertext that any one of the recipients can open."""
        ...

    def decrypt(self, ciphertext: bytes, /) -> Secret:
        """Return the plaintext, with whatever key this machine has."""
        ...


@dataclass(frozen=True, slots=True)
class Keyring:
    """The opened keyring."""

    signing_key: Ed25519PrivateKey = field(repr=False)
    leaf_identity: pyrage.x25519.Identity = field(repr=False)

    @property
    def public_key(self) -> str:
        """Return what `Project.spec.ledger.publicKey` must say."""
        return sshsig.public_line(self.signing_key.public_key())

    @property
    def leaf_recipient(self) -> str:
        """Return the age recipient that leaf keys are encrypted to."""
        return str(self.leaf_identity.to_public())


def generate() -> Keyring:
    """Return a keyring nobody has seen."""
    return Keyring(Ed25519PrivateKey.generate(), pyrage.x25519.Identity.generate())


def sealed(keyring: Keyring, recipients: Sequence[Recipient], cipher: Cipher) -> bytes:
    """Return the keyring's file."""
    content = {
        _SIGNING_KEY: base64.b64encode(keyring.signing_key.private_bytes_raw()).decode(),
        _LEAF_IDENTITY: str(keyring.leaf_identity),
    }
    return cipher.encrypt(Secret(json.dumps(content).encode()), recipients)


def opened(ciphertext: bytes, lineage: Lineage, cipher: Cipher) -> Keyring:
    """Open a keyring's file; `LedgerRefused` when it is not this ledger's."""
    keyring = _parsed(cipher.decrypt(ciphertext))
    if (keyring.public_key, keyring.leaf_recipient) != (lineage.public_key, lineage.leaf_recipient):
        raise LedgerRefused("the keyring in the ledger belongs to another ledger")
    return keyring


def _parsed(content: Secret) -> Keyring:
    try:
        values = json.loads(content.reveal())
        key = Ed25519PrivateKey.from_private_bytes(base64.b64decode(values[_SIGNING_KEY]))
        return Keyring(key, pyrage.x25519.Identity.from_str(values[_LEAF_IDENTITY]))
    except (ValueError, KeyError, TypeError, RecursionError, pyrage.IdentityError):
        # The cause would quote the secret it could not read.
        raise LedgerRefused("the keyring in the ledger is damaged") from None


def seal_bundle(keys: Mapping[str, Secret], leaf_recipient: str) -> bytes:
    """Return leaf keys (PKCS#8 DER by serial) as one age file."""
    content = {serial: base64.b64encode(key.reveal()).decode() for serial, key in keys.items()}
    recipient = pyrage.x25519.Recipient.from_str(leaf_recipient)
    ciphertext: bytes = pyrage.encrypt(json.dumps(content).encode(), [recipient])
    return ciphertext


def open_bundle(ciphertext: bytes, keyring: Keyring) -> dict[str, Secret]:
    """Return the leaf keys in a bundle by serial; `LedgerRefused` when it is damaged."""
    try:
        content = json.loads(pyrage.decrypt(ciphertext, [keyring.leaf_identity]))
        return {serial: Secret(base64.b64decode(key)) for serial, key in content.items()}
    except (pyrage.DecryptError, ValueError, TypeError, AttributeError, RecursionError):
        raise LedgerRefused("a bundle of leaf keys in the ledger is damaged") from None
