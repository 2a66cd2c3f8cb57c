"""Reading the ledger: no lock, no decryption, and refusal of whatever is not plainly ours.

A reader writes nothing but what fetching needs: `refs/certform/remote/*` and `refs/certform/seen`.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from reconciler.errors import LedgerRefused
from reconciler.git import Git, full
from reconciler.ledger import bundles, erasure, layout
from reconciler.ledger.bundles import Bundles
from reconciler.ledger.issuing import AdviceRecord, SpendingRecord
from reconciler.ledger.objects import StoredCommit, parse_commit
from reconciler.ledger.publications import CrlRecord, OcspRecord
from reconciler.ledger.records import (
    AuthorityRecord,
    CertificateRecord,
    LedgerState,
    Lineage,
    PastRecord,
)
from reconciler.ledger.refs import Tips
from reconciler.ledger.register import register
from reconciler.ledger.store import Store, open_store
from reconciler.ledger.trust import TrustRecord
from schemas.base import Model
from schemas.project import LedgerSettings

_RECOVER = "certform ledger recover says what happened and what can be done"


@dataclass(frozen=True, slots=True)
class Ledger:
    """The ledger as git holds it: its state, the blob id of every file, and the key bundles.

    `folders` are the ids of its tree objects, so that a wave stores only those that are new.
    """

    state: LedgerState
    files: Mapping[str, str]
    folders: frozenset[str]
    bundles: Bundles


def read_ledger(repository: Path, settings: LedgerSettings) -> LedgerState:
    """Return the ledger's state, fetched if it lives at a remote.

    Raises `LedgerRefused` when it is missing, foreign, unsigned, rolled back or damaged, `Locked`
    when it changes faster than it can be read, `GitError` when it is out of reach.
    """
    place = open_store(repository, settings)
    ledger = load(place, settings, current_tips(place))
    if place.remote is not None:
        place.accept(ledger.state.tip)
    return ledger.state


def read_held(repository: Path, settings: LedgerSettings) -> LedgerState | None:
    """Return the state of the ledger as it was last fetched here, None where it never was; asks nobody.

    Raises `LedgerRefused` when it is foreign, unsigned or damaged. Keys that were not fetched with it are
    taken to be kept where it says so.
    """
    place = open_store(repository, settings)
    tips = place.held()
    if tips.ledger is None:
        return None
    state = load(place, settings, tips).state
    return state if tips.keys else replace(state, bundles=frozenset(_bundles(state)))


def _bundles(state: LedgerState) -> Iterator[str]:
    for record in state.certificates.values():
        yield from (i.bundle for i in record.issuances if i.bundle is not None)


def current_tips(place: Store) -> Tips:
    """Return the ledger's tips, and delete what a fetch left behind of former key bundles."""
    former = place.tracked().keys
    tips = place.tips()
    if place.remote is not None and former not in (None, tips.keys):
        with register(place.directory) as listed:
            erasure.sweep(place, listed, former)
    return tips


def load(place: Store, settings: LedgerSettings, tips: Tips) -> Ledger:
    """Return the ledger at its tips once it has proved to be the one the Project names."""
    tip, commit = proved(place, settings, tips)
    keys = bundles.read(place.git, tips.keys, str(settings.public_key))
    return _parse(place.git, tip, commit, keys, settings)


def proved(place: Store, settings: LedgerSettings, tips: Tips) -> tuple[str, StoredCommit]:
    """Return the ledger's tip if it is there, signed by the Project's key and not rolled back."""
    tip = present(place, settings, tips)
    commit = signed_commit(place.git, tip, str(settings.public_key))
    _refuse_rolled_back(place, tip, tips.seen)
    return tip, commit


def present(place: Store, settings: LedgerSettings, tips: Tips) -> str:
    """Return the ledger's tip; `LedgerRefused` when there is none or nothing says which is ours."""
    if settings.public_key is None:
        raise LedgerRefused(
            "the Project names no ledger (spec.ledger.publicKey is missing)", hint="certform init"
        )
    if tips.ledger is not None:
        return tips.ledger
    if place.remote is not None and place.local().ledger is not None:
        detail = f"it is in this repository, but not at {place.shown_remote}"
        hint = "certform ledger recover publishes it; ledger.remote: . keeps it here"
    else:
        detail = "the Project names its key, so it existed; this is no first run"
        hint = f"if it is in another clone, push it from there; {_RECOVER}"
    raise LedgerRefused(f"the ledger ({place.place}) is missing: {detail}", hint=hint)


