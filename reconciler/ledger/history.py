"""The ledger's history: what was recorded when, and whether all of it holds."""

import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeAlias

from reconciler.errors import LedgerRefused
from reconciler.git import Git, full
from reconciler.ledger import layout, transitions
from reconciler.ledger.authorship import ACCEPTS_TIME, accepting, trailers_of
from reconciler.ledger.deeds import deeds
from reconciler.ledger.objects import StoredCommit, parse_commit
from reconciler.ledger.reader import current_tips, present
from reconciler.ledger.store import Store, open_store
from schemas.base import Model
from schemas.project import LedgerSettings

_FILE = "100644"
Blobs: TypeAlias = dict[str, tuple[str | None, str | None]]
"""By path the blob before and after; None where there is no such file."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One commit of the ledger. `signed` tells whether the Project's key signed it."""

    tip: str
    at: datetime
    message: str
    signed: bool

    @property
    def summary(self) -> str:
        """Return the message's first line."""
        return self.message.partition("\n")[0]

    @property
    def trailers(self) -> Mapping[str, str]:
        """Return what the commit says of who wrote it: Command, Documents, Actor."""
        return trailers_of(self.message)


@dataclass(frozen=True, slots=True)
class Finding:
    """Something in the history that should not be."""

    tip: str
    problem: str


def log(repository: Path, settings: LedgerSettings) -> tuple[Entry, ...]:
    """Return the ledger's commits, newest first; raises `LedgerRefused` when there is no ledger."""
    place = open_store(repository, settings)
    tip = present(place, settings, current_tips(place))
    key = str(settings.public_key)
    commits = _commits(place, tip).items()
    return tuple(_entry(oid, commit, key) for oid, commit in commits)


def _entry(oid: str, commit: StoredCommit, key: str) -> Entry:
    return Entry(oid, commit.at, commit.message.strip(), commit.signed_by(key))


def trace(
    repository: Path, settings: LedgerSettings, of: Callable[[str], bool]
) -> tuple[tuple[Entry, tuple[str, ...]], ...]:
    """Return the commits that wrote the files meant, newest first, each with what it did to them."""
    place = open_store(repository, settings)
    tip = present(place, settings, current_tips(place))
    commits = _commits(place, tip)
    changes = {
        oid: {path: blobs for path, blobs in pairs.items() if of(path)}
        for oid, pairs in _changed_files(place.git, commits).items()
    }
    key = str(settings.public_key)
    entries = {oid: _entry(oid, commit, key) for oid, commit in commits.items()}
    texts = _texts(place.git, {oid: changes[oid] for oid in commits if entries[oid].signed})
    told = ((entry, _told(entry, changes[oid], texts)) for oid, entry in entries.items())
    return tuple((entry, deeds) for entry, deeds in told if deeds)


def _told(entry: Entry, pairs: Blobs, texts: Mapping[str | None, bytes]) -> tuple[str, ...]:
    """Return what a commit did to files; of one that anybody can have made, only that it did."""
    if not entry.signed:
        return ("changed by somebody without the ledger's key",) if pairs else ()
    try:
        return tuple(_deeds(pairs, texts))
    except LedgerRefused as error:
        return (str(error),)


def _deeds(pairs: Blobs, texts: Mapping[str | None, bytes]) -> Iterator[str]:
    before = _models((path, texts.get(old)) for path, (old, _) in pairs.items())
    after = _models((path, texts.get(new)) for path, (_, new) in pairs.items())
    for path in before | after:
        yield from deeds(before.get(path), after.get(path))


def verify_history(repository: Path, settings: LedgerSettings) -> tuple[Finding, ...]:
    """Check every commit: signed, one parent, and nothing recorded that was later unsaid.

    What this clone has seen must be among them.
    """
    place = open_store(repository, settings)
    tips = current_tips(place)
    tip = present(place, settings, tips)
    found = verify(place, tip, str(settings.public_key))
    if tips.seen is None or place.is_ancestor(tips.seen, tip):
        return found
    return (*found, Finding(tip, f"does not follow {tips.seen[:12]}, which this clone has seen"))


def verify(place: Store, tip: str, public_key: str) -> tuple[Finding, ...]:
    """Check a tip and everything before it, oldest first."""
    commits = dict(reversed(_commits(place, tip).items()))
    chain = tuple(_chain(commits, public_key))
    bad = {finding.tip for finding in chain}
    sound = {oid: commit for oid, commit in commits.items() if oid not in bad}
    return (*chain, *_times(commits), *_contents(place.git, sound))


