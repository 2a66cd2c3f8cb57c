"""Where the ledger's refs live, here or at a remote, and the one way they move: all at once.

Locally the refs are moved in one `git update-ref` transaction and fsynced; at a remote by one
`git push --atomic`, each ref with a lease on the value we last saw. Partial crashes of the local
transaction are harmless because refs move in this order: keys, ledger, seen, lock.
"""

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType

from providers.failpoints import reach
from reconciler.errors import LedgerRefused, Locked
from reconciler.git import Git, GitError, full, without_credentials
from reconciler.ledger.disk import (
    break_locks,
    exclusive,
    moving,
    object_folders,
    ref_folders,
    sync,
)
from reconciler.ledger.refs import (
    KEYS,
    LOCK,
    NAMES,
    SEEN,
    Move,
    Tips,
    read_one,
    read_refs,
    tracking,
)
from reconciler.ledger.register import register
from schemas.project import LedgerSettings

_TRACKED = "tracking"
_HERE = "."
"""git's own word for "this repository": `ledger.remote: .` keeps the ledger here."""
_SETTINGS = {"core.fsync": "all", "core.packedRefsTimeout": "5000"}
"""Durable, and patient with a `git gc` of the user (milliseconds)."""
_FETCH = (
    "fetch",
    "--quiet",
    "--no-tags",
    "--no-recurse-submodules",
    "--no-write-fetch-head",
    "--no-prune",
    "--no-filter",
    "--refmap=",
)
_WHOLE = "--depth=2147483646"
"""Deeper than any history. The next number, or `--unshallow`, would fetch the user's branches too."""
_PUSH = ("push", "--quiet", "--atomic", "--no-signed", "--no-follow-tags", "--no-verify")
_TRIES = 20
_ORIGIN = "origin"
_NAME = re.compile(r"\w[\w.-]*")
"""What a remote may be called; anything else is an address."""


