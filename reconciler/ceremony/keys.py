"""Key files of an offline machine: PKCS #8, encrypted, of one's own, and never written over."""

import os
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from providers import x509
from providers.pbes2 import sealed
from providers.secret import Secret
from providers.signer import KeySigner, PrivateKey
from providers.system import sync_folder
from reconciler.diagnostics import error
from reconciler.errors import InvalidInput
from schemas.request import KeyType

SHORTEST = 12
"""Characters of a passphrase: below that it would be the weakest part of the ceremony."""
_LIMIT = 1 << 16


def load_key(path: Path, passphrase: Callable[[Path], Secret]) -> KeySigner:
    """Return the key of a PEM file; `passphrase` is asked for where it is encrypted.

    Raises `InvalidInput` for what is no key, or another passphrase.
    """
    try:
        text = path.read_bytes() if path.stat().st_size <= _LIMIT else b""
    except OSError as failure:
        raise _refused(f"{path} cannot be read: {failure.strerror}") from None
    secret = passphrase(path).reveal() if b"ENCRYPTED" in text else None
    try:
        key = load_pem_private_key(text, secret)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise _refused(f"{path} holds no key (PEM) that this passphrase opens") from None
    if not isinstance(key, PrivateKey):
        raise _refused(f"{path} holds no RSA, ECDSA, Ed25519 or ML-DSA key")
    return KeySigner(key)


def require_strong(passphrase: Secret) -> Secret:
    """Return a passphrase that may seal a key; raises `InvalidInput` for a short one."""
    if len(passphrase.reveal().decode(errors="replace")) < SHORTEST:
        raise _refused(f"the passphrase has fewer than {SHORTEST} characters")
    return passphrase


def make_key(path: Path, kind: KeyType, passphrase: Secret) -> KeySigner:
    """Make a key and write it, durably, for its owner alone; raises `InvalidInput` where a file is."""
    key = x509.generate_key(kind)
    _write(path, sealed(x509.encode_key(key), require_strong(passphrase)))
    return KeySigner(key)


def _write(path: Path, content: bytes) -> None:
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with _removed_on_failure(path), os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
            sync_folder(path.parent)  # or the name may be lost, and the key with it
    except FileExistsError:
        raise _refused(f"{path} is there already, and no key is written over: use --key") from None
    except OSError as failure:
        raise _refused(f"{path} cannot be written: {failure.strerror}") from None


@contextmanager
def _removed_on_failure(path: Path) -> Iterator[None]:
    """Leave no part of a key where a disk was full: it would be in the way, and is none."""
    try:
        yield
    except OSError:
        path.unlink(missing_ok=True)
        raise


def require_no_key(path: Path, new: Collection[Path] = ()) -> None:
    """Raise `InvalidInput` where a file that is to be written is a key, or is about to be one."""
    try:
        with path.open("rb") as file:
            held = b"PRIVATE KEY-----" in file.read(_LIMIT)
    except OSError:
        held = False
    if held or path.resolve() in {each.resolve() for each in new}:
        raise _refused(f"{path} is a key, and would be written over: choose another -o")


def _refused(why: str) -> InvalidInput:
    return InvalidInput((error(why),))