def sound_tips(place: Store, tip: str, public_key: str) -> frozenset[str]:
    """Return the newest commits with nothing but signed, linear history up to them.

    More than one where histories have parted and somebody merged them again.
    """
    sound, followed = set[str](), set[str]()
    for oid, commit in reversed(_commits(place, tip).items()):
        linear = len(commit.parents) <= 1 and sound.issuperset(commit.parents)
        if linear and commit.signed_by(public_key):
            sound.add(oid)
            followed.update(commit.parents)
    return frozenset(sound - followed)


def _chain(commits: Mapping[str, StoredCommit], public_key: str) -> Iterator[Finding]:
    previous: tuple[str, ...] = ()
    for oid, commit in commits.items():
        if not commit.signed_by(public_key):
            yield Finding(oid, "is not signed with the ledger's key")
        if commit.parents != previous:
            yield Finding(oid, "does not follow the commit before it alone")
        previous = (oid,)


def _times(commits: Mapping[str, StoredCommit]) -> Iterator[Finding]:
    for (_, before), (oid, after) in itertools.pairwise(commits.items()):
        accepted = trailers_of(after.message).get(ACCEPTS_TIME)
        if after.at < before.at and accepted != accepting(before.at)[ACCEPTS_TIME]:
            yield Finding(oid, "is of an earlier time than the commit before it")


def _contents(git: Git, commits: Mapping[str, StoredCommit]) -> Iterator[Finding]:
    """Check what sound commits say; what others say counts for nothing."""
    changes = _changed_files(git, commits)
    texts = _texts(git, changes)
    for oid, commit in commits.items():
        pairs = changes.get(oid, {})
        try:
            before = _models((path, texts.get(old)) for path, (old, _) in pairs.items())
            after = _models((path, texts.get(new)) for path, (_, new) in pairs.items())
        except LedgerRefused as error:
            yield Finding(oid, str(error))
            continue
        for problem in transitions.problems(before, after, commit.at):
            yield Finding(oid, problem)


def _texts(git: Git, changes: Mapping[str, Blobs]) -> Mapping[str | None, bytes]:
    """Return the contents of all files that were changed, by blob."""
    blobs = sorted({b for pairs in changes.values() for pair in pairs.values() for b in pair if b})
    return dict(zip(blobs, git.blobs(blobs), strict=True))


def _models(texts: Iterable[tuple[str, bytes | None]]) -> dict[str, Model]:
    known = ((p, layout.model_of(p), text) for p, text in texts if text is not None)
    return {path: layout.decode(model, path, text) for path, model, text in known if model}


def _commits(place: Store, tip: str) -> dict[str, StoredCommit]:
    place.complete(tip)
    oids = place.git.run("rev-list", "--topo-order", full(tip)).decode().split()
    contents = place.git.contents("commit", oids)
    return {oid: _parsed(content) for oid, content in zip(oids, contents, strict=True)}


def _parsed(content: bytes) -> StoredCommit:
    """Return a commit; one that git takes and nobody can read is one that nobody signed."""
    try:
        return parse_commit(content)
    except LedgerRefused as error:
        never = datetime.fromtimestamp(0, UTC)
        return StoredCommit("", (), never, str(error), content, signature=None)


def _changed_files(git: Git, oids: Iterable[str]) -> dict[str, Blobs]:
    """Return what each commit changed, of plain files alone: the ledger has no others."""
    asked = "".join(f"{full(oid)}\n" for oid in oids).encode()
    options = ("--stdin", "-r", "-z", "--root", "--no-renames", "--always", "-m", "--first-parent")
    listing = git.run("diff-tree", *options, stdin=asked)
    # a path may hold any bytes; it is shown, and never given to git again
    fields = listing.decode(errors="backslashreplace").split("\0")
    changes: dict[str, Blobs] = {}
    commit, rest = "", iter(fields)
    for field in rest:
        if field.startswith(":"):
            old_mode, new_mode, old, new, _ = field.removeprefix(":").split(" ")
            pair = _blob(old_mode, old), _blob(new_mode, new)
            changes[commit][next(rest)] = pair
        elif field:
            commit = field.strip()
            changes[commit] = {}
    return changes


def _blob(mode: str, object_id: str) -> str | None:
    return object_id if mode == _FILE else None
