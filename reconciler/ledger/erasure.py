"""Storing the objects of a keys commit so that they can be deleted, and deleting them.

They are always stored loose, so that exactly they can be deleted: never `git gc`, never `git prune`,
which would take the user's own lost work with them. Whatever `reconciler.ledger.register` lists and
is no longer current goes, after a crash as well.
"""

import os
import zlib
from collections.abc import Iterable, Sequence
from pathlib import Path

from providers.failpoints import reach
from providers.system import flags
from reconciler.git import Git, full
from reconciler.ledger import bundles
from reconciler.ledger.disk import delete
from reconciler.ledger.objects import Object
from reconciler.ledger.register import Register
from reconciler.ledger.store import Store


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


def sweep(place: Store, listed: Register, former: str | None = None) -> tuple[str, ...]:
    """Delete key objects that are not current; return those that cannot be, lying in a pack.

    `former` is a keys commit that has just been left.
    """
    reach("ledger.erase.before")
    tips = {tip for tip in (place.local().keys, place.tracked().keys) if tip}
    listed.enter(place.git, [*tips, *([former] if former else [])], place.public_key)
    current = frozenset[str]().union(*(bundles.named(place.git, tip) for tip in tips))
    leaving = listed.listed - current
    leaving -= _strange(place.git, leaving)
    for object_id in leaving:
        for file in _loose(place.directory, object_id):
            delete(file)
    stuck = frozenset(_kinds(place.git, leaving))
    listed.replace(listed.listed & current | stuck)
    reach("ledger.erase.after")
    return tuple(sorted(stuck))


def _loose(directory: Path, object_id: str) -> tuple[Path, Path]:
    """Return where an object lies, and where its draft does: under a name that git prunes too."""
    folder = directory / "objects" / object_id[:2]
    return folder / object_id[2:], folder / f"tmp_obj_{object_id}"


def _write(file: Path, content: bytes) -> None:
    file.parent.mkdir(exist_ok=True)
    delete(file)
    with os.fdopen(os.open(file, flags("O_WRONLY", "O_CREAT", "O_EXCL"), 0o444), "wb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())


def _strange(git: Git, object_ids: Iterable[str]) -> frozenset[str]:
    """Return the blobs that are no age files: a keys commit of somebody's key may name any blob."""
    blobs = [oid for oid, kind in _kinds(git, object_ids).items() if kind == "blob"]
    found = zip(blobs, git.contents("blob", blobs), strict=True)
    return frozenset(oid for oid, content in found if not content.startswith(bundles.AGE))


def _kinds(git: Git, object_ids: Iterable[str]) -> dict[str, str]:
    """Return the kind of those objects that exist, by id."""
    asked = "".join(f"{full(oid)}\n" for oid in object_ids).encode()
    if not asked:
        return {}
    answers = git.run("cat-file", "--batch-check", stdin=asked).decode().splitlines()
    found = (line.split() for line in answers if not line.endswith(" missing"))
    return {fields[0]: fields[1] for fields in found}
