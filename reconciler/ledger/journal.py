"""Writing the ledger: one wave, one signed commit, one atomic move of every ref."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from providers.failpoints import reach
from providers.secret import Secret
from reconciler.errors import LedgerRefused, Locked, ReconcilerError
from reconciler.ledger import bundles, layout, lock
from reconciler.ledger.composition import Composer, Step
from reconciler.ledger.contract import Wave
from reconciler.ledger.keyring import Cipher, opened
from reconciler.ledger.lock import Lock, Patience
from reconciler.ledger.objects import Format, object_format, store
from reconciler.ledger.reader import Ledger, load, proved
from reconciler.ledger.records import LedgerState
from reconciler.ledger.register import register
from reconciler.ledger.store import Store, open_store
from schemas.project import LedgerSettings

Clock = Callable[[], datetime]


@dataclass(slots=True)
class LedgerJournal:
    """The ledger while its lock is held, as `reconciler.ledger.contract.Journal` asks.

    `unerased` are former key objects that could not be deleted because something packed them.
    """

    _place: Store
    _naming: Format
    _ledger: Ledger
    _lock: Lock
    _cipher: Cipher
    _clock: Clock
    _composer: Composer | None = None
    unerased: tuple[str, ...] = ()

    @property
    def state(self) -> LedgerState:
        """The ledger as of the last wave."""
        return self._ledger.state

    @property
    def lock(self) -> Lock:
        """What we hold, as of the last wave."""
        return self._lock

    def write(self, wave: Wave, /) -> None:
        """Record a wave durably; when this returns it survives any crash. `Locked` if overtaken."""
        step = self._open().step(self._ledger, self._lock, wave, self._clock())
        reach("ledger.objects.before")
        store(self._place.git, self._naming, step.objects)
        store(self._place.git, self._naming, step.value)
        reach("ledger.objects.after")
        if step.lock.tips.keys == self._lock.tips.keys:
            self._move(step)
            return
        with register(self._place.directory) as listed:
            bundles.write_loose(self._place.directory, listed, step.keys)
            reach("ledger.keys.after")
            self._move(step)
            self.unerased = bundles.sweep(self._place, listed)

    def renew(self) -> None:
        """Show that we live; without that or a wave the lock is lost after its time to live."""
        holder = self._lock.holder.advanced()
        value = lock.value(self._naming, holder, self._clock())
        store(self._place.git, self._naming, value)
        self._advance(Lock(holder, replace(self._lock.tips, lock=value[-1].id)))

    def leaf_keys(self, serials: Sequence[str], /) -> Mapping[str, Secret]:
        """Return leaf keys (PKCS#8 DER) by serial; one that is not kept is left out."""
        wanted = frozenset(serials)
        issuances = (i for r in self.state.certificates.values() for i in r.issuances)
        named = {i.bundle for i in issuances if i.serial in wanted and i.bundle is not None}
        found: dict[str, Secret] = {}
        for bundle in sorted(named & self.state.bundles):
            found |= self._open().opened(self._ledger, bundle)
        return {serial: key for serial, key in found.items() if serial in wanted}

    def authority_key(self, authority: str, generation: int, /) -> bytes:
        """Return a CA key as sops ciphertext; `LedgerRefused` when the ledger holds none."""
        blob = self._ledger.files.get(layout.authority_key_path(authority, generation))
        if blob is None:
            raise LedgerRefused(f"the ledger holds no key of {authority}, generation {generation}")
        return self._place.git.blobs([blob])[0]

    def keyring(self) -> bytes:
        """Return the keyring as sops ciphertext."""
        return self._place.git.blobs([self._ledger.files[layout.KEYRING]])[0]

    def sweep(self) -> None:
        """Delete what is left of former key bundles, by an earlier run that crashed as well."""
        with register(self._place.directory) as listed:
            self.unerased = bundles.sweep(self._place, listed)

    def _move(self, step: Step) -> None:
        self._advance(step.lock)
        self._ledger = step.ledger

    def _advance(self, to: Lock) -> None:
        former = self._lock.tips
        self._place.move(former, to.tips)
        self._lock = to
        lock.forget(self._place, former.lock)

    def _open(self) -> Composer:
        """Open the keyring the first time a key is needed: one call of sops for any number of waves."""
        if self._composer is None:
            keyring = opened(self.keyring(), self.state.lineage, self._cipher)
            self._composer = Composer(self._place.git, self._naming, keyring)
        return self._composer


@contextmanager
def open_journal(
    repository: Path,
    settings: LedgerSettings,
    cipher: Cipher,
    clock: Clock,
    patience: Patience | None = None,
) -> Iterator[LedgerJournal]:
    """Hold the ledger's lock and yield its journal; nothing is decrypted before it is needed.

    Raises `Locked` when the lock could not be had in time, and whatever `read_ledger` raises.
    """
    waiting = patience or Patience()
    place = open_store(repository, settings)
    naming = object_format(place.git)
    # An absent or foreign ledger is refused before anything is written to its place.
    proved(place, settings, place.tips())
    held = lock.acquire(place, naming, clock(), waiting)
    try:
        ledger = load(place, settings, held.tips)
    except BaseException:
        _give_back(place, held, waiting)
        raise
    journal = LedgerJournal(place, naming, ledger, held, cipher, clock)
    try:
        journal.sweep()
        yield journal
    finally:
        _give_back(place, journal.lock, waiting)


def _give_back(place: Store, held: Lock, patience: Patience) -> None:
    """Release the lock. Failing at that undoes nothing: the lock then ends with its time to live."""
    try:
        lock.release(place, held)
    except Locked:
        return
    except (ReconcilerError, OSError) as error:
        patience.tell(f"the ledger's lock could not be released: {error}")