def signed_commit(git: Git, tip: str, public_key: str) -> StoredCommit:
    """Return a commit that the ledger's key signed; `LedgerRefused` for any other."""
    (content,) = git.contents("commit", [full(tip)])
    commit = parse_commit(content)
    if not commit.signed_by(public_key):
        how = "by another key" if commit.signature else "by nobody"
        raise LedgerRefused(f"the ledger's commit {tip} is signed {how}", hint=_RECOVER)
    return commit


def read_tree(git: Git, tip: str) -> tuple[dict[str, str], frozenset[str]]:
    """Return the blob id of every file and the ids of all folders but the root.

    Raises `LedgerRefused` for links and submodules.
    """
    listing = git.run("ls-tree", "-r", "-t", "-z", "--full-tree", full(tip))
    files, folders = {}, set()
    for line in listing.decode(errors="surrogateescape").split("\0")[:-1]:
        fields, _, path = line.partition("\t")
        mode, kind, object_id = fields.split(" ")
        if kind == "tree":
            folders.add(object_id)
        elif mode == "100644":
            files[path] = object_id
        else:
            raise LedgerRefused(f"the ledger's file {path!r} has mode {mode}", hint=_RECOVER)
    return files, frozenset(folders)


def read_lineage(git: Git, tip: str) -> Lineage:
    """Return which ledger a commit belongs to, whoever signed it."""
    files, _ = read_tree(git, tip)
    return _lineage(_contents(git, {p: b for p, b in files.items() if p == layout.LINEAGE}))


def _refuse_rolled_back(place: Store, tip: str, seen: str | None) -> None:
    if seen is not None and not place.is_ancestor(seen, tip):
        raise LedgerRefused(
            f"the ledger ({place.place}) was rolled back: {tip[:12]} does not follow {seen[:12]}, "
            "which this clone has seen",
            hint=_RECOVER,
        )


def _contents(git: Git, files: Mapping[str, str]) -> dict[str, Model | bytes]:
    """Return what is in files (path to blob id), each decoded as soon as git has found it."""
    paths = [path for path in files if layout.is_read(path)]
    texts = git.contents("blob", [files[path] for path in paths])
    return {path: layout.content(path, text) for path, text in zip(paths, texts, strict=True)}


def _lineage(contents: Mapping[str, Model | bytes]) -> Lineage:
    found = contents.get(layout.LINEAGE)
    if not isinstance(found, Lineage):
        raise LedgerRefused(f"the ledger's branch holds no {layout.LINEAGE}: it is not a ledger")
    return found


def _parse(
    git: Git, tip: str, commit: StoredCommit, keys: Bundles, settings: LedgerSettings
) -> Ledger:
    files, folders = read_tree(git, tip)
    contents = _contents(git, files)
    lineage = _lineage(contents)
    if lineage.public_key != settings.public_key:
        raise LedgerRefused("the ledger is another project's: its lineage names another key")
    records = contents.values()
    sealed = {path: text for path, text in contents.items() if isinstance(text, bytes)}
    state = LedgerState(
        tip=tip,
        lineage=lineage,
        authorities={r.name: r for r in records if isinstance(r, AuthorityRecord)},
        certificates={r.name: r for r in records if isinstance(r, CertificateRecord)},
        crls={r.key: r for r in records if isinstance(r, CrlRecord)},
        ocsp={(r.authority, r.generation): r for r in records if isinstance(r, OcspRecord)},
        past={(r.authority, r.generation): r for r in records if isinstance(r, PastRecord)},
        trust={r.name: r for r in records if isinstance(r, TrustRecord)},
        spending={r.key: r for r in records if isinstance(r, SpendingRecord)},
        advice={r.issuer: r for r in records if isinstance(r, AdviceRecord)},
        bundles=keys.ids,
        tip_time=commit.at,
        keyring=layout.openers(sealed.get(layout.KEYRING, b"")),
        ca_keys=layout.ca_keys(sealed),
    )
    return Ledger(state, files, folders | {commit.tree}, keys)
