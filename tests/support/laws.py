"""The laws that hold at every moment, judged by the truth: every target, seen or not, and every wave."""

from collections.abc import Iterator, Sequence
from functools import cache

from fleet import Fleet
from fleet_documents import LINEAGE
from fleet_sights import issuances, name_of, revoked_now
from nameless import REGION, NamelessTarget

from providers.abilities import AdoptRequest, HeldTrust, Staged
from providers.base import Installed, InstallRequest
from providers.errors import ProviderError
from providers.memory import MemoryTarget
from providers.memory_store import MemoryObject
from providers.x509 import facts, is_issued_by
from reconciler.chains import ancestry
from reconciler.events import Event
from reconciler.ledger.records import LedgerState
from schemas.request import LeafRequest


def check_lives(state: LedgerState) -> None:
    """Nothing lives longer than what signed it."""
    every = {issuance.serial: issuance for issuance in issuances(state)}
    for issuance in every.values():
        signer = every.get(issuance.signer or "")
        if signer is not None:
            assert signer.not_before <= issuance.not_before, f"{issuance.serial} starts too early"
            assert signer.not_after >= issuance.not_after, f"{issuance.serial} outlives its issuer"


def check_trust(fleet: Fleet) -> None:
    """Whoever trusts what a Bundle brought somewhere can follow every chain that is served, at any time."""
    for name, trust in fleet.bundles.items():
        for target, object_name in trust.targets:
            held = fleet.store(target).trust.get(object_name or name)
            for at, leaf in fleet.ours() if held else ():
                assert held is None or leads_to(leaf, trust.authorities, held, fleet), (
                    f"{at} serves what {target} does not trust"
                )


def leads_to(leaf: MemoryObject, roots: Sequence[str], held: HeldTrust, fleet: Fleet) -> bool:
    """Whether a served chain leads to an anchor, or to another root than those that are meant."""
    found = next(
        (i for i in issuances(fleet.journal.state) if i.sha256 == leaf.installed.sha256), None
    )
    above = ancestry(fleet.journal.state.authorities, found) if found else None
    if leaf.bundle is None or above is None or found is None or found.not_after <= fleet.now:
        return True
    if above.line[-1][0] not in roots:
        return True
    served = (leaf.bundle.certificate, *leaf.bundle.chain)
    return any(issued_by(link, anchor) for link in served for anchor in held.anchors.values())


@cache
def issued_by(link: bytes, anchor: bytes) -> bool:
    """Whether one certificate (PEM) signed another."""
    return is_issued_by(facts(link).certificate, facts(anchor).certificate)


def wanted_spots(fleet: Fleet) -> set[tuple[str, str]]:
    """Every (target, object name) that the documents ask for."""
    return {(t, o or name) for name, leaf in fleet.leaves.items() for t, o in leaf.targets}


