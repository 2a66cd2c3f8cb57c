"""The age identity sops opens files with: found where sops looks, or made there."""

import os
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import pyrage

from providers.errors import Conflict


def identity_file(environ: Mapping[str, str], platform: str = sys.platform) -> Path:
    """Return where sops looks for age identities (getsops.io/docs, "Encrypting using age")."""
    if chosen := environ.get("SOPS_AGE_KEY_FILE"):
        return Path(chosen)
    if base := environ.get("XDG_CONFIG_HOME"):
        return Path(base, "sops", "age", "keys.txt")
    home = Path(environ.get("HOME") or Path.home())
    folder = home / "Library/Application Support" if platform == "darwin" else home / ".config"
    return folder / "sops" / "age" / "keys.txt"


def recipients_in(path: Path) -> tuple[str, ...]:
    """Return the public halves of the identities in a file, none where there is no file.

    Raises `Conflict` when it holds something else.
    """
    try:
        lines = path.read_text().splitlines()
    except FileNotFoundError:
        return ()
    keys = [line.strip() for line in lines if line.startswith("AGE-SECRET-KEY-")]
    try:
        return tuple(str(pyrage.x25519.Identity.from_str(key).to_public()) for key in keys)
    except pyrage.IdentityError:
        raise Conflict(f"{path} holds an age identity that cannot be read") from None


def make_identity(path: Path) -> str:
    """Add a new identity to a file only its owner can read; return its public half."""
    identity = pyrage.x25519.Identity.generate()
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(f"# created: {datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}\n")
        file.write(f"# public key: {identity.to_public()}\n{identity}\n")
        file.flush()
        os.fsync(file.fileno())
    return str(identity.to_public())
