"""What a wave becomes in git: files, trees, a signed commit, key bundles and the lock's next value."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from providers.processes import spread
from providers.secret import Secret
from reconciler.git import Git
from reconciler.ledger import bundles, layout, lock
from reconciler.ledger.authorship import Author, accepting, with_trailers
from reconciler.ledger.bundles import Bundles
from reconciler.ledger.contract import Wave
from reconciler.ledger.keyring import Keyring, open_bundle, seal_bundle
from reconciler.ledger.lock import Lock
from reconciler.ledger.objects import Commit, Format, Object, Packed, signed, trees
from reconciler.ledger.reader import Ledger
from reconciler.ledger.records import LedgerState
from reconciler.ledger.refs import Tips
from schemas.base import Model


@dataclass(frozen=True, slots=True)
class Step:
    """One wave, ready to be stored: objects of the history, of the lock and of the keys ref.

    The last two are stored loose, to be deleted when they are left.
    """

    objects: tuple[Object | Packed, ...]
    value: tuple[Object, ...]
    keys: tuple[Object, ...]
    lock: Lock
    ledger: Ledger


@dataclass(frozen=True, slots=True)
class _Keys:
    """The keys ref after a wave; `objects` is empty when nothing new is to be stored."""

    objects: tuple[Object, ...]
    bundles: Bundles


@dataclass(frozen=True, slots=True)
class Composer:
    """Turns waves into git objects; reads git only to open a bundle that loses or gains keys."""

    git: Git
    naming: Format
    keyring: Keyring
    author: Author

    def step(self, ledger: Ledger, held: Lock, wave: Wave, now: datetime) -> Step:
        """Return what a wave adds to a ledger. Its time runs backwards only where a wave says so."""
        former = ledger.state.tip_time
        at = (now if wave.accepts_time else max(now, former)).replace(microsecond=0)
        written = layout.written(wave)
        blobs = dict(zip(written, spread(self._blobs, list(written.values())), strict=True))
        files = _files(ledger, wave, blobs)
        folders = trees(self.naming, files)
        trailers = {**self.author.trailers(), **(accepting(former) if wave.accepts_time else {})}
        message = with_trailers(wave.message, trailers)
        commit = self._commit(folders[-1].id, ledger.state.tip, message, at)
        state = _after(ledger.state, wave, commit.id, at)
        keys = self._keys(ledger, wave, state)
        holder = held.holder.advanced()
        value = lock.value(self.naming, holder, at)
        new = (folder for folder in folders if folder.id not in ledger.folders)
        return Step(
            objects=(*blobs.values(), *new, commit),
            value=value,
            keys=keys.objects,
            lock=Lock(holder, Tips(commit.id, keys.bundles.tip, value[-1].id)),
            ledger=Ledger(
                state=replace(state, bundles=keys.bundles.ids),
                files=files,
                folders=frozenset(folder.id for folder in folders),
                bundles=keys.bundles,
            ),
        )

    def opened(self, ledger: Ledger, bundle: str) -> dict[str, Secret]:
        """Return the leaf keys of a bundle by serial."""
        ciphertext = bundles.content(self.git, ledger.bundles, bundle)
        return open_bundle(ciphertext, self.keyring)

    def _blobs(self, contents: Sequence[Model | bytes]) -> list[Packed]:
        texts = (c if isinstance(c, bytes) else layout.encode(c) for c in contents)
        return [self.naming.object("blob", text).packed() for text in texts]

    def _commit(self, tree: str, parent: str | None, message: str, at: datetime) -> Object:
        draft = Commit(tree, parent, message, at)
        return signed(self.naming, draft, self.keyring.signing_key)

    def _keys(self, ledger: Ledger, wave: Wave, state: LedgerState) -> _Keys:
        fresh, kept = self._sorted(ledger, wave, state)
        if not fresh and kept == ledger.bundles.blobs:
            return _Keys((), ledger.bundles)
        if not fresh and not kept:
            return _Keys((), Bundles({}))
        made = {
            bundle: self.naming.object("blob", seal_bundle(keys, state.lineage.leaf_recipient))
            for bundle, keys in fresh.items()
        }
        content = bundles.objects(self.naming, made, kept)
        commit = self._commit(content[-1].id, None, "Leaf keys", state.tip_time)
        blobs = {**kept, **{bundle: blob.id for bundle, blob in made.items()}}
        folders = frozenset(tree.id for tree in content[-2:])
        return _Keys((*content, commit), Bundles(blobs, commit.id, folders))

    def _sorted(
        self, ledger: Ledger, wave: Wave, state: LedgerState
    ) -> tuple[dict[str, dict[str, Secret]], dict[str, str]]:
        """Return the bundles to be written, with their keys, and the blobs of those that stay.

        A bundle that no record names any more is in neither: it is dropped unopened.
        """
        if wave.new_keys and wave.bundle is None:
            raise ValueError("a wave with new keys names their bundle")
        before, after = _serials(ledger.state), _serials(state, wave.erase)
        fresh: dict[str, dict[str, Secret]] = {}
        kept: dict[str, str] = {}
        for bundle, blob in ledger.bundles.blobs.items():
            staying = after[bundle]
            grows = bool(wave.new_keys) and bundle == wave.bundle
            if staying and (grows or before[bundle] - staying):
                keys = self.opened(ledger, bundle)
                fresh[bundle] = {serial: keys[serial] for serial in keys.keys() & staying}
            elif staying:
                kept[bundle] = blob
        if wave.new_keys and wave.bundle is not None:
            fresh[wave.bundle] = {**fresh.get(wave.bundle, {}), **wave.new_keys}
        return fresh, kept


def _files(ledger: Ledger, wave: Wave, blobs: Mapping[str, Packed]) -> dict[str, str]:
    gone = {layout.certificate_path(name) for name in wave.gone}
    gone |= {layout.trust_path(name) for name in wave.gone_trust}
    gone |= {layout.spending_path(*key) for key in wave.gone_spending}
    gone |= {layout.advice_path(name) for name in wave.gone_advice}
    for name in wave.gone_authorities:
        gone.add(layout.authority_path(name))
        gone |= {
            layout.authority_key_path(name, issuance.request.generation)
            for issuance in ledger.state.authorities[name].issuances
            if issuance.request.kind == "authority"
        }
        gone |= {layout.past_path(*key) for key in ledger.state.past if key[0] == name}
        gone |= {layout.ocsp_path(*key) for key in ledger.state.ocsp if key[0] == name}
    kept = {path: blob for path, blob in ledger.files.items() if path not in gone}
    return {**kept, **{path: blob.id for path, blob in blobs.items()}}


def _after(state: LedgerState, wave: Wave, tip: str, at: datetime) -> LedgerState:
    certificates = dict(state.certificates)
    for name in wave.gone:
        certificates.pop(name, None)
    certificates.update((record.name, record) for record in wave.certificates)
    authorities = {n: r for n, r in state.authorities.items() if n not in wave.gone_authorities}
    trust = {n: r for n, r in state.trust.items() if n not in wave.gone_trust}
    ca_keys = {w: o for w, o in state.ca_keys.items() if w[0] not in wave.gone_authorities}
    sealed = {layout.authority_key_path(*w): key for w, key in wave.authority_keys.items()}
    return replace(
        state,
        tip=tip,
        tip_time=at,
        certificates=certificates,
        authorities={**authorities, **{r.name: r for r in wave.authorities}},
        crls={**state.crls, **{r.key: r for r in wave.crls}},
        ocsp={
            **{key: r for key, r in state.ocsp.items() if key[0] not in wave.gone_authorities},
            **{(r.authority, r.generation): r for r in wave.ocsp},
        },
        past={
            **{key: r for key, r in state.past.items() if key[0] not in wave.gone_authorities},
            **{(r.authority, r.generation): r for r in wave.past},
        },
        trust={**trust, **{r.name: r for r in wave.trust}},
        spending={
            **{key: r for key, r in state.spending.items() if key not in wave.gone_spending},
            **{r.key: r for r in wave.spending},
        },
        advice={
            **{name: r for name, r in state.advice.items() if name not in wave.gone_advice},
            **{r.issuer: r for r in wave.advice},
        },
        keyring=layout.openers(wave.keyring) if wave.keyring else state.keyring,
        ca_keys={**ca_keys, **layout.ca_keys(sealed)},
    )


def _serials(
    state: LedgerState, without: frozenset[str] = frozenset()
) -> defaultdict[str, frozenset[str]]:
    """Return by bundle the names of the keys that the records say are in it."""
    found: defaultdict[str, set[str]] = defaultdict(set)
    for record in state.certificates.values():
        for issuance in record.issuances:
            if issuance.bundle is not None and issuance.serial not in without:
                found[issuance.bundle].add(issuance.name)
    return defaultdict(frozenset, {bundle: frozenset(s) for bundle, s in found.items()})
