"""git objects, made here and stored with one process: blobs, trees and signed commits.

Names are computed as git computes them, so that everything one wave adds, its commit included,
travels in one pack and no half of it is ever visible.
"""

import hashlib
import struct
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal, NamedTuple

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from reconciler.errors import LedgerRefused
from reconciler.git import Git
from reconciler.ledger import sshsig

Kind = Literal["commit", "tree", "blob"]
_PACK_TYPES: Mapping[Kind, int] = {"commit": 1, "tree": 2, "blob": 3}
_IDENTITY = "certform <certform@localhost>"
_LOOSE_LIMIT = 100
"""As git's own transfer.unpackLimit: fewer objects than this are stored loose."""


class Packed(NamedTuple):
    """An object as a pack holds it. A bare tuple, so that it comes quickly out of another process."""

    id: str
    entry: bytes


@dataclass(frozen=True, slots=True)
class Object:
    """One git object and its name."""

    kind: Kind
    content: bytes
    id: str

    def packed(self) -> Packed:
        """Return the object as a pack holds it (gitformat-pack(5)), compressed without a delta."""
        size = len(self.content)
        head = bytearray([_PACK_TYPES[self.kind] << 4 | size & 0xF])
        size >>= 4
        while size:
            head[-1] |= 0x80
            head.append(size & 0x7F)
            size >>= 7
        # a window of 4 KiB holds a record; a larger one costs more to clear than to fill
        return Packed(self.id, bytes(head) + zlib.compress(self.content, 1, 12))


@dataclass(frozen=True, slots=True)
class Format:
    """How a repository names its objects: `sha1` or `sha256`."""

    algorithm: str

    def object(self, kind: Kind, content: bytes) -> Object:
        """Return an object with its name."""
        header = f"{kind} {len(content)}\0".encode()
        # git's choice of hash, not ours: what must not be forged is signed with SHA-512
        digest = hashlib.new(self.algorithm, header + content, usedforsecurity=False)
        return Object(kind, content, digest.hexdigest())

    @property
    def signature_header(self) -> str:
        """The commit header that holds a signature."""
        return "gpgsig" if self.algorithm == "sha1" else "gpgsig-sha256"


@dataclass(frozen=True, slots=True)
class Commit:
    """A commit before it is an object. Messages are UTF-8 text; `at` is kept to the second."""

    tree: str
    parent: str | None
    message: str
    at: datetime

    def payload(self) -> bytes:
        """Return the unsigned commit, which is what gets signed."""
        stamp = f"{_IDENTITY} {int(self.at.timestamp())} +0000"
        parent = [f"parent {self.parent}"] if self.parent else []
        header = [f"tree {self.tree}", *parent, f"author {stamp}", f"committer {stamp}"]
        return ("\n".join(header) + f"\n\n{self.message.strip()}\n").encode()


@dataclass(frozen=True, slots=True)
class StoredCommit:
    """A commit as it was found: what is signed, and the signature if there is one."""

    tree: str
    parents: tuple[str, ...]
    at: datetime
    message: str
    payload: bytes
    signature: str | None

    def signed_by(self, public_key: str) -> bool:
        """Whether the key (`ssh-ed25519 ...`) signed it."""
        signature = self.signature
        return signature is not None and sshsig.verify(public_key, self.payload, signature)


def object_format(git: Git) -> Format:
    """Return how a repository names its objects."""
    return Format(git.run("rev-parse", "--show-object-format").decode().strip())


def signed(naming: Format, commit: Commit, key: Ed25519PrivateKey) -> Object:
    """Return a commit object signed as `git commit -S` with `gpg.format=ssh` would."""
    payload = commit.payload()
    folded = sshsig.sign(key, payload).rstrip("\n").replace("\n", "\n ")
    header, _, message = payload.partition(b"\n\n")
    signature = f"\n{naming.signature_header} {folded}\n\n".encode()
    return naming.object("commit", header + signature + message)


def parse_commit(content: bytes) -> StoredCommit:
    """Return the parts of a commit object; raises `LedgerRefused` when it has not the usual ones."""
    header, _, message = content.decode(errors="surrogateescape").partition("\n\n")
    lines = header.replace("\n ", "\0").split("\n")
    fields = [line.partition(" ")[::2] for line in lines]
    signature = next((v.replace("\0", "\n") for k, v in fields if k.startswith("gpgsig")), None)
    kept = [line.replace("\0", "\n ") for line in lines if not line.startswith("gpgsig")]
    payload = "\n".join(kept) + f"\n\n{message}"
    values = dict(fields)
    try:
        tree, seconds = values["tree"], int(values["committer"].split()[-2])
        at = datetime.fromtimestamp(seconds, UTC)
    except (KeyError, IndexError, ValueError, OverflowError, OSError):
        raise LedgerRefused("a commit of the ledger is damaged") from None
    return StoredCommit(
        tree=tree,
        parents=tuple(value for key, value in fields if key == "parent"),
        at=at,
        message=content.partition(b"\n\n")[2].decode(errors="replace"),
        payload=payload.encode(errors="surrogateescape"),
        signature=signature,
    )


def trees(naming: Format, files: Mapping[str, str]) -> list[Object]:
    """Return every tree object over files (path to blob name), the root last."""
    folders: dict[str, list[tuple[bytes, bytes]]] = {"": []}
    for path, blob in files.items():
        folder, _, name = path.rpartition("/")
        _entries(folders, folder).append((name.encode(), _entry("100644", name, blob)))
    made = []
    for folder in sorted(folders, key=lambda path: -path.count("/") if path else 1):
        content = b"".join(entry for _, entry in sorted(folders[folder]))
        tree = naming.object("tree", content)
        made.append(tree)
        if folder:
            parent, _, name = folder.rpartition("/")
            # git sorts a folder as if its name ended with a slash
            folders[parent].append((f"{name}/".encode(), _entry("40000", name, tree.id)))
    return made


def store(git: Git, naming: Format, objects: Sequence[Object | Packed]) -> frozenset[str]:
    """Write objects durably into the repository: loose when few, else as one pack.

    Returns the ids of those that lie loose, whose names git does not flush.
    """
    pack = _pack(naming, [o if isinstance(o, Packed) else o.packed() for o in objects])
    if len(objects) < _LOOSE_LIMIT:
        git.run("unpack-objects", "-q", stdin=pack)
        return frozenset(item.id for item in objects)
    git.run("index-pack", "--stdin", stdin=pack)
    return frozenset()


def _entries(
    folders: dict[str, list[tuple[bytes, bytes]]], folder: str
) -> list[tuple[bytes, bytes]]:
    if folder not in folders:
        _entries(folders, folder.rpartition("/")[0])
    return folders.setdefault(folder, [])


def _entry(mode: str, name: str, object_id: str) -> bytes:
    return f"{mode} {name}\0".encode() + bytes.fromhex(object_id)


def _pack(naming: Format, packed: Sequence[Packed]) -> bytes:
    """Return a version 2 pack (gitformat-pack(5))."""
    entries = b"".join(item.entry for item in packed)
    body = b"PACK" + struct.pack(">II", 2, len(packed)) + entries
    return body + hashlib.new(naming.algorithm, body, usedforsecurity=False).digest()
