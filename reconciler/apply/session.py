"""What one apply works with: the three sides, the open ledger, the targets, and the keys in hand."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property, partial
from pathlib import Path

from providers.abilities import HeldTrust
from providers.base import Installed, Publisher, Target
from providers.errors import Denied, ProviderError
from providers.issuing import Issuer, IssuerConfig
from providers.keeping import Keeper, KeeperConfig
from providers.registry import make_issuer, make_keeper
from providers.secret import Secret
from providers.signer import Signer
from providers.signers import open_signer
from providers.sops.binary import Sops
from providers.sops.key_file import KeyFileSigner
from providers.sops.signer import SopsSigner
from providers.x509 import IssuingAuthority, to_der
from reconciler import address as addresses
from reconciler.apply.passwords import Passwords
from reconciler.apply.transitions import placed
from reconciler.chains import certificates_of, is_rooted, issuers_from
from reconciler.custody import remote_key, sealed_key
from reconciler.diff import World
from reconciler.diff.authorities import prospects_of
from reconciler.diff.patience import patient
from reconciler.diff.prospects import Prospects
from reconciler.diff.revocations import wanted_revocations
from reconciler.interruption import Interruption
from reconciler.ledger.contract import Journal
from reconciler.ledger.records import CertificateRecord, Issuance
from reconciler.state import DesiredCertificate, DesiredInstall
from schemas.custody import RemoteKey
from schemas.plan import Change
from schemas.secrets import SecretReference

RENEW_AFTER = 60.0
"""Seconds after which a run that writes nothing moves its lock; a fifth of its time to live."""


class Impossible(Exception):
    """One change cannot be made; the text says why. What does not depend on it goes on."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one change ended; `error` is empty when it is done. A `remark` is worth knowing all the same.

    `later` tells that nothing failed: it has to wait, as `error` says, and a later run goes on with it.
    """

    change: Change
    error: str = ""
    remark: str = ""
    later: bool = False


Executor = Callable[["Session", Sequence[Change]], Iterator[Outcome]]
"""Makes changes of one kind, together where that is cheaper, and tells how each ended."""


@dataclass
class Session:
    """One run of apply. `world` is what the plan was made of; the journal moves on from there."""

    world: World
    journal: Journal
    targets: Mapping[str, Target]
    publisher: Publisher | None
    sops: Sops
    clock: Callable[[], datetime]
    interruption: Interruption = field(default_factory=Interruption)
    """Whether a signal asks to stop: what makes the changes looks between two of them."""
    keys: dict[str, Secret] = field(default_factory=dict, repr=False)
    """Leaf keys made in this run, by serial."""
    planned: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """The targets each certificate is to be installed in by this run, by address."""
    answering: frozenset[tuple[str, int]] = frozenset()
    """The CAs, and their generations, whose OCSP responses this run is to make."""
    adopted: dict[tuple[str, str], Installed] = field(default_factory=dict)
    """What this run took over, by target and object name, as it is since."""
    held: dict[tuple[str, str], HeldTrust] = field(default_factory=dict)
    """The bundles of anchors that this run installed, by target and object name."""
    open_issuer: Callable[[IssuerConfig], Issuer] = make_issuer
    """Returns a CA of others; it is made when it is first asked, and never for a plan."""
    root: Path = Path()
    """The folder that relative paths in a configuration start at."""
    open_remote: Callable[[RemoteKey, Callable[[], Secret]], Signer] = open_signer
    """Returns the signer of a CA key at a key service or in a token, which may need a secret for it."""
    open_keeper: Callable[[KeeperConfig], Keeper] = make_keeper
    """Returns who makes and keeps a CA key by itself; it is asked when that key is made, or certified."""
    _authorities: dict[str, IssuingAuthority] = field(default_factory=dict)
    """What CAs sign under, by the serial of that certificate."""
    _signers: dict[tuple[str, int], Signer | ProviderError] = field(
        default_factory=dict, repr=False
    )
    _issuers: dict[str, Issuer] = field(default_factory=dict)
    _keepers: dict[str, Keeper] = field(default_factory=dict)
    _now: World | None = None
    _renewed: float = field(default_factory=time.monotonic)

    def desired(self, change: Change) -> DesiredCertificate:
        """The wanted certificate a change belongs to."""
        return self.settled.desired.certificates[owner(change)]

    def wanted(self, change: Change) -> DesiredInstall:
        """The wanted install a change belongs to."""
        return next(i for i in self.desired(change).installs if i.target == place(change))

    def installed(self, wanted: DesiredInstall) -> Installed | None:
        """What stands where a certificate is wanted, as the plan saw it or this run took it over."""
        return self.adopted.get((wanted.target, wanted.name)) or self.world.installed(wanted)

    def record(self, name: str) -> CertificateRecord:
        """The ledger's record of a certificate as it is now, an empty one when there is none."""
        found = self.journal.state.certificates.get(name)
        old = self.world.renames.get(name)
        if found is None and old is not None:
            found = self.journal.state.certificates.get(old)
        record = found or CertificateRecord(name=name)
        return record if record.name == name else self.world.renamed(record, name)

    def signing(self, name: str, generation: int) -> Issuance:
        """The certificate that a CA signs under now; raises `Impossible`."""
        record = self.journal.state.authorities.get(name)
        found = record.issued(generation) if record else None
        if found is None:
            raise Impossible(f"authority/{name} generation {generation} is not issued")
        return found

    def authority(self, name: str, generation: int) -> IssuingAuthority:
        """What a CA signs under now, with those above it; raises `Impossible`."""
        return self._loaded(self.signing(name, generation), name, generation)

    def listing(self, name: str, generation: int) -> IssuingAuthority:
        """What a CA signs its lists and responses under: of its certificates for one key what ends last."""
        record = self.journal.state.authorities.get(name)
        lasting = record.lasting(generation) if record else None
        return self._loaded(lasting or self.signing(name, generation), name, generation)

    def _loaded(self, signing: Issuance, name: str, generation: int) -> IssuingAuthority:
        if signing.serial not in self._authorities:
            issuers = issuers_from(self.journal.state.authorities, signing)
            if not issuers:
                raise Impossible(f"authority/{name} generation {generation} has no complete chain")
            own, *above = map(to_der, certificates_of(issuers))
            rooted = is_rooted(issuers)
            self._authorities[signing.serial] = IssuingAuthority.load(own, above, rooted=rooted)
        return self._authorities[signing.serial]

    def chain_digest(self, issuance: Issuance) -> str | None:
        """The digest of the chain and anchors of a certificate, with what this run issued."""
        if self._now is None or self._now.ledger is not self.journal.state:
            self._now = replace(self.world, ledger=self.journal.state)
        return self._now.trust(issuance)

    @cached_property
    def prospects(self) -> Prospects:
        """What becomes of every CA by the plan that is applied."""
        return prospects_of(self.world, self.revoking)

    @cached_property
    def settled(self) -> World:
        """The three sides with each leaf below what can sign it, as the plan had them."""
        return patient(self.prospects)[0]

    @cached_property
    def revoking(self) -> frozenset[str]:
        """The serials that the documents are about to revoke."""
        return frozenset(wanted_revocations(self.world))

    def signer(self, name: str, generation: int) -> Signer:
        """The key of a CA, opened or asked for when it first signs and never before."""
        key = (name, generation)
        if key not in self._signers:
            self._signers[key] = self._open(key)
        found = self._signers[key]
        if isinstance(found, ProviderError):
            raise found
        return found

    def issuer(self, name: str) -> Issuer:
        """A CA of others by its name; raises `Impossible` when no document speaks of it, `MissingExtra`."""
        if name not in self._issuers:
            desired = self.world.desired.issuers.get(name)
            if desired is None:
                raise Impossible(f"there is no Issuer called {name}")
            config = IssuerConfig(
                name,
                desired.spec,
                self.world.ledger.lineage.owner,
                self.root,
                partial(self._opened, f"the Issuer {name}", desired.files),
                desired.files,
            )
            self._issuers[name] = self.open_issuer(config)
        return self._issuers[name]

    def keeper(self, name: str) -> Keeper:
        """Who keeps the key of a CA; raises `Impossible` where it is no mount's, `MissingExtra`."""
        if name not in self._keepers:
            desired = self.world.desired.authorities.get(name)
            if desired is None or desired.mounted is None:
                raise Impossible(f"no document says which Vault keeps the key of authority/{name}")
            secret = partial(self._opened, desired.address, desired.files)
            config = KeeperConfig(desired.mounted, secret, desired.files)
            self._keepers[name] = self.open_keeper(config)
        return self._keepers[name]

    def _opened(self, who: str, files: Mapping[str, bytes], reference: SecretReference) -> Secret:
        """Open a secret that a document names, now that it is needed; raises ProviderError."""
        sealed = files.get(reference.name)
        if sealed is None:
            raise Denied(f"{reference.name}, which {who} names, is not there")
        return self.sops.value(sealed, reference.name, reference.key)

    def _open(self, key: tuple[str, int]) -> Signer | ProviderError:
        """Open a CA key; a failure is remembered, so that it is not asked for once a certificate."""
        try:
            known, wanted = self.journal.state.authorities, self.world.desired.authorities
            remote = remote_key(*key, known, wanted)
            secret = partial(self._secret, key[0], remote)
            signer = self.open_remote(remote, secret) if remote else self._sealed(key)
            signer.public_key()
        except ProviderError as why:
            return why
        return signer

    def _secret(self, name: str, key: RemoteKey | None) -> Secret:
        """Open the secret that a CA's custody names, now that it is needed; raises ProviderError."""
        desired = self.world.desired.authorities.get(name)
        named, existing = key.secret if key else None, desired.existing if desired else None
        sealed = existing.sealed if existing and existing.custody == key else None
        sealed = sealed or (desired.sealed if desired else None)
        if sealed is None or named is None:
            raise Denied(f"no document says where the secret of authority/{name} is")
        return self.sops.value(sealed, named.name, named.key)

    @cached_property
    def passwords(self) -> Passwords:
        """The passwords of keystores, each opened once, when it is first needed."""
        return Passwords(self.sops)

    def _sealed(self, key: tuple[str, int]) -> Signer:
        known, wanted = self.journal.state.authorities, self.world.desired.authorities
        theirs = sealed_key(*key, known, wanted)
        if theirs is not None:
            return KeyFileSigner(f"authority/{key[0]}", theirs, self.sops)
        return SopsSigner(self.journal.authority_key(*key), self.sops)

    def stay_alive(self) -> None:
        """Keep the lock while something slow goes on between waves; raises `Locked`."""
        if time.monotonic() - self._renewed > RENEW_AFTER:
            self.journal.renew()
            self._renewed = time.monotonic()

    def planned_placements(self, record: CertificateRecord, address: str) -> CertificateRecord:
        """Return the record with a placement wherever this run is about to install it."""
        desired = self.world.desired.certificates[record.name]
        for install in desired.installs:
            if install.target in self.planned.get(address, ()):
                record = placed(record, install.target, install.name)
        return record


def owner(change: Change) -> str:
    """The name of what a change belongs to."""
    return addresses.owner(change.address)


def place(change: Change) -> str:
    """The target a change is in."""
    return addresses.place(change.address)


def named(changes: Sequence[Change], most: int = 5) -> str:
    """The addresses of changes, for a message that stays one line."""
    addresses = [change.address for change in changes[:most]]
    more = [f"{len(changes) - most} more"] if len(changes) > most else []
    return ", ".join(addresses + more)
