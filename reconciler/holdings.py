"""What is in use, as documents and ledger have it: generations of CAs, leaves, and where these are."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from reconciler.ledger.records import CertificateRecord, Issuance, LedgerState, Status
from reconciler.state import Desired, DesiredCertificate
from schemas.request import AuthorityRequest

Line = tuple[str, int]
"""A CA and its generation; for a CA of others its name and 0."""


@dataclass(frozen=True, slots=True)
class Holding:
    """One leaf under one CA, and its places; `not_after` is None where it is not issued yet."""

    name: str
    line: Line
    not_after: datetime | None
    places: tuple[str, ...]


@dataclass(frozen=True)
class Holdings:
    """All that is in use at a moment; what is expired or revoked is not."""

    desired: Desired
    ledger: LedgerState
    now: datetime

    @cached_property
    def lines(self) -> Mapping[Line, AuthorityRequest]:
        """Every generation of a CA that lives or is wanted, with what it says."""
        found: dict[Line, AuthorityRequest] = {}
        for record in self.ledger.authorities.values():
            for issuance in record.issuances:
                request = issuance.request
                if not isinstance(request, AuthorityRequest) or not self.lives(issuance):
                    continue
                if request.issuer != record.name:  # a cross-certificate is one way more
                    found[record.name, request.generation] = request
        for authority in self.desired.authorities.values():
            if not authority.retired:
                own = (authority.name, authority.request.generation)
                found.setdefault(own, authority.request)
        return found

    def above(self, line: Line) -> Line | None:
        """Return who signs a CA, or what an Issuer signs by where Vault keeps the key of a CA of ours."""
        if line in self.lines:
            return above_of(self.lines[line])
        mounted = None if line[1] else self.desired.mounted(line[0])
        return (mounted.name, mounted.request.generation) if mounted else None

    def end(self, line: Line) -> datetime | None:
        """Return when the certificate of a CA's generation ends; None where it is not issued."""
        record = self.ledger.authorities.get(line[0])
        issued = record.issued(line[1]) if record else None
        return issued.not_after if issued else None

    def lives(self, issuance: Issuance) -> bool:
        """Whether a certificate is of use to somebody."""
        return issuance.status is Status.ISSUED and issuance.not_after > self.now

    @cached_property
    def leaves(self) -> tuple[Holding, ...]:
        """Every leaf that is there or wanted, once for each CA that signed what is in use of it."""
        return tuple(self._leaves())

    def _leaves(self) -> Iterator[Holding]:
        renamed = {o: c.name for c in self.desired.certificates.values() for o in c.formerly}
        told = set()
        for record in self.ledger.certificates.values():
            heir = renamed.get(record.name)
            takes = heir and heir not in self.ledger.certificates
            name = heir if heir and takes else record.name
            for leaf in self._in_use(record, name):
                told.add(name)
                yield leaf
        for desired in self.desired.certificates.values():
            if desired.name not in told:
                line = (desired.request.issuer, desired.request.issuer_generation)
                yield Holding(desired.name, line, None, _wanted(desired))

    def _in_use(self, record: CertificateRecord, name: str) -> Iterator[Holding]:
        """Yield a leaf for each CA that signed what is in use under its name: one, but in a rotation."""
        desired, current = self.desired.certificates.get(name), record.current
        placed = {placement.serial for placement in record.placements}
        lines: dict[Line, list[Issuance]] = {}
        for issuance in record.issuances:
            if self.lives(issuance) and (issuance is current or issuance.serial in placed):
                line = (str(issuance.request.issuer), issuance.request.issuer_generation or 0)
                lines.setdefault(line, []).append(issuance)
        for line, those in lines.items():
            serials = {issuance.serial for issuance in those}
            places = {p.target for p in record.placements if p.serial in serials}
            if current in those and desired is not None:
                places |= set(_wanted(desired))
            end = min(issuance.not_after for issuance in those)
            yield Holding(name, line, end, tuple(sorted(places)))

    def places(self, name: str) -> frozenset[str]:
        """Return the places that a Target means; none where nobody knows it."""
        placed = {p.target for r in self.ledger.certificates.values() for p in r.placements}
        trusted = {p.target for r in self.ledger.trust.values() for p in r.placements}
        every = placed | trusted | set(self.desired.targets)
        return frozenset(each for each in every if each == name or each.startswith(f"{name}/"))

    def bundles(self) -> Mapping[str, frozenset[str]]:
        """Return every bundle of anchors with the places it is in."""
        found = {n: {i.target for i in b.installs} for n, b in self.desired.bundles.items()}
        for name, record in self.ledger.trust.items():
            found.setdefault(name, set()).update(p.target for p in record.placements)
        return {name: frozenset(places) for name, places in sorted(found.items())}

    def anchors(self, bundle: str) -> frozenset[str]:
        """Return the roots that a bundle holds, or is to hold."""
        desired, record = self.desired.bundles.get(bundle), self.ledger.trust.get(bundle)
        wanted = frozenset(desired.authorities) if desired else frozenset()
        held = {anchor for place in record.placements for anchor in place.anchors} if record else ()
        return wanted | {name for name, sha256 in self._roots if sha256 in held}

    @cached_property
    def _roots(self) -> tuple[tuple[str, str], ...]:
        return tuple(
            (record.name, issuance.sha256)
            for record in self.ledger.authorities.values()
            for issuance in record.issuances
            if issuance.sha256 and issuance.request.issuer is None
        )


def above_of(request: AuthorityRequest) -> Line | None:
    """Return who signs a CA; None for a root."""
    return (request.issuer, request.issuer_generation or 0) if request.issuer else None


def _wanted(desired: DesiredCertificate) -> tuple[str, ...]:
    return tuple(sorted({install.target for install in desired.installs}))
