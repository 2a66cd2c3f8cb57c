"""Writing the ledger: one wave, one signed commit, one atomic move of every ref."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from providers.failpoints import reach
from providers.secret import Secret
from reconciler.errors import LedgerRefused
from reconciler.ledger import erasure, layout
from reconciler.ledger.authorship import Author
from reconciler.ledger.composition import Composer, Step
from reconciler.ledger.contract import Wave
from reconciler.ledger.keyring import Cipher, opened
from reconciler.ledger.lock import Clock, Lock, Patience, Tenure, hold
from reconciler.ledger.objects import store
from reconciler.ledger.reader import Ledger, load, proved
from reconciler.ledger.records import LedgerState
from reconciler.ledger.refs import Tips
from reconciler.ledger.register import register
from reconciler.ledger.store import open_store
from schemas.project import LedgerSettings


@dataclass(frozen=True, slots=True)
class Access:
    """What writing takes: how to open the keyring, the time, how long to wait, and who writes."""

    cipher: Cipher
    clock: Clock
    patience: Patience = field(default_factory=Patience)
    author: Author = field(default_factory=Author)


@dataclass(slots=True)
class LedgerJournal:
    """The ledger while its lock is held, as `reconciler.ledger.contract.Journal` asks.

    `unerased` are former key objects that could not be deleted because something packed them.
    """

    _tenure: Tenure
    _ledger: Ledger
    _access: Access
    _composer: Composer | None = None
    unerased: tuple[str, ...] = ()

    @property
    def state(self) -> LedgerState:
        """The ledger as of the last wave."""
        return self._ledger.state

    @property
    def lock(self) -> Lock:
        """What we hold, as of the last wave."""
        return self._tenure.lock

    def write(self, wave: Wave, /) -> None:
        """Record a wave durably; when this returns it survives any crash. `Locked` if overtaken."""
        place, naming = self._tenure.place, self._tenure.naming
        step = self._open().step(self._ledger, self.lock, wave, self._access.clock())
        reach("ledger.objects.before")
        loose = store(place.git, naming, step.objects)
        loose |= store(place.git, naming, step.value)
        reach("ledger.objects.after")
        if step.lock.tips.keys == self.lock.tips.keys:
            self._move(step, loose)
            return
        with register(place.directory) as listed:
            erasure.write_loose(place.directory, listed, step.keys)
            reach("ledger.keys.after")
            self._move(step, loose | {item.id for item in step.keys})
            self.unerased = erasure.sweep(place, listed)

    def renew(self) -> None:
        """Show that we live; without that or a wave the lock is lost after its time to live."""
        self._tenure.renew(self._access.clock())

    def leaf_keys(self, serials: Sequence[str], /) -> Mapping[str, Secret]:
        """Return leaf keys (PKCS#8 DER) by serial; one that is not kept is left out."""
        wanted = frozenset(serials)
        issuances = (i for r in self.state.certificates.values() for i in r.issuances)
        named = {i.name: i for i in issuances if i.serial in wanted and i.bundle is not None}
        found: dict[str, Secret] = {}
        for bundle in sorted({str(i.bundle) for i in named.values()} & self.state.bundles):
            found |= self._open().opened(self._ledger, bundle)
        return {named[name].serial: key for name, key in found.items() if name in named}

    def authority_key(self, authority: str, generation: int, /) -> bytes:
        """Return a CA key as sops ciphertext; `LedgerRefused` when the ledger holds none."""
        blob = self._ledger.files.get(layout.authority_key_path(authority, generation))
        if blob is None:
            raise LedgerRefused(f"the ledger holds no key of {authority}, generation {generation}")
        return self._tenure.place.git.blobs([blob])[0]

    def keyring(self) -> bytes:
        """Return the keyring as sops ciphertext."""
        return self._tenure.place.git.blobs([self._ledger.files[layout.KEYRING]])[0]

    def sweep(self) -> None:
        """Delete what is left of former key bundles, by an earlier run that crashed as well."""
        with register(self._tenure.place.directory) as listed:
            self.unerased = erasure.sweep(self._tenure.place, listed)

    def _move(self, step: Step, loose: frozenset[str]) -> None:
        self._tenure.move(step.lock, loose)
        self._ledger = step.ledger

    def _open(self) -> Composer:
        """Open the keyring the first time a key is needed: one call of sops for any number of waves."""
        if self._composer is None:
            tenure, access = self._tenure, self._access
            keyring = opened(self.keyring(), self.state.lineage, access.cipher)
            self._composer = Composer(tenure.place.git, tenure.naming, keyring, access.author)
        return self._composer


@contextmanager
def open_journal(
    repository: Path, settings: LedgerSettings, access: Access
) -> Iterator[LedgerJournal]:
    """Hold the ledger's lock and yield its journal; nothing is decrypted before it is needed.

    Raises `Locked` when the lock could not be had in time, and whatever `read_ledger` raises.
    """
    place = open_store(repository, settings)
    # An absent or foreign ledger is refused before anything is written to its place.
    proved(place, settings, place.tips())
    with hold(place, access.clock, access.patience, access.author.command) as tenure:
        yield begin(tenure, settings, access, tenure.lock.tips)


def begin(tenure: Tenure, settings: LedgerSettings, access: Access, tips: Tips) -> LedgerJournal:
    """Return the journal of the ledger at its tips, once it has proved to be the Project's."""
    journal = LedgerJournal(tenure, load(tenure.place, settings, tips), access)
    journal.sweep()
    return journal