@dataclass(frozen=True, slots=True)
class Store:
    """The refs of one ledger. `remote` is a remote's name or address; None means this repository.

    `public_key` is the one the Project names, None before there is a ledger.
    """

    git: Git
    directory: Path
    branch: str
    remote: str | None = field(repr=False)
    public_key: str | None = None

    @property
    def place(self) -> str:
        """Return where the ledger is, for messages."""
        return f"{self.branch} at {self.shown_remote}" if self.remote else f"{self.branch} here"

    @property
    def shown_remote(self) -> str:
        """Return the remote for messages: an address may hold a password."""
        return without_credentials(self.remote or "")

    @property
    def ledger_ref(self) -> str:
        """Return the branch as a full ref."""
        return f"refs/heads/{self.branch}"

    def local(self) -> Tips:
        """Return the tips in this repository, whatever the ledger's place."""
        return self._tips(self.ledger_ref, KEYS, LOCK)

    def tracked(self) -> Tips:
        """Return the remote's tips as of the last fetch or push."""
        return self._tips(*(tracking(name) for name in NAMES))

    def held(self) -> Tips:
        """Return the tips that are here, whoever brought them; nobody is asked, and nothing is fetched."""
        if self.remote is None:
            return self.local()
        name = self.remote if _NAME.fullmatch(self.remote) else _ORIGIN
        fetched = Tips(ledger=read_one(self.git, f"refs/remotes/{name}/{self.branch}"))
        every = (self.tracked(), fetched, self.local())
        return next((tips for tips in every if tips.ledger), Tips())

    def seen(self) -> str | None:
        """Return the last tip this clone accepted."""
        return read_one(self.git, SEEN)

    def tips(self) -> Tips:
        """Return the current tips, their objects fetched; raises `GitError` out of reach."""
        for _ in range(_TRIES):
            seen = self.seen()
            listed = self._listed()
            if listed == self._held(listed):
                return replace(listed, seen=seen)
        raise Locked(f"the ledger ({self.place}) changes faster than it can be read; try again")

    def move(self, old: Tips, new: Tips, loose: Collection[str] | None = None) -> None:
        """Move every ref that differs, all or none, durably; `Locked` when somebody was faster.

        `loose` are the loose objects the new values need and the old ones did not, None if unknown.
        """
        reach("ledger.refs.before")
        try:
            self._transact(list(self._moves(old, new)), loose)
        except GitError as failure:
            self._settle(old, new, failure)
        reach("ledger.refs.after")
        if self.remote is not None:
            self._track(old, new)

    def accept(self, tip: str, *, parted: bool = False) -> None:
        """Remember a tip as the last one accepted; one that does not follow, only if `parted`."""
        with exclusive(self.directory, _TRACKED):
            seen = self.seen()
            if seen != tip and (parted or seen is None or self.is_ancestor(seen, tip)):
                self._update([Move(SEEN, seen, tip)])

    def is_ancestor(self, older: str, newer: str) -> bool:
        """Whether one commit is reached from the other, or both are the same."""
        if older == newer:
            return True
        followed = ("merge-base", "--is-ancestor", older, newer)
        if self.git.attempt(*followed).status == 0:
            return True
        return self.complete(newer) and self.git.attempt(*followed).status == 0

    def complete(self, tip: str) -> bool:
        """Fetch what a shallow clone lacks of a tip's history; return whether anything came.

        Raises `LedgerRefused` when the history stays cut off, `GitError` out of reach.
        """
        if not self._cut_off(tip):
            return False
        if self.remote is not None:
            self._ask(*_FETCH, _WHOLE, "--", self.remote, self.ledger_ref)
        if self._cut_off(tip):
            raise LedgerRefused(
                f"this clone is shallow: it has {tip[:12]} of the ledger ({self.place}), "
                "but not all that was recorded before",
                hint="git fetch --unshallow; if that brings nothing, use a clone that is whole",
            )
        return True

    def _cut_off(self, tip: str) -> bool:
        """Whether a shallow clone ends somewhere in the history of a tip."""
        boundary = self.directory / "shallow"
        if not boundary.exists():
            return False
        history = self.git.run("rev-list", full(tip)).decode().split()
        return not frozenset(history).isdisjoint(boundary.read_text().split())

    def drop_local(self, tips: Tips) -> None:
        """Delete the ledger's refs of this repository, for a ledger that lives elsewhere."""
        pairs = ((KEYS, tips.keys), (self.ledger_ref, tips.ledger), (LOCK, tips.lock))
        self._update([Move(ref, value, None) for ref, value in pairs if value])

    def _tips(self, ledger: str, keys: str, lock: str) -> Tips:
        found = read_refs(self.git, (ledger, keys, lock))
        return Tips(found.get(ledger), found.get(keys), found.get(lock))

    def _listed(self) -> Tips:
        """Return the tips at the ledger's place as they are this moment."""
        return self.local() if self.remote is None else self._advertised()

    def _held(self, listed: Tips) -> Tips:
        """Return what this repository has of listed tips; it differs when they moved meanwhile."""
        if self.remote is None:
            return self.local()
        if listed == self.tracked():
            return listed
        # in this order, as a writer holds them
        with register(self.directory) as keys, exclusive(self.directory, _TRACKED):
            if former := self.tracked().keys:
                keys.enter(self.git, [former], self.public_key)
            return self._fetched(listed)

    def _advertised(self) -> Tips:
        names = (self.ledger_ref, KEYS, LOCK)
        lines = self._ask("ls-remote", "--quiet", "--", self.remote or "", *names)
        found = {
            ref: oid for oid, ref in (line.split("\t") for line in lines.decode().splitlines())
        }
        return Tips(*(found.get(name) for name in names))

    def _fetched(self, tips: Tips) -> Tips:
        wanted = [("ledger", self.ledger_ref, tips.ledger), ("lock", LOCK, tips.lock)]
        present = [(name, ref) for name, ref, tip in wanted if tip]
        break_locks(self.directory, map(tracking, NAMES))
        if present:
            self._fetch(present)
        if tips.keys and tips.keys != self.tracked().keys:
            # Key bundles must stay out of packs: only a loose object can be erased.
            self._fetch([("keys", KEYS)], {"fetch.unpackLimit": "1000000"})
        values = zip(NAMES, tips.values(), self.tracked().values(), strict=True)
        gone = [Move(tracking(n), here, None) for n, there, here in values if here and not there]
        self._update(gone)
        return self.tracked()

    def _fetch(
        self, names: list[tuple[str, str]], settings: Mapping[str, str] = MappingProxyType({})
    ) -> None:
        specs = [f"+{ref}:{tracking(name)}" for name, ref in names]
        try:
            self._ask(*_FETCH, "--", self.remote or "", *specs, settings=settings)
        except GitError as failure:
            # A ref that went away between listing and fetching is a reason to look again.
            if "couldn't find remote ref" not in str(failure):
                raise

    def _moves(self, old: Tips, new: Tips) -> Iterator[Move]:
        if old.keys != new.keys:
            yield Move(KEYS, old.keys, new.keys)
        if old.ledger != new.ledger:
            yield Move(self.ledger_ref, old.ledger, new.ledger)
            if self.remote is None:
                yield Move(SEEN, self.seen(), new.ledger)
        if old.lock != new.lock:
            yield Move(LOCK, old.lock, new.lock)

    def _transact(self, moves: list[Move], loose: Collection[str] | None) -> None:
        if self.remote is None:
            sync(*object_folders(self.directory, loose))
            self._update(moves)
            sync(*ref_folders(self.directory, (move.ref for move in moves)))
            return
        leases = (f"--force-with-lease={move.ref}:{move.old or ''}" for move in moves)
        specs = (f"{move.new or ''}:{move.ref}" for move in moves)
        self._ask(*_PUSH, *leases, "--", self.remote, *specs)

    def _settle(self, old: Tips, new: Tips, failure: GitError) -> None:
        """Find out what a failed move really did: the answer may have been lost on its way."""
        now = self._listed()
        if now.lock == new.lock and now.ledger == new.ledger and old != new:
            return
        if now.lock != old.lock:
            raise Locked(
                f"somebody else took over the ledger ({self.place}); nothing more was recorded",
                hint="run the command again",
            ) from failure
        if now.ledger != old.ledger:
            raise LedgerRefused(
                f"{self.place} was moved by something that does not hold its lock",
                hint="see `certform ledger recover`",
            ) from failure
        raise failure

    def _track(self, old: Tips, new: Tips) -> None:
        """Follow a push. A ref that did not move may have moved since by other hands: leave it."""
        with exclusive(self.directory, _TRACKED):
            values = zip(NAMES, old.values(), new.values(), self.tracked().values(), strict=True)
            moves = (Move(tracking(n), here, now) for n, was, now, here in values if was != now)
            self._update([move for move in moves if move.old != move.new])
        if new.ledger is not None and old.ledger != new.ledger:
            self.accept(new.ledger)

    def _update(self, moves: list[Move]) -> None:
        if not moves:
            return
        script = f"start\n{''.join(move.line() for move in moves)}prepare\ncommit\n".encode()
        with moving(self.directory, [move.ref for move in moves]):
            done = self.git.attempt("update-ref", "--no-deref", "--stdin", stdin=script)
            if done.status < 0:
                raise GitError("update-ref", done.status, "it was killed")
        if done.status != 0:
            raise GitError("update-ref", done.status, done.stderr)

    def _ask(self, *argv: str, settings: Mapping[str, str] = MappingProxyType({})) -> bytes:
        """Run a verb that talks to the remote, and return its output."""
        allowed = {"protocol.file.allow": "always"}
        reaching = Git(self.git.directory, {**self.git.settings, **allowed, **settings})
        outcome = reaching.attempt(*argv)
        if outcome.status != 0:
            hint = f"the ledger is at {self.shown_remote}: git must be able to read and push there"
            raise GitError(argv[0], outcome.status, outcome.stderr, hint=hint)
        return outcome.stdout


def open_store(repository: Path, settings: LedgerSettings) -> Store:
    """Return where the ledger of a repository lives; reads configuration only."""
    git = Git(repository, _SETTINGS)
    remote = _remote(git, settings.remote)
    return Store(git, git.common_directory(), settings.branch, remote, settings.public_key)


def _remote(git: Git, configured: str | None) -> str | None:
    if configured is not None and configured.startswith("-"):
        raise LedgerRefused(f"ledger.remote {configured!r} is no remote's name and no address")
    if configured is not None:
        return None if configured == _HERE else configured
    return _ORIGIN if git.run("config", "--get", "remote.origin.url", check=False) else None
