"""A whole repository, its ledger and its targets in memory: real cryptography, real diff, real apply."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, cast

import nameless
from fleet_documents import (
    DAY,
    HERE,
    LINEAGE,
    PUBLISH,
    START,
    Ca,
    Leaf,
    desired_authority,
    desired_certificate,
    desired_target,
    is_region,
)
from fleet_sights import issuances, shown
from memory_ledger import ClearCipher, MemoryJournal, MemoryPublisher
from trusting import Trust, desired_bundle

from providers.base import Installed, Target, TargetConfig
from providers.issuing import Issuer, IssuerConfig
from providers.keeping import KeeperConfig
from providers.memory import MemoryTarget
from providers.memory_issuer import Desk, MemoryIssuer
from providers.memory_keeper import MemoryKeeper, Safe
from providers.memory_store import MemoryObject, MemoryStore
from providers.sops.binary import Sops
from providers.specimens import Specimens
from reconciler.apply import Session, apply
from reconciler.diff import World
from reconciler.events import Event, EventStatus
from reconciler.ledger.records import Issuance
from reconciler.observe import observe
from reconciler.pinning import pin
from reconciler.planning import make_plan, pending
from reconciler.resolve.generations import with_renewals
from reconciler.selection import Selection
from reconciler.state import (
    Desired,
    DesiredIssuer,
    DesiredRevocation,
    PublishedFile,
)
from schemas.issuer import IssuerSpec
from schemas.plan import Plan
from schemas.project import GuardSettings, LedgerSettings, Recipient
from schemas.revocation import RevocationReason


@dataclass
class Fleet:
    """The documents, the truth, and one clock. `away` are the targets that are on another host."""

    cas: dict[str, Ca] = field(default_factory=lambda: {"root": Ca()})
    leaves: dict[str, Leaf] = field(default_factory=dict)
    bundles: dict[str, Trust] = field(default_factory=dict)
    revocations: dict[str, DesiredRevocation] = field(default_factory=dict)
    targets: tuple[str, ...] = ("a", "b")
    publish: bool = True
    now: datetime = START
    away: set[str] = field(default_factory=set)
    stores: dict[str, MemoryStore] = field(default_factory=dict)
    kinds: dict[str, type[MemoryTarget]] = field(default_factory=dict)
    replace: frozenset[str] = frozenset()
    pinned: bool = False
    base: Desired | None = None
    keyring: tuple[str, ...] = (LINEAGE.leaf_recipient,)
    recipients: tuple[str, ...] = ()
    """Who can open the CA keys; the keyring's when nobody is named."""
    issuers: dict[str, IssuerSpec] = field(default_factory=dict)
    desks: dict[str, Desk] = field(default_factory=dict)
    """What really is at the CAs of others, by the name of their Issuer."""
    safes: dict[str, Safe] = field(default_factory=dict)
    """What really is at those who keep CA keys, by the path of the mount."""
    identities: tuple[str, ...] | None = None
    """What this host can open files with; everything when it is None."""

    def __post_init__(self) -> None:
        self.journal = MemoryJournal.empty(LINEAGE, self.clock)
        self.publisher = MemoryPublisher(self.clock, self._end)

    def clock(self) -> datetime:
        return self.now

    def wait(self, days: float) -> "Fleet":
        """Let time pass."""
        self.now += timedelta(seconds=int(days * DAY))
        return self

    def store(self, target: str) -> MemoryStore:
        """What really is in a target, whoever may look."""
        return self.stores.setdefault(target, MemoryStore())

    def edit(self, name: str, **fields: Any) -> "Fleet":
        """Change one Certificate's document."""
        self.leaves[name] = replace(self.leaves[name], **fields)
        return self

    def rename(self, old: str, new: str) -> "Fleet":
        """Rename one Certificate's document, saying so."""
        leaf = self.leaves.pop(old)
        self.leaves[new] = replace(leaf, formerly=(*leaf.formerly, old))
        return self

    def revoke(self, name: str, *certificates: str, serials: tuple[str, ...] = ()) -> "Fleet":
        """Write a Revocation of everything issued up to now, or of serials."""
        self.revocations[name] = DesiredRevocation(
            name=name,
            source=HERE,
            certificates=certificates,
            issued_before=self.now if certificates else None,
            serials=serials,
            reason=RevocationReason.KEY_COMPROMISE,
        )
        return self

    def signed_under(self, authority: str, generation: int) -> Issuance:
        """The newest certificate of a CA's generation."""
        found = self.journal.state.authorities[authority].issued(generation)
        assert found is not None
        return found

    def compromise(
        self,
        authority: str,
        generation: int = 1,
        *,
        immediate: bool = False,
        reason: RevocationReason = RevocationReason.KEY_COMPROMISE,
    ) -> "Fleet":
        """Write a Revocation of a CA's generation, with all that it signed."""
        name = f"{authority}-g{generation}"
        self.revocations[name] = DesiredRevocation(
            name=name,
            source=HERE,
            certificates=(),
            issued_before=None,
            serials=(),
            reason=reason,
            authority=authority,
            generation=generation,
            immediate=immediate,
        )
        return self

    def current(self, name: str) -> Issuance:
        """The certificate issued last under a name."""
        found = self.journal.state.certificates[name].current
        assert found is not None
        return found

    def installed(self, target: str, name: str) -> Installed:
        """What really stands in a target under an object name."""
        return self.store(target).objects[name].installed

    def trusted(self, target: str, name: str = "corp") -> list[str]:
        """What the anchors are called that a target really holds under a name."""
        named = {
            i.sha256: f"{record.name}-g{getattr(i.request, 'generation', 0)}"
            for record in self.journal.state.authorities.values()
            for i in record.issuances
        }
        return sorted(named.get(key, "other") for key in self.store(target).trust[name].anchors)

    def desired(self) -> Desired:
        """What the documents ask for."""
        cas = {name: self._moved_on(name, ca) for name, ca in self.cas.items()}
        generations = {name: ca.generation for name, ca in cas.items()}
        wanted = frozenset(self.leaves)
        certificates = {
            name: desired_certificate(
                name,
                leaf,
                generations.get(leaf.issuer, 0),
                wanted,
                self.issuers.get(leaf.issuer),
            )
            for name, leaf in self.leaves.items()
        }
        authorities = {
            n: desired_authority(n, ca, cas, self.recipients or self.keyring, self.issuers)
            for n, ca in cas.items()
        }
        return Desired(
            project="example",
            revision=None,
            keyring=tuple(Recipient(age=age) for age in self.keyring),
            ledger=LedgerSettings(),
            guard=GuardSettings(),
            publish=PUBLISH if self.publish else None,
            authorities=with_renewals(authorities, certificates.values()),
            certificates=certificates,
            targets={name: desired_target(name) for name in self.targets},
            revocations=tuple(self.revocations.values()),
            issuers={n: DesiredIssuer(n, HERE, spec) for n, spec in self.issuers.items()},
            bundles={n: desired_bundle(n, trust) for n, trust in self.bundles.items()},
        )

    def _moved_on(self, name: str, ca: Ca) -> Ca:
        """A CA of the first generation that no Revocation names."""
        named = {(r.authority, r.generation) for r in self.revocations.values()}
        number = ca.generation
        while (name, number) in named and not ca.retired:
            number += 1
        revoked = frozenset(n for authority, n in named if authority == name and n)
        return replace(ca, generation=number, revoked=revoked)

    def config(self, name: str) -> TargetConfig:
        """What a target is made from."""
        return TargetConfig(name, desired_target(name).spec, LINEAGE.owner, Path("/"))

    def reach(self) -> Mapping[str, Target]:
        """The targets this host can reach."""
        return {
            name: self.kinds.get(name, _kind(name))(self.config(name), self.store(name))
            for name in self.targets
            if name not in self.away
        }

    def world(self) -> World:
        """The three sides at this moment."""
        state = self.journal.state
        desired = pin(self.desired(), state, self.base) if self.pinned else self.desired()
        publisher = self.publisher if self.publish else None
        observed = observe(desired, state, self.reach(), publisher)
        return World(desired, observed, state, self.now, self.replace, self.base)

    def published(self) -> Mapping[str, PublishedFile]:
        """What is published now."""
        found = self.world().observed.published
        assert found is not None
        return found

    def plan(self, selection: Selection | None = None) -> Plan:
        """What one apply would do."""
        return make_plan(self.world(), selection)

    def session(self) -> Session:
        """Everything apply works with."""
        publisher = self.publisher if self.publish else None
        reach, sops = self.reach(), cast("Sops", ClearCipher(self.identities))
        return Session(
            self.world(),
            self.journal,
            reach,
            publisher,
            sops,
            self.clock,
            open_issuer=self.ask,
            open_keeper=self.keep,
        )

    def keep(self, config: KeeperConfig) -> MemoryKeeper:
        """The keeper of a mount; its safe stays."""
        return MemoryKeeper(self.safes.setdefault(config.custody.vault.path, Safe()))

    def ask(self, config: IssuerConfig) -> Issuer:
        """The issuer of a name; its desk stays."""
        return MemoryIssuer(self.desk(config.name))

    def desk(self, name: str) -> Desk:
        """What really is at a CA of others."""
        if name not in self.desks:
            self.desks[name] = Desk(Specimens.make(START), self.clock)
        return self.desks[name]

    def stream(self, selection: Selection | None = None) -> Iterator[Event]:
        """Plan and apply, event by event."""
        session = self.session()
        yield from apply(session, pending(make_plan(session.world, selection).changes))

    def apply(self, selection: Selection | None = None) -> list[Event]:
        """Plan and apply; return how each change ended."""
        return [event for event in self.stream(selection) if event.final]

    def converge(self) -> "Fleet":
        """Apply, and expect that everything worked and nothing is left to do."""
        undone = [event for event in self.apply() if event.status is not EventStatus.DONE]
        assert not undone, undone
        left = shown(self.plan())
        assert left == [], left
        return self

    def foreign(self, target: str, name: str) -> Installed:
        """Put somebody else's object into a target; in a place of a region it goes by its identity."""
        id_ = f"memory:{target}/{name}"
        if is_region(target):
            name = id_ = f"memory:{target}/their-{name}"
        found = Installed(id_, name, {}, "abc123", "00" * 32, self.now)
        self.store(target).put_foreign(found)
        return found

    def adoptable(self, target: str) -> frozenset[str]:
        """The identities that documents ask to take over in a target."""
        return frozenset(id_ for leaf in self.leaves.values() for id_ in leaf.adopt.get(target, ()))

    def spoil(self, target: str, name: str, *drift: str) -> None:
        """Let somebody touch one of our objects."""
        objects = self.store(target).objects
        held = objects[name]
        objects[name] = replace(held, installed=replace(held.installed, drift=drift))

    def ours(self) -> Iterator[tuple[str, MemoryObject]]:
        """Every object that carries our label, in every target there ever was."""
        for target, store in self.stores.items():
            for held in store.objects.values():
                if held.installed.owned_by(LINEAGE.owner):
                    yield target, held

    def kept_keys(self) -> dict[str, str]:
        """The certificates whose keys the ledger holds, by serial."""
        held = {serial for keys in self.journal.keys.values() for serial in keys}
        return {
            issuance.serial: record.name
            for record in self.journal.state.certificates.values()
            for issuance in record.issuances
            if issuance.name in held
        }

    def _end(self, serial: str) -> datetime | None:
        every = issuances(self.journal.state)
        return next((i.not_after for i in every if i.serial == serial), None)


def _kind(name: str) -> type[MemoryTarget]:
    return nameless.NamelessTarget if is_region(name) else MemoryTarget
