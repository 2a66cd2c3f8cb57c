"""What a diff looks at, and the look-ups that the documents and the ledger answer without any target."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property

from providers.base import Content
from providers.x509 import trust_digest
from reconciler.chains import beyond, chain_above, chain_of, issuers_of
from reconciler.diff.connections import publishes_elsewhere
from reconciler.ledger.records import (
    AuthorityRecord,
    CertificateRecord,
    Issuance,
    LedgerState,
    Status,
)
from reconciler.schedule import is_ahead
from reconciler.state import Desired, DesiredCertificate, DesiredInstall, Observed
from schemas.request import AuthorityRequest, LeafRequest


@dataclass(frozen=True)
class Sides:
    """The three sides, the moment, and what the command line asked to replace. Renames are applied.

    `base` are the documents that `desired` is proposed against, which say who is spoken to; one
    that asks for nothing stands for a commit without a Project. None where nothing is compared.
    """

    desired: Desired
    observed: Observed
    ledger: LedgerState
    now: datetime
    replace: frozenset[str] = field(default=frozenset())
    base: Desired | None = None

    @property
    def publishes_elsewhere(self) -> bool:
        """Whether the documents publish in another directory than those they are proposed against."""
        return self.base is not None and publishes_elsewhere(self.desired, self.base)

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

    @cached_property
    def _trust(self) -> dict[tuple[str, int], str | None]:
        return {}


def _is_valid(issuance: Issuance, now: datetime) -> bool:
    return issuance.not_after > now and not is_ahead(issuance.not_before, now)


def _speaks_for(request: LeafRequest) -> tuple[str, ...]:
    return (*request.dns_names, *request.ip_addresses, *request.uris)


def unexpired(issuance: Issuance, now: datetime) -> bool:
    """Whether a serial still matters to anybody who checks."""
    return issuance.not_after > now and issuance.status in (Status.ISSUED, Status.REVOKED)
