"""The age identities sops opens files with: found where sops looks, or made there."""

import os
import stat
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pyrage

from providers.errors import Conflict
from providers.system import has_folders

_KEY, _FILE, _COMMAND = "SOPS_AGE_KEY", "SOPS_AGE_KEY_FILE", "SOPS_AGE_KEY_CMD"
_PLUGIN, _LOCKED = "AGE-PLUGIN-", ("-----BEGIN AGE ENCRYPTED FILE-----", "age-encryption.org/v1")


@dataclass(frozen=True, slots=True)
class Source:
    """One place sops takes age identities from, and what certform sees there: public halves.

    `opaque`: only sops itself gets at what is there. `problem` says why sops cannot use it.
    """

    name: str
    file: Path | None = None
    recipients: tuple[str, ...] = ()
    opaque: bool = False
    problem: str = ""

    @property
    def vacant(self) -> bool:
        """Whether it is a file that is not there yet, or holds nothing yet."""
        nothing = not (self.recipients or self.opaque or self.problem)
        return self.file is not None and nothing


def identity_file(environ: Mapping[str, str], platform: str = sys.platform) -> Path:
    """Return the file sops looks into whatever the environment names (getsops.io/docs, age)."""
    if base := environ.get("XDG_CONFIG_HOME"):
        return Path(base, "sops", "age", "keys.txt")
    home = Path(environ.get("HOME") or Path.home())
    folder = home / "Library/Application Support" if platform == "darwin" else home / ".config"
    return folder / "sops" / "age" / "keys.txt"


def identity_sources(environ: Mapping[str, str]) -> tuple[Source, ...]:
    """Return every place sops looks into, the named ones first. Sops uses all that it can read."""
    sources = []
    if text := environ.get(_KEY):
        sources.append(_parsed(_KEY, None, text))
    if chosen := environ.get(_FILE):
        sources.append(_read(f"{_FILE} ({chosen})", Path(chosen)))
    if environ.get(_COMMAND):
        sources.append(Source(_COMMAND, opaque=True))
    path = identity_file(environ)
    return (*sources, _read(str(path), path))


def held_recipients(environ: Mapping[str, str]) -> frozenset[str] | None:
    """Return the public halves of the identities here; None when sops may have others as well."""
    sources = identity_sources(environ)
    if any(source.opaque for source in sources):
        return None
    return frozenset(recipient for source in sources for recipient in source.recipients)


def _read(name: str, path: Path) -> Source:
    try:
        return _parsed(name, path, path.read_bytes().decode())
    except FileNotFoundError:
        return Source(name, path)
    except OSError as why:
        return Source(name, path, problem=f"{name} cannot be read: {why.strerror}")
    except UnicodeDecodeError:
        return Source(name, path, problem=f"{name} holds no age identities")


def _parsed(name: str, file: Path | None, text: str) -> Source:
    """Read identities as age does: one a line, blank lines and comments between them."""
    if text.startswith(_LOCKED):
        return Source(name, file, opaque=True)
    lines = [line.strip() for line in text.splitlines()]
    keys = [line for line in lines if line and not line.startswith("#")]
    own = [key for key in keys if not key.startswith(_PLUGIN)]
    try:
        found = tuple(str(pyrage.x25519.Identity.from_str(key).to_public()) for key in own)
    except pyrage.IdentityError:
        # The line is not repeated: it may be a key with a typing error.
        return Source(name, file, problem=f"{name} holds a line that is no age identity")
    return Source(name, file, found, opaque=len(own) < len(keys))


def make_identity(path: Path) -> str:
    """Add a new identity to a file only its owner can read; return its public half.

    Raises `Conflict` when it is somebody else's file, or others can read it.
    """
    identity = pyrage.x25519.Identity.generate()
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    with os.fdopen(descriptor, "w") as file:
        found = os.fstat(descriptor)
        if found.st_uid != getattr(os, "geteuid", lambda: found.st_uid)():
            raise Conflict(f"{path} belongs to another user, who could read it: name another file")
        if others_read(found):
            raise Conflict(f"{path} can be read by others: chmod 600 {path}")
        file.write(f"# created: {datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}\n")
        file.write(f"# public key: {identity.to_public()}\n{identity}\n")
        file.flush()
        os.fsync(file.fileno())
    return str(identity.to_public())


def others_read(found: os.stat_result) -> bool:
    """Whether anybody but the owner may look into a file."""
    # without POSIX, who may is not in the mode
    return has_folders() and bool(found.st_mode & (stat.S_IRWXG | stat.S_IRWXO))
