"""`refs/certform/keys`: a tree of age files without history, and the erasing of what left it.

A commit there has no parent. Its objects are always stored loose, so that exactly they can be
deleted: never `git gc`, never `git prune`, which would take the user's own lost work with them.
Whatever `reconciler.ledger.register` lists and is no longer current goes, after a crash as well.
"""

import os
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from providers.failpoints import reach
from reconciler.errors import LedgerRefused
from reconciler.git import Git, full
from reconciler.ledger.objects import Format, Object, StoredCommit, parse_commit
from reconciler.ledger.refs import KEYS
from reconciler.ledger.register import Register, reachable
from reconciler.ledger.store import Store

_FOLDER = "bundles/"
_SUFFIX = ".age"


@dataclass(frozen=True, slots=True)
class Bundles:
    """The bundles of one keys commit: blob id by bundle id."""

    blobs: Mapping[str, str]
    commit: StoredCommit | None = None

    @property
    def ids(self) -> frozenset[str]:
        """Return the bundles there are."""
        return frozenset(self.blobs)


def path(bundle: str) -> str:
    """Return where a bundle lies."""
    return f"{_FOLDER}{bundle}{_SUFFIX}"


def read(git: Git, tip: str | None) -> Bundles:
    """Return the bundles of a keys commit; none without one."""
    if tip is None:
        return Bundles({})
    listing = git.run("ls-tree", "-r", "-z", "--full-tree", full(tip)).decode()
    entries = (line.split("\t") for line in listing.split("\0") if line)
    blobs = {name: fields.split(" ")[2] for fields, name in entries}
    (commit,) = git.contents("commit", [tip])
    return Bundles({_bundle(name): blob for name, blob in blobs.items()}, parse_commit(commit))


def content(git: Git, bundles: Bundles, bundle: str, public_key: str) -> bytes:
    """Return a bundle's ciphertext; `LedgerRefused` when the ledger's key did not sign for it."""
    if bundles.commit is None or not bundles.commit.signed_by(public_key):
        raise LedgerRefused(f"{KEYS} is not signed with the ledger's key")
    (ciphertext,) = git.blobs([bundles.blobs[bundle]])
    return ciphertext


def write_loose(directory: Path, listed: Register, made: Sequence[Object]) -> None:
    """Enter the objects of a keys commit in the register, then store them loose and durably.

    Not by git: one that is killed leaves a draft whose name nobody could know.
    """
    listed.replace(listed.listed | {item.id for item in made})
    reach("ledger.keys.registered")
    for item in made:
        place, draft = _loose(directory, item.id)
        if not place.exists():
            _write(
                draft, zlib.compress(f"{item.kind} {len(item.content)}\0".encode() + item.content)
            )
            reach("ledger.keys.drafted")
            draft.replace(place)


def _loose(directory: Path, object_id: str) -> tuple[Path, Path]:
    """Return where an object lies, and where its draft does: under a name that git prunes too."""
    folder = directory / "objects" / object_id[:2]
    return folder / object_id[2:], folder / f"tmp_obj_{object_id}"


def _write(file: Path, content: bytes) -> None:
    file.parent.mkdir(exist_ok=True)
    file.unlink(missing_ok=True)
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o444), "wb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())


def sweep(place: Store, listed: Register, former: str | None = None) -> tuple[str, ...]:
    """Delete key objects that are not current; return those that cannot be, lying in a pack.

    `former` is a keys commit that has just been left.
    """
    reach("ledger.erase.before")
    tips = {tip for tip in (place.local().keys, place.tracked().keys) if tip}
    current = frozenset[str]().union(*(reachable(place.git, tip) for tip in tips))
    left = reachable(place.git, former) if former else frozenset()
    listed.replace(listed.listed | current | left)
    for object_id in listed.listed - current:
        for file in _loose(place.directory, object_id):
            file.unlink(missing_ok=True)
    stuck = _existing(place.git, listed.listed - current)
    listed.replace(current | stuck)
    reach("ledger.erase.after")
    return tuple(sorted(stuck))


def objects(naming: Format, files: Mapping[str, Object], kept: Mapping[str, str]) -> list[Object]:
    """Return the trees over bundles that are new (objects) and bundles that stay (blob ids)."""
    blobs = {path(b): o.id for b, o in files.items()} | {path(b): i for b, i in kept.items()}
    folder = b"".join(
        f"100644 {name.removeprefix(_FOLDER)}\0".encode() + bytes.fromhex(blob)
        for name, blob in sorted(blobs.items())
    )
    inner = naming.object("tree", folder)
    entry = f"40000 {_FOLDER.rstrip('/')}\0".encode() + bytes.fromhex(inner.id)
    return [*files.values(), inner, naming.object("tree", entry)]


def _bundle(name: str) -> str:
    if not (name.startswith(_FOLDER) and name.endswith(_SUFFIX)):
        raise LedgerRefused(f"{KEYS} holds a file that is no bundle: {name}")
    return name.removeprefix(_FOLDER).removesuffix(_SUFFIX)


def _existing(git: Git, object_ids: Iterable[str]) -> frozenset[str]:
    asked = "".join(f"{full(oid)}\n" for oid in object_ids).encode()
    if not asked:
        return frozenset()
    answers = git.run("cat-file", "--batch-check", stdin=asked).decode().splitlines()
    return frozenset(line.split()[0] for line in answers if not line.endswith(" missing"))
