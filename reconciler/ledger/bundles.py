"""`refs/certform/keys`: a tree of age files without history, and which objects it consists of.

Whoever may push can let that ref name anything, a commit of the user's own among it. So nothing is
taken for a keys commit that the ledger's key did not sign, that has a parent or another shape.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from reconciler.errors import LedgerRefused
from reconciler.git import Git, GitError, full
from reconciler.ledger.objects import Format, Object, StoredCommit, parse_commit
from reconciler.ledger.refs import KEYS

_FOLDER = "bundles"
_SUFFIX = ".age"
_HINT = "certform ledger recover goes on without it"
AGE = b"age-encryption.org/v1"
"""How an age file begins."""


@dataclass(frozen=True, slots=True)
class Bundles:
    """The bundles of one keys commit: blob id by bundle id, the commit, and the ids of its trees."""

    blobs: Mapping[str, str]
    tip: str | None = None
    trees: frozenset[str] = frozenset()

    @property
    def ids(self) -> frozenset[str]:
        """Return the bundles there are."""
        return frozenset(self.blobs)

    @property
    def objects(self) -> frozenset[str]:
        """Return every object the keys commit consists of."""
        return self.trees.union(self.blobs.values(), [self.tip] if self.tip else [])


def path(bundle: str) -> str:
    """Return where a bundle lies."""
    return f"{_FOLDER}/{bundle}{_SUFFIX}"


def read(git: Git, tip: str | None, public_key: str) -> Bundles:
    """Return the bundles of a keys commit, none without one; `LedgerRefused` for anything else."""
    if tip is None:
        return Bundles({})
    commit = _proved(git, tip, public_key)
    blobs, trees = {}, {commit.tree}
    for mode, object_id, name in _entries(git, tip):
        if (mode, name) == ("040000", _FOLDER):
            trees.add(object_id)
        elif mode == "100644" and name.startswith(f"{_FOLDER}/") and name.endswith(_SUFFIX):
            blobs[name[len(_FOLDER) + 1 : -len(_SUFFIX)]] = object_id
        else:
            raise LedgerRefused(f"{KEYS} holds what is no bundle: {name!r}", hint=_HINT)
    return Bundles(blobs, tip, frozenset(trees))


def key_objects(git: Git, tip: str, public_key: str | None) -> frozenset[str]:
    """Return the objects a keys commit consists of; none when what is named is no keys commit."""
    if public_key is None:
        return frozenset()
    try:
        return read(git, tip, public_key).objects
    except (GitError, LedgerRefused):
        return frozenset()


def named(git: Git, tip: str) -> frozenset[str]:
    """Return the objects that a ref's value needs, history left out, whatever it is.

    They may only be spared: what is to be deleted is `key_objects`.
    """
    try:
        (content,) = git.contents("commit", [full(tip)])
        tree = parse_commit(content).tree
        return frozenset({tip, tree, *(object_id for _, object_id, _ in _entries(git, tip))})
    except (GitError, LedgerRefused):
        return frozenset({tip})


def content(git: Git, bundles: Bundles, bundle: str) -> bytes:
    """Return a bundle's ciphertext."""
    (ciphertext,) = git.blobs([bundles.blobs[bundle]])
    return ciphertext


def objects(naming: Format, files: Mapping[str, Object], kept: Mapping[str, str]) -> list[Object]:
    """Return the trees over bundles that are new (objects) and bundles that stay (blob ids)."""
    blobs = {b: o.id for b, o in files.items()} | dict(kept)
    folder = b"".join(
        f"100644 {bundle}{_SUFFIX}\0".encode() + bytes.fromhex(blob)
        for bundle, blob in sorted(blobs.items(), key=lambda item: path(item[0]))
    )
    inner = naming.object("tree", folder)
    entry = f"40000 {_FOLDER}\0".encode() + bytes.fromhex(inner.id)
    return [*files.values(), inner, naming.object("tree", entry)]


def _proved(git: Git, tip: str, public_key: str) -> StoredCommit:
    try:
        (content,) = git.contents("commit", [full(tip)])
    except GitError as error:
        raise LedgerRefused(f"{KEYS} names no commit", hint=_HINT) from error
    commit = parse_commit(content)
    if not commit.signed_by(public_key):
        raise LedgerRefused(f"{KEYS} is not signed with the ledger's key", hint=_HINT)
    if commit.parents:
        raise LedgerRefused(f"{KEYS} has a history, which no keys commit has", hint=_HINT)
    return commit


def _entries(git: Git, tip: str) -> list[tuple[str, str, str]]:
    """Return mode, object id and path of every file and folder in a commit."""
    listing = git.run("ls-tree", "-r", "-t", "-z", "--full-tree", full(tip))
    lines = listing.decode(errors="surrogateescape").split("\0")[:-1]
    split = [line.split("\t", 1) for line in lines]
    return [(fields.split(" ")[0], fields.split(" ")[2], name) for fields, name in split]
