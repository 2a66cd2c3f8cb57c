"""Everything one diff looks at, gathered once, with the few look-ups all of its parts need."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from providers.abilities import HeldTrust
from providers.base import NAME, OWNER, SPEC, Installed
from reconciler.advice import Renewal, renewal, windows
from reconciler.diff.connections import is_elsewhere
from reconciler.diff.sides import Sides
from reconciler.ledger.issuing import Advised
from reconciler.ledger.records import CertificateRecord, Issuance
from reconciler.limits import Refusal
from reconciler.replacement import unchangeable
from reconciler.schedule import is_ahead
from reconciler.state import DesiredBundle, DesiredCertificate, DesiredInstall, Observation
from schemas.request import LeafRequest

UNREAD = Observation("unknown", detail="it was not read")


@dataclass(frozen=True)
class World(Sides):
    """The three sides, with what stands in the targets beside what is wanted there.

    `refused` is what a linter has against issues, by address.
    """

    refused: Mapping[str, Refusal] = field(default_factory=dict)

    @cached_property
    def standing(self) -> Mapping[str, tuple[str, ...]]:
        """The targets that hold an object of ours, by its serial."""
        index: dict[str, tuple[str, ...]] = {}
        for target, observation in self.observed.targets.items():
            for found in observation.installed.values():
                if found.serial is not None and found.owned_by(self.ledger.lineage.owner):
                    index[found.serial] = (*index.get(found.serial, ()), target)
        return index

    def standing_as(self, target: str, serial: str) -> Installed | None:
        """The object of ours in a target that holds a serial."""
        return self._by_serial.get((target, serial))

    @cached_property
    def _by_serial(self) -> Mapping[tuple[str, str], Installed]:
        return {
            (target, found.serial): found
            for target, observation in self.observed.targets.items()
            for found in observation.installed.values()
            if found.serial is not None and found.owned_by(self.ledger.lineage.owner)
        }

    def is_elsewhere(self, target: str) -> bool:
        """Whether the documents make a target another place than it was, or a new one."""
        return self.base is not None and is_elsewhere(self.desired.targets[target], self.base)

    def former(self, certificate: DesiredCertificate) -> DesiredCertificate | None:
        """What the base asks for in a certificate's place; None where it asks for none, or there is none."""
        known = self.base.certificates if self.base else {}
        names = (certificate.name, *certificate.formerly)
        return next((known[name] for name in names if name in known), None)

    def is_as_configured(self, target: str) -> bool:
        """Whether the documents ask nothing else of a target than they did, as far as that is known."""
        former = self.base.targets.get(target) if self.base else None
        return self.base is None or (
            former is not None and former.digest == self.desired.targets[target].digest
        )

    @cached_property
    def advice(self) -> Mapping[str, Advised]:
        """When CAs of others want what they issued to be renewed, by serial, as they said last."""
        return windows(self.desired, self.ledger)

    def renewal(self, desired: DesiredCertificate, issuance: Issuance) -> Renewal:
        """When what was issued for a certificate falls due, by its life or as its CA asks."""
        record = self.records.get(desired.name) or CertificateRecord(name=desired.name)
        window = self.advice.get(issuance.serial)
        return renewal(record, issuance, desired.renew_before, window)

    def is_due(self, desired: DesiredCertificate, issuance: Issuance) -> bool:
        """Whether the clock alone, or a CA, asks for a new certificate in place of an issued one."""
        ahead = is_ahead(issuance.not_before, self.now)
        return ahead or self.renewal(desired, issuance).at <= self.now

    def observation(self, target: str) -> Observation:
        """How a target was found; unknown when nobody looked."""
        return self.observed.targets.get(target, UNREAD)

    def held(self, install: DesiredInstall) -> HeldTrust | None:
        """What bundle of anchors stands where one is wanted."""
        return self.observation(install.target).trust.get(install.name)

    def installed(self, install: DesiredInstall) -> Installed | None:
        """What stands where a certificate is wanted, also under a former name, or to be taken over."""
        if install.hosted and (issued := self._issued_there(install)):
            return issued
        there = self.observation(install.target).installed
        for name in (install.name, *install.formerly):
            if name in there:
                return there[name]
        return next(iter(self.adoptable(install)), None) if install.adopt else None

    def _issued_there(self, install: DesiredInstall) -> Installed | None:
        """What a place was asked for, by the identity that the ledger knows: it may go by any name."""
        id_ = self._asked_for.get((install.target, install.name))
        return None if id_ is None else self._identities.get((install.target, id_))

    @cached_property
    def _asked_for(self) -> Mapping[tuple[str, str], str]:
        """The identities of what places were asked to issue, by target and object name."""
        return {
            (p.target, p.object_name): p.object_id
            for record in self.records.values()
            for p in record.placements
            if p.hosted and p.object_id is not None
        }

    def unlisted(self) -> Iterator[tuple[str, str]]:
        """Yield what places were asked to issue and do not list, by target and identity."""
        for (target, _), id_ in self._asked_for.items():
            seen = self.observation(target).status == "observed"
            if seen and (target, id_) not in self._identities:
                yield target, id_

    def is_unwanted(self, target: str, found: Installed) -> bool:
        """Whether no document asks for an object, or another one stands for the certificate it was of."""
        heir = self._standing_for.get((target, found.name))
        return (target, found.name) not in self.wanted_spots or heir not in (None, found.id)

    @cached_property
    def _standing_for(self) -> Mapping[tuple[str, str], str]:
        """The identities of what places issue by themselves, by target and the name it is wanted under."""
        return {
            (install.target, install.name): found.id
            for certificate in self.desired.certificates.values()
            for install in certificate.installs
            if install.hosted and (found := self.installed(install)) is not None
        }

    def adoptable(self, install: DesiredInstall) -> tuple[Installed, ...]:
        """What stands in a place and is to be taken over there, or was."""
        known = self._identities
        return tuple(
            known[spot] for id_ in install.adopt if (spot := (install.target, id_)) in known
        )

    @cached_property
    def _identities(self) -> Mapping[tuple[str, str], Installed]:
        seen = self.observed.targets.items()
        return {(name, found.id): found for name, o in seen for found in o.installed.values()}

    @cached_property
    def adopted(self) -> Mapping[tuple[str, str], str]:
        """The certificates whose place an adopted object takes that is as it was, by target and identity."""
        return {
            (p.target, p.object_id): record.name
            for record in self.records.values()
            for p in record.placements
            if p.is_adopted and p.object_id is not None
        }

    @cached_property
    def hosted(self) -> Mapping[tuple[str, str], str]:
        """The certificates that places issued by themselves, by target and the object's identity."""
        return {
            (p.target, p.object_id): record.name
            for record in self.records.values()
            for p in record.placements
            if p.hosted and p.object_id is not None
        }

    @cached_property
    def wanted_spots(self) -> frozenset[tuple[str, str]]:
        """Every object that is wanted, by target and the names it goes by there: today, and at the end."""
        return frozenset(
            (install.target, name)
            for certificate in self.desired.certificates.values()
            for install in certificate.installs
            for name in self._names(install)
        )

    def _names(self, install: DesiredInstall) -> tuple[str, ...]:
        if not (install.hosted or install.formerly or install.adopt):
            return (install.name,)  # nothing else is looked for there
        found = self.installed(install)
        # what a document adopts stays ours as long as it says so, even beside what supersedes it
        kept = [o.name for o in self.adoptable(install) if (install.target, o.id) in self.adopted]
        return (install.name, *kept, *((found.name,) if found else ()))

    def unchangeable(self, install: DesiredInstall, want: LeafRequest) -> str:
        """Say why what stands there has to make room for a new object; empty when it need not."""
        found, target = self.installed(install), self.desired.targets[install.target]
        capabilities = target.spec.capabilities
        if found is None or not capabilities.fixed:
            return ""
        known = self.serials.get(found.serial or "")
        return unchangeable(capabilities, found, known[1].request if known else None, want)

    def labels(self, certificate: DesiredCertificate, digest: str, target: str) -> dict[str, str]:
        """The labels a certificate's object in a target is to carry; the Target's own go before others."""
        return {
            **certificate.labels,
            **self.desired.targets[target].spec.tags,
            OWNER: self.ledger.lineage.owner,
            NAME: certificate.name,
            SPEC: digest,
        }

    def bundle_labels(self, bundle: DesiredBundle, target: str) -> dict[str, str]:
        """The labels a bundle of anchors in a target is to carry."""
        return {
            **bundle.labels,
            **self.desired.targets[target].spec.tags,
            OWNER: self.ledger.lineage.owner,
            NAME: bundle.name,
            SPEC: bundle.digest,
        }

    def relabelled(
        self, certificate: DesiredCertificate, digest: str, install: DesiredInstall
    ) -> dict[str, str]:
        """The labels an object is to have that is there; those of others stay where others label too."""
        wanted = self.labels(certificate, digest, install.target)
        found, spec = self.installed(install), self.desired.targets[install.target].spec
        shared = found.labels if found and spec.capabilities.shared_labels else {}
        return {**shared, **wanted}