class Laws:
    """Watches one fleet: every call of a target and every wave of the ledger is judged by the truth."""

    def __init__(self, fleet: Fleet) -> None:
        self.fleet = fleet
        watching = self

        class Watched(MemoryTarget):
            def switch(self, staged: Sequence[Staged], /) -> Sequence[Installed | ProviderError]:
                for each in staged:
                    watching.check_key(each.request)
                return super().switch(staged)

            def adopt(self, request: AdoptRequest, /) -> Installed:
                return watching.check_adoption(self._name, request, super().adopt(request))

            def remove(self, installed: Installed, /) -> None:
                watching.check_removal(self._name, installed)
                super().remove(installed)

        class WatchedRegion(Watched, NamelessTarget):
            pass

        fleet.kinds = {t: WatchedRegion if t == REGION else Watched for t in fleet.targets}
        fleet.journal.watch = self.check_wave

    def check_key(self, request: InstallRequest) -> None:
        """Nothing is shown before the ledger holds it durably."""
        sha = {i.sha256 for r in self.state.certificates.values() for i in r.issuances}
        held = self.fleet.stores
        staged = {
            store.staged[request.name].installed.sha256
            for store in held.values()
            if request.name in store.staged
        }
        assert staged <= sha, "a certificate was shown that the ledger does not know"

    def check_adoption(self, target: str, request: AdoptRequest, adopted: Installed) -> Installed:
        """What is labelled is what a document names, and the ledger accounts for it already."""
        assert request.id in self.fleet.adoptable(target), f"nobody asked to adopt {request.id}"
        known = {p.object_id for r in self.state.certificates.values() for p in r.placements}
        assert request.id in known, f"{request.id} was labelled before the ledger knew"
        return adopted

    def check_removal(self, target: str, installed: Installed) -> None:
        """Nothing is removed that is wanted, nor before what takes its place works everywhere."""
        assert installed.owned_by(LINEAGE.owner), "a foreign object was to be removed"
        known_serials = {i.serial for i in issuances(self.state)}
        assert installed.serial in known_serials, "what we did not issue was to be removed"
        assert (target, installed.id) not in self.used(), "what something uses was to be removed"
        spot, objects = (target, name_of(installed)), self.fleet.store(target).objects
        stands = {
            n: o.installed.id for n, o in objects.items() if (target, n) in wanted_spots(self.fleet)
        }
        assert installed.id not in stands.values(), f"{spot} is wanted and was to be removed"
        old = name_of(installed)
        for name, leaf in self.fleet.leaves.items():
            if name == old or (old in leaf.formerly and old not in self.fleet.leaves):
                for place, other in leaf.targets:
                    if name in stands and target == REGION != place:
                        continue  # a new object stands beside it: that alone has to work
                    assert self.works(name, place, other or name), f"{old} goes before {name} works"
        self.check_succession(installed)

    def check_succession(self, installed: Installed) -> None:
        """What is not wanted goes after everything that is and speaks for a name of it, renamed or not."""
        leaves = self.fleet.leaves
        known = [(r.name, i) for r in self.state.certificates.values() for i in r.issuances]
        owner, issuance = next((o, i) for o, i in known if i.serial == installed.serial)
        formerly = {old for leaf in leaves.values() for old in leaf.formerly}
        if owner in leaves or owner in formerly or not isinstance(issuance.request, LeafRequest):
            return
        for name, leaf in leaves.items():
            if not set(issuance.request.dns_names).isdisjoint(leaf.names):
                for place, other in leaf.targets:
                    assert self.works(name, place, other or name), f"{owner} goes before {name}"

    def works(self, name: str, target: str, object_name: str) -> bool:
        """Whether a certificate's current issue is verified in a place, or what stands for it is there."""
        record = self.state.certificates.get(name)
        current = record.current if record else None
        placement = record.placement(target, object_name) if record else None
        if current is None and placement is not None and placement.is_adopted:
            return (target, placement.object_id) in self.identities()
        if current is None or placement is None or placement.serial != current.serial:
            return False
        if target in self.fleet.away or not self.fleet.store(target).reachable:
            return True
        held = self.fleet.store(target).objects.get(object_name)
        return held is not None and held.installed.sha256 == current.sha256

    def check_wave(self, before: LedgerState, after: LedgerState) -> None:
        """What is revoked is served nowhere any more, whether or not we can look there.

        What has expired serves nobody: nothing waits for it.
        """
        check_lives(after)
        for issuance in revoked_now(before, after):
            for target, held in self.fleet.ours():
                end = held.installed.not_after
                over = end is not None and end <= self.fleet.now
                used = set() if over else set(self.chain(held.installed.serial, after))
                assert issuance.serial not in used, f"revoked while {target} serves it"

    def chain(self, serial: str | None, state: LedgerState) -> Iterator[str]:
        """A serial and those of the CAs above it, as they signed it."""
        found = next((i for i in issuances(state) if i.serial == serial), None)
        if found is not None:
            above = ancestry(state.authorities, found)
            yield found.serial
            yield from (ca.serial for ca in above.path) if above else ()

    @property
    def state(self) -> LedgerState:
        return self.fleet.journal.state

    def run(self, stream: Iterator[Event]) -> list[Event]:
        """Apply under watch: what is served where it is wanted never goes away, foreign things stay."""
        served = self.proven() & self.standing() & wanted_spots(self.fleet)
        foreign, adopted = self.strangers(), self.taken_over()
        used, marked = self.used(), self.marked()
        events = []
        for event in stream:
            check_trust(self.fleet)
            assert served <= self.standing(), f"{served - self.standing()} vanished meanwhile"
            assert self.strangers() | foreign == self.strangers(), "a foreign object was changed"
            assert adopted <= self.identities(), (
                f"{adopted - self.identities()} was adopted and went"
            )
            assert used <= self.identities(), f"{used - self.identities()} was used and went"
            lost = (marked & self.identities()) - self.marked()
            assert not lost, f"{lost} lost the labels of others"
            events.append(event)
        return [event for event in events if event.final]

    def proven(self) -> set[tuple[str, str]]:
        """Where something was seen working; a first install that was not may be taken away again."""
        placements = [p for r in self.state.certificates.values() for p in r.placements]
        return {(p.target, p.object_name) for p in placements if p.serial is not None}

    def standing(self) -> set[tuple[str, str]]:
        return {(target, held.installed.name) for target, held in self.fleet.ours()}

    def strangers(self) -> dict[tuple[str, str], Installed]:
        """What is not ours, and nobody asks to take over."""
        return {
            (target, name): held.installed
            for target, store in self.fleet.stores.items()
            for name, held in store.objects.items()
            if not held.installed.owned_by(LINEAGE.owner)
            and held.installed.id not in self.fleet.adoptable(target)
        }

    def identities(self) -> set[tuple[str, str]]:
        """Every object there is, by target and identity."""
        stores = self.fleet.stores.items()
        return {(t, held.installed.id) for t, store in stores for held in store.objects.values()}

    def used(self) -> set[tuple[str, str]]:
        """The objects of ours in the region that something refers to."""
        ours = self.fleet.ours()
        return {(t, held.installed.id) for t, held in ours if held.installed.used_by}

    def marked(self) -> set[tuple[str, str]]:
        """The objects that somebody put a label of theirs on."""
        stores = self.fleet.stores.items()
        held = ((t, each.installed) for t, store in stores for each in store.objects.values())
        return {(t, each.id) for t, each in held if "theirs" in each.labels}

    def taken_over(self) -> set[tuple[str, str]]:
        """The objects that were adopted and hold nothing of ours yet, also where a run died over that."""
        placements = [p for r in self.state.certificates.values() for p in r.placements]
        adopted = {(p.target, p.object_id) for p in placements if p.is_adopted and p.object_id}
        serials = {issuance.serial for issuance in issuances(self.state)}
        ours = {(t, o.installed.id) for t, o in self.fleet.ours() if o.installed.serial in serials}
        return adopted & self.identities() - ours
