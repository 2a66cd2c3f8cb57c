"""What one wave may change in the records: facts are added, never unsaid."""

from collections.abc import Iterator, Mapping
from datetime import datetime

from reconciler.ledger.publications import CrlRecord, OcspRecord
from reconciler.ledger.records import (
    AuthorityRecord,
    CertificateRecord,
    Issuance,
    Lineage,
    PastRecord,
    Status,
)
from reconciler.ledger.trust import TrustRecord
from schemas.base import Model

_FOLLOWS = {
    Status.RESERVED: frozenset(Status),
    Status.ISSUED: frozenset({Status.ISSUED, Status.REVOKED}),
    Status.REVOKED: frozenset({Status.REVOKED}),
    Status.ABANDONED: frozenset({Status.ABANDONED}),
}
_RESERVED = ("request", "not_before", "not_after", "spki", "urls", "reserved_at", "serial")
"""What a reservation settles: every byte that is signed follows from it."""
_FOREIGN = frozenset({"not_before", "not_after", "serial"})
"""What a CA of others settles, when it issues what was reserved with it."""
_ISSUED = (
    *("certificate", "sha256", "issued_at", "revoked"),
    *("reference", "chain", "anchors", "signer", "handed_at"),
)
"""What is not there at first, and never changes once it is."""


def problems(
    before: Mapping[str, Model], after: Mapping[str, Model], at: datetime
) -> Iterator[str]:
    """Yield in words what a wave did that it must not; both sides by path, changed files only."""
    yield from _issuance_problems(_issuances(before), _issuances(after), at)
    for path, old in before.items():
        new = after.get(path)
        if isinstance(old, Lineage) and new != old:
            yield "the lineage changed"
        if isinstance(old, PastRecord):
            yield from _unrevoked(old, new, at)
        if isinstance(old, CrlRecord) and (not isinstance(new, CrlRecord) or _goes_back(old, new)):
            yield f"the CRL number of {old.authority} generation {old.generation} went back"
        if isinstance(old, TrustRecord) and isinstance(new, TrustRecord):
            yield from _hastened(old, new)
        if isinstance(old, OcspRecord):
            yield from _lost_responders(old, new, at)


def _lost_responders(old: OcspRecord, new: Model | None, at: datetime) -> Iterator[str]:
    """What may have been signed is accounted for until it expires; nothing but its digest comes later."""
    kept = {each.serial: each for each in new.responders} if isinstance(new, OcspRecord) else {}
    for each in old.responders if new is not None else ():
        found = kept.get(each.serial)
        if found is None and each.not_after > at:
            yield f"the OCSP responder {each.serial} vanished before it expired"
        if found is not None and found.model_copy(update={"sha256": each.sha256}) != each:
            yield f"the OCSP responder {each.serial} changed"


def _unrevoked(old: PastRecord, new: Model | None, at: datetime) -> Iterator[str]:
    """What was revoked before a takeover stays so until it expires; a CA that is forgotten takes it along."""
    if new is None:
        ends = (entry.not_after for entry in old.entries if entry.revoked)
        if any(end is not None and end > at for end in ends):
            yield f"what {old.authority} generation {old.generation} revoked vanished"
        return
    kept = {e.serial: e.revoked for e in new.entries} if isinstance(new, PastRecord) else {}
    for entry in old.entries:
        if entry.revoked and kept.get(entry.serial) != entry.revoked:
            yield f"serial {entry.serial} of before is not revoked any more"


def _hastened(old: TrustRecord, new: TrustRecord) -> Iterator[str]:
    """Yield the anchors that would be given up sooner than was written down once."""
    for anchor, since in old.replaced.items():
        if new.replaced.get(anchor, since) < since:
            yield f"bundle {old.name}: {anchor[:16]} was given up earlier than it was"


def _issuance_problems(
    before: Mapping[str, Issuance], after: Mapping[str, Issuance], at: datetime
) -> Iterator[str]:
    for name, old in before.items():
        new = after.get(name)
        if new is None:
            if old.status is not Status.ABANDONED and old.not_after > at:
                yield f"serial {old.serial} vanished before it expired"
        else:
            yield from _unsaid(old, new)


def _unsaid(old: Issuance, new: Issuance) -> Iterator[str]:
    if new.status not in _FOLLOWS[old.status]:
        yield f"serial {old.serial} went from {old.status} to {new.status}"
    for field in _RESERVED:
        if field in _FOREIGN and _just_issued_by_others(old, new):
            continue
        if field == "spki" and _key_just_known(old, new):
            continue
        if getattr(new, field) != getattr(old, field):
            yield f"serial {old.serial} changed its {field}"
    for field in _ISSUED:
        if getattr(old, field) is not None and getattr(new, field) != getattr(old, field):
            yield f"serial {old.serial} changed its {field}"


def _just_issued_by_others(old: Issuance, new: Issuance) -> bool:
    return old.reference is not None and old.status is Status.RESERVED is not new.status


def _key_just_known(old: Issuance, new: Issuance) -> bool:
    """Whether a key that is made offline becomes known, with its first certificate and never again."""
    return old.spki == "" and old.status is Status.RESERVED and new.status is Status.ISSUED


def _issuances(records: Mapping[str, Model]) -> dict[str, Issuance]:
    """Return issuances by name wherever they are: a renamed certificate takes them along."""
    known = (r for r in records.values() if isinstance(r, AuthorityRecord | CertificateRecord))
    return {issuance.name: issuance for record in known for issuance in record.issuances}


def _goes_back(old: CrlRecord, new: CrlRecord) -> bool:
    same = new.number == old.number and old.sha256 in (None, new.sha256)
    return not (same or new.number > old.number)
