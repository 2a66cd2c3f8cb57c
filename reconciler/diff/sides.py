"""What a diff looks at, and the look-ups that the documents and the ledger answer without any target."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property

from providers.base import Content
from providers.x509 import trust_digest
from reconciler.chains import Ancestry, Line, ancestry, chain_above, outside
from reconciler.custody import is_mounted
from reconciler.diff.connections import publishes_elsewhere
from reconciler.ledger.records import (
    AuthorityRecord,
    CertificateRecord,
    Issuance,
    LedgerState,
    Status,
)
from reconciler.state import (
    Desired,
    DesiredCertificate,
    DesiredInstall,
    DesiredRevocation,
    Observed,
)
from schemas.request import AuthorityRequest, LeafRequest

SignedUnder = tuple[str | None, int | None, str | None]
"""What tells which certificate signed another, without a look at either."""


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
    def given_up(self) -> Mapping[tuple[str, int], DesiredRevocation]:
        """The generations of CAs that Revocations name, by CA and number."""
        return {
            (revocation.authority, revocation.generation): revocation
            for revocation in reversed(self.desired.revocations)
            if revocation.authority is not None and revocation.generation is not None
        }

    @cached_property
    def leaving(self) -> frozenset[str]:
        """The serials of cross-certificates that are about to be revoked: no chain gets them any more."""
        named = {serial for each in self.desired.revocations for serial in each.serials}
        if not named and not self.given_up:
            return frozenset()
        return frozenset(
            issuance.serial
            for record in self.ledger.authorities.values()
            for issuance in record.issuances
            if issuance.request.issuer == record.name
            and isinstance(issuance.request, AuthorityRequest)
            and (issuance.serial in named or self._is_given_up(record.name, issuance.request))
        )

    def _is_given_up(self, name: str, request: AuthorityRequest) -> bool:
        numbers = (request.generation, request.issuer_generation or 0)
        return any((name, number) in self.given_up for number in numbers)

    def is_given_up(self, name: str, issued: Issuance) -> bool:
        """Whether a Revocation names the generation that a CA's certificate is of."""
        return (name, issued.generation) in self.given_up

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
        """The serials of the CAs a certificate hangs by; a cross-certificate holds it up nowhere alone."""
        if issuance.reference is not None:
            return self._among_others(issuance)
        known = _signed_under(issuance)
        if known not in self._above:
            found = self.ancestry(issuance)
            self._above[known] = frozenset(ca.serial for ca in found.path) if found else frozenset()
        return self._above[known]

    def _among_others(self, issuance: Issuance) -> frozenset[str]:
        """The serials of CAs of ours in a chain that others gave: Vault may sign by one of them."""
        known = (self._mounted.get(pem) for pem in issuance.chain or ())
        cas = [ca for ca in known if ca is not None]
        return frozenset(serial for ca in cas for serial in (ca.serial, *self.above(ca)))

    @cached_property
    def _mounted(self) -> Mapping[str | None, Issuance]:
        """The certificates of CAs whose key Vault keeps, by their PEM."""
        every = (i for record in self.ledger.authorities.values() for i in record.issuances)
        return {i.certificate: i for i in every if i.certificate and is_mounted(i)}

    @cached_property
    def _above(self) -> dict[SignedUnder, frozenset[str]]:
        return {}

    def ancestry(self, issuance: Issuance) -> Ancestry | None:
        """What a certificate of ours was signed under; None for a root, and where a CA is not known."""
        known = _signed_under(issuance)
        if known not in self._ancestries:
            self._ancestries[known] = ancestry(self.ledger.authorities, issuance)
        return self._ancestries[known]

    @cached_property
    def _ancestries(self) -> dict[SignedUnder, Ancestry | None]:
        return {}

    def line(self, issuance: Issuance) -> Line:
        """The names and generations of the CAs above a certificate of ours; empty where none is known."""
        request = issuance.request
        if isinstance(request, AuthorityRequest) and request.issuer_id is not None:
            return (outside(request),)
        found = self.ancestry(issuance)
        return found.line if found else ()

    def authority(self, name: str) -> AuthorityRecord:
        """The ledger's record of a CA, an empty one when there is none."""
        return self.ledger.authorities.get(name) or AuthorityRecord(name=name)

    def trust(self, issuance: Issuance) -> str | None:
        """The digest of the chain and anchors a certificate should be installed with."""
        if issuance.reference is not None:
            above = chain_above(self.ledger.authorities, issuance)
            return trust_digest(above.chain, above.anchors) if above else None
        found = self.ancestry(issuance)
        if found is None:
            return None
        cross = found.cross(issuance, self.leaving) if found.crosses else None
        known = (_signed_under(issuance), cross[0].serial if cross else None)
        if known not in self._trust:
            chain = found.chain(cross)
            self._trust[known] = trust_digest(chain.chain, chain.anchors)
        return self._trust[known]

    @cached_property
    def _trust(self) -> dict[tuple[SignedUnder, str | None], str]:
        return {}


def _signed_under(issuance: Issuance) -> SignedUnder:
    request = issuance.request
    return request.issuer, request.issuer_generation, issuance.signer


def _speaks_for(request: LeafRequest) -> tuple[str, ...]:
    return (*request.dns_names, *request.ip_addresses, *request.uris)


def unexpired(issuance: Issuance, now: datetime) -> bool:
    """Whether a serial still matters to anybody who checks."""
    return issuance.not_after > now and issuance.status in (Status.ISSUED, Status.REVOKED)
