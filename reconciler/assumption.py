"""What is taken to be there when nobody looks: what the ledger last verified, as certform left it.

What the ledger does not tell is taken to be as documents ask for, those of the base before those at hand,
so that a diff shows what the documents change and nothing that is mere ignorance.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from providers.abilities import HeldTrust
from providers.base import NAME, OWNER, SPEC, Content, Hosting, HostingState, Installed
from reconciler.crl_terms import first_issued
from reconciler.diff.lists import Contents, contents, lists_of, urls_for
from reconciler.diff.sides import Sides
from reconciler.ledger.publications import CrlKey, CrlRecord
from reconciler.ledger.records import CertificateRecord, Issuance, LedgerState, Placement
from reconciler.ledger.trust import TrustPlacement
from reconciler.published_names import file_name
from reconciler.response_terms import told_at, tree_name
from reconciler.schedule import is_ahead
from reconciler.state import (
    Desired,
    DesiredCertificate,
    DesiredInstall,
    Observation,
    Observed,
    PublishedFile,
)

_USED = "what used it when its successor came"
"""What was superseded and is still there was left for that alone, as far as the ledger tells."""


@dataclass(frozen=True)
class Assumption:
    """What there is to go by: the documents at hand, those of the base if there is one, and the ledger."""

    desired: Desired
    ledger: LedgerState
    now: datetime
    base: Desired | None = None

    def holding(self, target: str, why: str) -> Observation:
        """Return what a target is taken to hold; `why` says why nobody looked."""
        placed = {found.name: found for found in self._placed.get(target, ())}
        adopted = {found.name: found for found in self._to_adopt.get(target, ())}
        trust = {held.name: held for held in self._trusted.get(target, ())}
        return Observation("observed", {**adopted, **placed}, why, assumed=True, trust=trust)

    def published(self) -> Mapping[str, PublishedFile]:
        """Return what is taken to be published: what the ledger last signed, and the CAs that signed it."""
        files: dict[str, PublishedFile] = {}
        for (name, generation, shard), record in self.ledger.crls.items():
            issuance = self._sides.authority(name).generation(generation)
            if issuance is None or record.sha256 is None or self._is_older(record):
                continue
            told = self._revoked.get(record.key, ())
            revoked = frozenset(serial for serial, at in told if at <= record.this_update)
            urls = urls_for(self._sides, record.key, self._contents)
            dates = (record.this_update, record.next_update)
            crl = PublishedFile(record.sha256, record.number, revoked, urls, dates=dates)
            files[file_name(name, generation, "crl", shard)] = crl
            if issuance.sha256 is not None:
                files[file_name(name, generation, "crt")] = PublishedFile(issuance.sha256)
        return {**files, **dict(self._responses())}

    def _responses(self) -> Iterator[tuple[str, PublishedFile]]:
        """Yield the OCSP responses that were published last, with what they tell of."""
        for key, record in self.ledger.ocsp.items():
            if record.sha256 is None:
                continue
            told = told_at(self.ledger, *key, record.this_update)
            revoked = frozenset(serial for serial, entry in told.items() if entry)
            tree = PublishedFile(record.sha256, revoked=revoked, serials=frozenset(told))
            yield tree_name(*key), tree

    def _is_older(self, record: CrlRecord) -> bool:
        """Whether a CRL was signed before its CA had a certificate: then neither was published."""
        authority = self._sides.authority(record.authority)
        issued = first_issued(authority, record.generation) or record.this_update
        return issued > record.this_update and not is_ahead(issued, self.now)

    @cached_property
    def _contents(self) -> Contents:
        return contents(self._sides)

    @cached_property
    def _revoked(self) -> Mapping[CrlKey, Sequence[tuple[str, datetime]]]:
        """The serials that were revoked, and when, by the lists that tell of them."""
        found: dict[CrlKey, list[tuple[str, datetime]]] = {}
        for _, issuance in self._sides.serials.values():
            if issuance.revoked:
                for key in lists_of(issuance):
                    found.setdefault(key, []).append((issuance.serial, issuance.revoked.at))
        for (name, generation), past in self.ledger.past.items():
            before = ((e.serial, e.revoked.at) for e in past.entries if e.revoked)
            found.setdefault((name, generation, None), []).extend(before)
        return found

    @cached_property
    def _sides(self) -> Sides:
        return Sides(self.desired, Observed({}), self.ledger, self.now)

    @cached_property
    def _placed(self) -> Mapping[str, tuple[Installed, ...]]:
        """The objects that the ledger knows, by target; one that was renamed is accounted for twice."""
        placed: dict[str, dict[str, Installed]] = {}
        for record in self.ledger.certificates.values():
            for placement in record.placements:
                if placement.serial is not None or placement.object_id is not None:
                    found = self._object(record, placement)
                    placed.setdefault(placement.target, {}).setdefault(found.id, found)
        return {target: tuple(those.values()) for target, those in placed.items()}

    def _object(self, record: CertificateRecord, placement: Placement) -> Installed:
        """Return the object of a placement as certform left it."""
        document, install = self._documents(record.name, placement)
        issuance = _issuance(record, placement)
        superseded = placement.object_name == placement.object_id
        return Installed(
            id=placement.object_id or f"{placement.target}/{placement.object_name}",
            name=self._called(record.name, placement),
            labels=self._labels(record, placement, document, issuance),
            serial=issuance.serial if issuance else None,
            sha256=issuance.sha256 if issuance else None,
            not_after=issuance.not_after if issuance else None,
            trust=self._sides.trust(issuance) if issuance else None,
            output_formats=install.output_formats if install else (),
            keystores=install.keystores_digest if install else "",
            content=_asked_for(document) if placement.hosted else None,
            used_by=(_USED,) if superseded and not placement.hosted else (),
            hosting=Hosting(HostingState.ACTIVE) if placement.hosted else None,
        )

    def _called(self, name: str, placement: Placement) -> str:
        """Return what an object goes by; what was superseded or made there may have a name of its own."""
        id_, target = placement.object_id, self.desired.targets.get(placement.target)
        own = target is not None and target.spec.capabilities.names_objects
        if id_ is not None and (placement.object_name == id_ or (placement.hosted and own)):
            last = id_.rpartition("/")[2]
            return last if own else f"{name}~{last[:8]}"  # as in AWS ACM
        return placement.object_name

    def _labels(
        self,
        record: CertificateRecord,
        placement: Placement,
        document: DesiredCertificate | None,
        issuance: Issuance | None,
    ) -> dict[str, str]:
        """Return the labels an object was given, as `World.labels` chose them then."""
        current = None if placement.hosted else issuance or record.current
        digest = current.digest if current else document.digest if document else ""
        targets = (self.base or self.desired).targets
        target = targets.get(placement.target) or self.desired.targets.get(placement.target)
        return {
            **(document.labels if document else {}),
            **(target.spec.tags if target else {}),
            OWNER: self.ledger.lineage.owner,
            NAME: record.name,
            SPEC: digest,
        }

    def _documents(
        self, name: str, placement: Placement
    ) -> tuple[DesiredCertificate | None, DesiredInstall | None]:
        """Return the document that put an object there, and its install, as far as one is at hand."""
        found = None
        for desired in filter(None, (self.base, self.desired)):
            document = _named(desired, name)
            found = found or document
            install = _install(document, placement) if document else None
            if install is not None:
                return document, install
        return found, None

    @cached_property
    def _trusted(self) -> Mapping[str, tuple[HeldTrust, ...]]:
        """The bundles of anchors that the ledger knows, by target."""
        trusted: dict[str, tuple[HeldTrust, ...]] = {}
        for record in self.ledger.trust.values():
            for placement in record.placements:
                if placement.anchors:
                    held = self._held(record.name, placement)
                    trusted[placement.target] = (*trusted.get(placement.target, ()), held)
        return trusted

    def _held(self, name: str, placement: TrustPlacement) -> HeldTrust:
        """Return a bundle as certform left it; what an anchor says matters to no diff."""
        target, called = placement.target, placement.object_name
        bundles = (each.bundles.get(name) for each in (self.base, self.desired) if each)
        document = next((each for each in bundles if each is not None), None)
        targets = [each.targets.get(target) for each in (self.base, self.desired) if each]
        spec = next((each.spec for each in targets if each is not None), None)
        labels = {
            **(document.labels if document else {}),
            **(spec.tags if spec else {}),
            OWNER: self.ledger.lineage.owner,
            NAME: name,
            SPEC: document.digest if document else "",
        }
        return HeldTrust(
            f"{target}/{called}", called, labels, dict.fromkeys(placement.anchors, b"")
        )

    @cached_property
    def _to_adopt(self) -> Mapping[str, tuple[Installed, ...]]:
        """What documents are to take over, and did not yet, by target: it is taken to be as they say."""
        known = {(t, found.id) for t, those in self._placed.items() for found in those}
        adopted: dict[str, tuple[Installed, ...]] = {}
        for certificate in self.desired.certificates.values():
            for install, id_ in _shared_out(certificate):
                if (install.target, id_) not in known and not self._is_over(certificate, install):
                    found = self._stranger(install, id_)
                    adopted[install.target] = (*adopted.get(install.target, ()), found)
        return adopted

    def _is_over(self, certificate: DesiredCertificate, install: DesiredInstall) -> bool:
        """Whether a certificate of ours was seen in a place: nothing is taken over there any more."""
        record = self._sides.records.get(certificate.name)
        placement = record.placement(install.target, install.name) if record else None
        return placement is not None and placement.serial is not None

    def _stranger(self, install: DesiredInstall, id_: str) -> Installed:
        """Return an object that somebody else made: only its identity is known."""
        named = self.desired.targets[install.target].spec.capabilities.names_objects
        return Installed(id_, install.name if named else id_, {}, None, None, None)


def _issuance(record: CertificateRecord, placement: Placement) -> Issuance | None:
    return next((i for i in record.issuances if i.serial == placement.serial), None)


def _named(desired: Desired, name: str) -> DesiredCertificate | None:
    """Return the document of a certificate that the ledger knows by a name, be it a former one."""
    heirs = (each for each in desired.certificates.values() if name in each.formerly)
    return desired.certificates.get(name) or next(heirs, None)


def _install(document: DesiredCertificate, placement: Placement) -> DesiredInstall | None:
    there = [i for i in document.installs if i.target == placement.target]
    names = {placement.object_name, placement.object_id}
    same = (i for i in there if not names.isdisjoint((i.name, *i.formerly, *i.adopt)))
    return next(same, None)


def _asked_for(document: DesiredCertificate | None) -> Content | None:
    """Return what a place was asked to issue."""
    if document is None:
        return None
    request = document.request
    common = (request.common_name,) if request.common_name else ()
    return Content(dns_names=(*request.dns_names, *common), key=request.key)


def _shared_out(certificate: DesiredCertificate) -> Iterator[tuple[DesiredInstall, str]]:
    """Yield each identity with the place it is taken to be in: one whose region it names, else a free one."""
    free = [install for install in certificate.installs if install.adopt]
    for id_ in dict.fromkeys(id_ for install in free for id_ in install.adopt):
        fitting = [install for install in free if id_ in install.adopt]
        regional = (i for i in fitting if f":{i.target.partition('/')[2]}:" in id_)
        place = next(regional, next(iter(fitting), None))
        if place is not None:
            free.remove(place)
            yield place, id_
