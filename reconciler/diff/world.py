"""Everything one diff looks at, gathered once, with the few look-ups all of its parts need."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property

from providers.base import NAME, OWNER, SPEC, Content, Installed
from providers.x509 import trust_digest
from reconciler.chains import beyond, chain_above, chain_of, issuers_of
from reconciler.ledger.records import (
    AuthorityRecord,
    CertificateRecord,
    Issuance,
    LedgerState,
    Status,
)
from reconciler.replacement import unchangeable
from reconciler.schedule import is_ahead
from reconciler.state import Desired, DesiredCertificate, DesiredInstall, Observation, Observed
from schemas.request import AuthorityRequest, LeafRequest

UNREAD = Observation("unknown", detail="it was not read")


@dataclass(frozen=True)
class World:
    """The three sides, the moment, and what the command line asked to replace. Renames are applied."""

    desired: Desired
    observed: Observed
    ledger: LedgerState
    now: datetime
    replace: frozenset[str] = field(default=frozenset())

    @cached_property
    def renames(self) -> Mapping[str, str]:
        """Certificate names that changed, new to old: the old one is in the ledger, the new one is not."""
        known = self.ledger.certificates
        wanted = self.desired.certificates
        return {
            cert.name: old
            for cert in wanted.values()
            for old in cert.formerly
            if cert.name not in known and old in known and old not in wanted
        }

    @cached_property
    def heirs(self) -> Mapping[str, tuple[DesiredCertificate, ...]]:
        """Who was formerly called by a name."""
        heirs: dict[str, tuple[DesiredCertificate, ...]] = {}
        for certificate in self.desired.certificates.values():
            for old in certificate.formerly:
                heirs[old] = (*heirs.get(old, ()), certificate)
        return heirs

    def successors(self, request: LeafRequest | AuthorityRequest) -> tuple[DesiredCertificate, ...]:
        """The wanted certificates that speak for a name, an address or a URI of what goes, by name."""
        if isinstance(request, AuthorityRequest):
            return ()
        found = {c.name: c for who in _speaks_for(request) for c in self._speakers.get(who, ())}
        return tuple(found[name] for name in sorted(found))

    def speaking_for(self, content: Content | None) -> tuple[DesiredCertificate, ...]:
        """The wanted certificates that speak for a DNS name of what a place issued and goes, by name."""
        names = content.dns_names if content else ()
        found = {c.name: c for who in names for c in self._speakers.get(who, ())}
        return tuple(found[name] for name in sorted(found))

    @cached_property
    def _speakers(self) -> Mapping[str, tuple[DesiredCertificate, ...]]:
        speakers: dict[str, tuple[DesiredCertificate, ...]] = {}
        for certificate in self.desired.certificates.values():
            for who in _speaks_for(certificate.request):
                speakers[who] = (*speakers.get(who, ()), certificate)
        return speakers

    @cached_property
    def records(self) -> Mapping[str, CertificateRecord]:
        """The ledger's certificates under the names they are wanted by now."""
        records = dict(self.ledger.certificates)
        for new, old in self.renames.items():
            records[new] = self.renamed(records.pop(old), new)
        return records

    def renamed(self, record: CertificateRecord, name: str) -> CertificateRecord:
        """Return a record under another name; where objects have no names, they go by it from now on."""
        moved = {(i.target, former) for i in self._wanted_installs(name) for former in i.formerly}
        placements = tuple(
            p.model_copy(update={"object_name": name}) if (p.target, p.object_name) in moved else p
            for p in record.placements
        )
        return record.model_copy(update={"name": name, "placements": placements})

    def _wanted_installs(self, name: str) -> tuple[DesiredInstall, ...]:
        desired = self.desired.certificates.get(name)
        return desired.installs if desired else ()

    @cached_property
    def serials(self) -> Mapping[str, tuple[str, Issuance]]:
        """Every serial the ledger holds, with the address of what it was issued for."""
        index = {}
        for address, issuance in self._issuances():
            index[issuance.serial] = (address, issuance)
        return index

    def _issuances(self) -> Iterator[tuple[str, Issuance]]:
        for authority in self.ledger.authorities.values():
            for issuance in authority.issuances:
                yield f"authority/{authority.name}", issuance
        for record in self.records.values():
            for issuance in record.issuances:
                yield f"certificate/{record.name}", issuance

    @cached_property
    def revoked(self) -> Mapping[tuple[str, int], frozenset[str]]:
        """The unexpired serials that the ledger has revoked, by issuer and its generation."""
        index: dict[tuple[str, int], set[str]] = {}
        for _, issuance in self.serials.values():
            if issuance.status is Status.REVOKED and issuance.not_after > self.now:
                request = issuance.request
                key = (str(request.issuer), request.issuer_generation or 0)
                index.setdefault(key, set()).add(issuance.serial)
        return {key: frozenset(serials) for key, serials in index.items()}

    @cached_property
    def standing(self) -> Mapping[str, tuple[str, ...]]:
        """The targets that hold an object of ours, by its serial."""
        index: dict[str, tuple[str, ...]] = {}
        for target, observation in self.observed.targets.items():
            for found in observation.installed.values():
                if found.serial is not None and found.owned_by(self.ledger.lineage.owner):
                    index[found.serial] = (*index.get(found.serial, ()), target)
        return index

    def above(self, issuance: Issuance) -> frozenset[str]:
        """The serials of the CAs a certificate hangs by."""
        issuer = (str(issuance.request.issuer), issuance.request.issuer_generation or 0)
        if issuer not in self._above:
            chain = issuers_of(self.ledger.authorities, *issuer)
            self._above[issuer] = frozenset(ca.serial for ca in chain)
        return self._above[issuer]

    @cached_property
    def _above(self) -> dict[tuple[str, int], frozenset[str]]:
        return {}

    def observation(self, target: str) -> Observation:
        """How a target was found; unknown when nobody looked."""
        return self.observed.targets.get(target, UNREAD)

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

    def authority(self, name: str) -> AuthorityRecord:
        """The ledger's record of a CA, an empty one when there is none."""
        return self.ledger.authorities.get(name) or AuthorityRecord(name=name)

    def unready(self, request: LeafRequest | AuthorityRequest, coming: frozenset[str]) -> str:
        """Say why an issuer cannot sign, neither now nor after `coming` is issued; empty when it can."""
        if isinstance(request, LeafRequest) and request.issuer_id is not None:
            return ""  # a CA of others: nobody asks it for a plan
        signer: LeafRequest | AuthorityRequest = request
        while signer.issuer is not None and f"authority/{signer.issuer}" in coming:
            signer = self.desired.authorities[signer.issuer].request
        if signer.issuer is None:
            return ""
        address = f"authority/{signer.issuer}"
        issuer = (signer.issuer, signer.issuer_generation or 0)
        found = self.authority(signer.issuer).generation(issuer[1])
        if found is None or found.status is not Status.ISSUED or not _is_valid(found, self.now):
            return f"{address} cannot sign: see what blocks it"
        if reasons := beyond(request, self._edited_above(issuer)):
            return f"{address}, as it was issued, does not allow it: {reasons[0]}"
        return ""

    def _edited_above(self, issuer: tuple[str, int]) -> tuple[AuthorityRequest, ...]:
        """What the CAs above were issued for; none when the documents, which were checked, say the same."""
        if issuer not in self._edited:
            chain = issuers_of(self.ledger.authorities, *issuer)
            issued = tuple(i.request for i in chain if isinstance(i.request, AuthorityRequest))
            wanted = {a.request for a in self.desired.authorities.values()}
            self._edited[issuer] = issued if set(issued) - wanted else ()
        return self._edited[issuer]

    @cached_property
    def _edited(self) -> dict[tuple[str, int], tuple[AuthorityRequest, ...]]:
        return {}

    @cached_property
    def _trust(self) -> dict[tuple[str, int], str | None]:
        return {}

    def trust(self, issuance: Issuance) -> str | None:
        """The digest of the chain and anchors a certificate should be installed with."""
        if issuance.reference is not None:
            above = chain_above(self.ledger.authorities, issuance)
            return trust_digest(above.chain, above.anchors) if above else None
        issuer = (str(issuance.request.issuer), issuance.request.issuer_generation or 0)
        if issuer not in self._trust:
            chain = chain_of(self.ledger.authorities, *issuer)
            self._trust[issuer] = trust_digest(chain.chain, chain.anchors) if chain else None
        return self._trust[issuer]

    def labels(self, certificate: DesiredCertificate, digest: str, target: str) -> dict[str, str]:
        """The labels a certificate's object in a target is to carry; the Target's own go before others."""
        return {
            **certificate.labels,
            **self.desired.targets[target].spec.tags,
            OWNER: self.ledger.lineage.owner,
            NAME: certificate.name,
            SPEC: digest,
        }

    def relabelled(
        self, certificate: DesiredCertificate, digest: str, install: DesiredInstall
    ) -> dict[str, str]:
        """The labels an object is to have that is there; those of others stay where others label too."""
        wanted = self.labels(certificate, digest, install.target)
        found, spec = self.installed(install), self.desired.targets[install.target].spec
        shared = found.labels if found and spec.capabilities.shared_labels else {}
        return {**shared, **wanted}


def _is_valid(issuance: Issuance, now: datetime) -> bool:
    return issuance.not_after > now and not is_ahead(issuance.not_before, now)


def _speaks_for(request: LeafRequest) -> tuple[str, ...]:
    return (*request.dns_names, *request.ip_addresses, *request.uris)


def unexpired(issuance: Issuance, now: datetime) -> bool:
    """Whether a serial still matters to anybody who checks."""
    return issuance.not_after > now and issuance.status in (Status.ISSUED, Status.REVOKED)
