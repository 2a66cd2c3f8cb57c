"""Keys of ACME accounts: made anew, or taken from where another client keeps them, and sealed in memory.

A key is never a file of ours, an argument or a variable of the environment before sops has encrypted it.
"""

import json
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import ec, rsa
from pydantic import ValidationError

from providers.secret import Secret
from providers.signer import PrivateKey
from providers.sops.binary import Sops
from providers.x509.keys import decode_key_file, encode_key, generate_key, key_pem
from reconciler.diagnostics import error
from reconciler.errors import InvalidInput
from reconciler.importing.outcome import HeldKey
from reconciler.importing.sources import Unread, read_secret
from reconciler.load.documents import Document
from schemas.certificate import Algorithm
from schemas.plan import Source
from schemas.project import ProjectSpec, Recipient
from schemas.request import KeyType
from schemas.secrets import SecretReference

_CURVES, _SIZES = (ec.SECP256R1, ec.SECP384R1), (2048, 3072, 4096)
"""Kinds of keys that ACME CAs take for accounts."""
_KIND = "an account's key is ECDSA P-256 or P-384, or RSA of 2048, 3072 or 4096 bits"


def keyring(documents: Iterable[Document]) -> tuple[Recipient, ...]:
    """Return who opens the secrets of a repository; raises `InvalidInput` where no Project says so."""
    project = next((each for each in documents if each.kind == "Project"), None)
    if project is None:
        hint = "run `certform init` first, or name the repository with -C"
        raise InvalidInput(
            [error("there is no Project whose keyring a key could be sealed to", hint=hint)]
        )
    try:
        return ProjectSpec.model_validate(project.data.get("spec")).keyring
    except ValidationError:
        hint = "`certform validate` says what is wrong with it"
        raise InvalidInput(
            [error("the Project is not valid", project.at("spec"), hint=hint)]
        ) from None


def new_account_key() -> Secret:
    """Return a new ECDSA P-256 key as PEM."""
    return key_pem(encode_key(generate_key(KeyType(algorithm=Algorithm.ECDSA, size=256))))


def held_key(held: HeldKey) -> Secret:
    """Return an account's key, a JWK as it is and any other as PEM (PKCS #8).

    Raises `Unread`, which tells nothing of it, for what is no such key.
    """
    content = read_secret(held.file)
    try:
        return account_key_of(content)
    except ValueError as why:
        raise Unread(
            error(f"no account key is in it: {why}", Source(file=str(held.file)))
        ) from None


def account_key_of(content: Secret) -> Secret:
    """Return an account's key, a JWK as it is and any other as PEM; raises ValueError for what is none."""
    if content.reveal().lstrip().startswith(b"{"):
        return _jwk(content)
    return key_pem(encode_key(_checked(decode_key_file(content))))


def _jwk(content: Secret) -> Secret:
    try:
        found = json.loads(content.reveal())
    except (ValueError, RecursionError):
        raise ValueError("it is no JSON") from None
    private = isinstance(found, dict) and isinstance(found.get("d"), str)
    if not private or found.get("kty") not in {"RSA", "EC"}:
        raise ValueError(_KIND)
    return Secret(json.dumps(found, separators=(",", ":")).encode())


def _checked(key: PrivateKey) -> PrivateKey:
    if isinstance(key, ec.EllipticCurvePrivateKey) and isinstance(key.curve, _CURVES):
        return key
    if isinstance(key, rsa.RSAPrivateKey) and key.key_size in _SIZES:
        return key
    raise ValueError(_KIND)


def seal(
    secret: Secret, reference: SecretReference, recipients: Sequence[Recipient], sops: Sops
) -> bytes:
    """Return the sops file that a reference names, with this one secret in it."""
    return sops.seal({reference.key: secret}, reference.name, recipients)


def wanted_secrets(
    references: Iterable[SecretReference], root: Path
) -> Mapping[str, tuple[str, ...]]:
    """Return the keys that are wanted in each sops file that is not there yet."""
    files: dict[str, dict[str, None]] = {}
    for reference in references:
        if not os.path.lexists(root / reference.name):
            files.setdefault(reference.name, {})[reference.key] = None
    return {name: tuple(keys) for name, keys in files.items()}
