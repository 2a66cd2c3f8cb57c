"""What one wave did to one record, in words: the history of a certificate, a CA or a Bundle."""

from collections.abc import Iterable, Iterator

from reconciler.ledger.publications import CrlRecord, OcspRecord
from reconciler.ledger.records import (
    Attempts,
    AuthorityRecord,
    CertificateRecord,
    Issuance,
    Placement,
    Status,
)
from reconciler.ledger.trust import TrustPlacement, TrustRecord
from schemas.base import Model
from schemas.scalars import format_instant


def deeds(before: Model | None, after: Model | None) -> Iterator[str]:
    """Yield what became of a record, oldest first; None where there is no record."""
    if isinstance(after, CrlRecord):
        yield from _crl(before, after)
        return
    if isinstance(after, OcspRecord):
        yield from _responses(before, after)
        return
    if isinstance(after, TrustRecord):
        yield from _trusted(before if isinstance(before, TrustRecord) else None, after)
        return
    if after is None:
        yield "left the ledger"
    yield from _issued(_issuances(before), _issuances(after))
    if isinstance(after, CertificateRecord):
        old = before if isinstance(before, CertificateRecord) else None
        yield from _placed(old.placements if old else (), after.placements)
    failed = _attempts(after)
    if failed is not None and failed != _attempts(before):
        yield f"failed, {failed.failures} in a row: {failed.error}"


def _attempts(record: Model | None) -> Attempts | None:
    return record.attempts if isinstance(record, AuthorityRecord | CertificateRecord) else None


def _issuances(record: Model | None) -> dict[str, Issuance]:
    known = record.issuances if isinstance(record, AuthorityRecord | CertificateRecord) else ()
    return {issuance.name: issuance for issuance in known}


def _issued(before: dict[str, Issuance], after: dict[str, Issuance]) -> Iterator[str]:
    for name, new in after.items():
        old = before.get(name)
        if old is None or old.status is not new.status:
            yield f"{new.status} {new.serial}{_more(new)}"
        if new.order and (old is None or old.order is None):
            yield f"ordered {new.serial}: {new.order}"
        if new.handed_at and (old is None or old.handed_at is None):
            yield f"handed over to Vault {new.serial}"
        if old is not None and old.bundle and not new.bundle:
            yield f"erased the key of {new.serial}"


def _more(issuance: Issuance) -> str:
    if issuance.status is Status.ISSUED:
        return f", valid until {format_instant(issuance.not_after)}"
    return f", {issuance.revoked.reason}" if issuance.revoked else ""


def _placed(before: tuple[Placement, ...], after: tuple[Placement, ...]) -> Iterator[str]:
    had = {(p.target, p.object_name): p for p in before}
    have = {(p.target, p.object_name): p for p in after}
    for spot, new in have.items():
        old = had.get(spot)
        if new.serial and (old is None or old.serial != new.serial):
            yield f"seen working in {new.target}: {new.serial}"
        elif old is None:
            adopting = f"to be adopted in {new.target}: {new.object_id}"
            yield adopting if new.is_adopted else f"to be installed in {new.target}"
    yield from (f"gone from {target}" for target, _ in had.keys() - have.keys())


def _crl(before: Model | None, after: CrlRecord) -> Iterator[str]:
    signed = "signed" if after.sha256 else "reserved"
    if before != after:
        yield f"{signed} CRL {after.number} of generation {after.generation}"


def _responses(before: Model | None, after: OcspRecord) -> Iterator[str]:
    """Tell of responders, each by its serial: they are certificates that the CA signed."""
    known = before.responders if isinstance(before, OcspRecord) else ()
    signed = {each.serial: each.sha256 for each in known}
    for each in after.responders:
        if each.serial not in signed:
            yield f"reserved OCSP responder {each.serial} of generation {after.generation}"
        elif each.sha256 != signed[each.serial]:
            until = format_instant(after.next_update)
            yield f"published OCSP responses of {each.serial}, good until {until}"


def _trusted(before: TrustRecord | None, after: TrustRecord) -> Iterator[str]:
    """Tell of anchors by their fingerprints: where they were read back, and which nothing hangs by."""
    had = _anchors(before.placements if before else ())
    have = _anchors(after.placements)
    for spot, anchors in have.items():
        if spot not in had and not anchors:
            yield f"to be installed in {spot[0]}"
        if new := anchors - had.get(spot, frozenset()):
            yield f"read back in {spot[0]}: {_fingerprints(new)}"
        if gone := had.get(spot, frozenset()) - anchors:
            yield f"gone from {spot[0]}: {_fingerprints(gone)}"
    yield from (f"gone from {target}" for target, _ in had.keys() - have.keys())
    if idle := after.replaced.keys() - (before.replaced.keys() if before else ()):
        yield f"nothing hangs by {_fingerprints(idle)} any more"


def _anchors(placements: tuple[TrustPlacement, ...]) -> dict[tuple[str, str], frozenset[str]]:
    return {(p.target, p.object_name): frozenset(p.anchors) for p in placements}


def _fingerprints(anchors: Iterable[str]) -> str:
    return ", ".join(f"sha256 {anchor[:16]}..." for anchor in sorted(anchors))
