"""How a record moves on: each function takes a record as it is and returns it as it becomes."""

import hashlib
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TypeVar

from providers import x509
from providers.base import HostingState, Installed
from providers.issuing import Issued
from providers.x509 import CertificateFacts
from reconciler.diff.world import World
from reconciler.ledger.records import (
    Attempts,
    AuthorityRecord,
    CertificateRecord,
    Issuance,
    Placement,
    Revoked,
    Status,
)
from reconciler.retention import is_spent
from schemas.revocation import RevocationReason

Tried = TypeVar("Tried", CertificateRecord, AuthorityRecord)
REMEMBERED_CHANGES = 5
"""How many moments a placement keeps at which it was put right: enough to tell that it keeps going wrong."""


def put(record: CertificateRecord, issuance: Issuance) -> CertificateRecord:
    """Return the record with one issuance in its new state, or added as the newest."""
    known = any(i.name == issuance.name for i in record.issuances)
    attempts = None if issuance.status is Status.ISSUED else record.attempts
    issuances = (
        tuple(issuance if i.name == issuance.name else i for i in record.issuances)
        if known
        else (*record.issuances, issuance)
    )
    return record.model_copy(update={"issuances": issuances, "attempts": attempts})


def put_authority(record: AuthorityRecord, issuance: Issuance) -> AuthorityRecord:
    """Return the record of a CA with one issuance in its new state, or added as the newest.

    Which certificate of a generation is the newest is told by their order: what becomes of an old one moves
    it nowhere.
    """
    known = any(i.name == issuance.name for i in record.issuances)
    issuances = (
        tuple(issuance if i.name == issuance.name else i for i in record.issuances)
        if known
        else (*record.issuances, issuance)
    )
    return record.model_copy(update={"issuances": issuances})


def issued(issuance: Issuance, der: bytes, now: datetime, signer: str | None) -> Issuance:
    """Return a reservation as the certificate it became; `signer` is None for one of others."""
    return issuance.model_copy(
        update={
            "status": Status.ISSUED,
            "issued_at": now,
            "certificate": x509.pem(der).decode(),
            "sha256": hashlib.sha256(der).hexdigest(),
            "signer": signer,
        }
    )


def ordered(issuance: Issuance, name: str) -> Issuance:
    """Return a reservation as the order it became at a CA of others."""
    return issuance.model_copy(update={"order": name})


def bought(issuance: Issuance, answer: Issued, facts: CertificateFacts, now: datetime) -> Issuance:
    """Return an order as the certificate it became: its serial and its dates are the CA's."""
    return issued(issuance, answer.certificate, now, None).model_copy(
        update={
            "serial": facts.serial,
            "not_before": facts.not_before,
            "not_after": facts.not_after,
            "chain": tuple(x509.pem(der).decode() for der in answer.chain),
            "anchors": tuple(x509.pem(der).decode() for der in answer.anchors),
        }
    )


def attempted(
    record: Tried,
    digest: str,
    error: str,
    now: datetime,
    pause: Callable[[int], timedelta | None] = lambda _failures: None,
    *,
    silent: bool = False,
) -> Tried:
    """Return the record after one more failure to issue what `digest` asks for.

    `pause` tells from the number of failures how long it is left alone, None for not at all. One that is
    `silent` says nothing of the certificate.
    """
    last = record.attempts
    before = last if last and last.digest == digest else None
    failures = 1 + (before.failures if before else 0)
    wait = pause(failures)
    attempts = Attempts(
        failures=failures,
        last_at=now,
        error=error,
        digest=digest,
        again_at=None if wait is None else now + wait,
        first_at=before.since if before else now,
        silent=(silent and (before is None or before.silent)) or None,
    )
    return record.model_copy(update={"attempts": attempts})


def abandoned(issuance: Issuance) -> Issuance:
    """Return a reservation that will never be installed; its serial stays known."""
    return issuance.model_copy(update={"status": Status.ABANDONED})


def revoked(issuance: Issuance, reason: RevocationReason, now: datetime) -> Issuance:
    """Return a certificate as revoked."""
    return issuance.model_copy(
        update={"status": Status.REVOKED, "revoked": Revoked(at=now, reason=reason)}
    )


def placed(record: CertificateRecord, target: str, object_name: str) -> CertificateRecord:
    """Return the record with a placement in a target, before anything is installed there."""
    if record.placement(target, object_name) is not None:
        return record
    placement = Placement(target=target, object_name=object_name)
    return _put_placement(record, placement)


def adopted(
    record: CertificateRecord, target: str, object_name: str, object_id: str
) -> CertificateRecord:
    """Return the record with the placement of an object that is taken over as it is."""
    record = placed(record, target, object_name)
    placement = record.placement(target, object_name)
    if placement is None or placement.serial is not None:
        return record
    return _put_placement(record, placement.model_copy(update={"object_id": object_id}))


def verified(
    record: CertificateRecord,
    target: str,
    object_name: str,
    serial: str,
    now: datetime,
    *,
    found: Installed | None,
    object_id: str | None = None,
) -> CertificateRecord:
    """Return the record with a placement that was seen working; `found` is what stood there before."""
    placement = record.placement(target, object_name)
    if placement is None:
        raise KeyError(target, object_name)
    if placement.is_adopted or placement.hosted:
        record = _accounted(record, placement, object_id)
    changes = placement.changes
    if placement.serial is not None and _was_wrong(record, found):
        changes = (*changes, now)[-REMEMBERED_CHANGES:]
    update = {"serial": serial, "verified_at": now, "changes": changes, "object_id": object_id}
    return _put_placement(record, placement.model_copy(update={**update, "hosted": None}))


def hosted(
    record: CertificateRecord, target: str, object_name: str, found: Installed, now: datetime
) -> CertificateRecord:
    """Return the record with the placement of an object that its place issues by itself."""
    record = placed(record, target, object_name)
    placement = record.placement(target, object_name)
    if placement is None:
        raise KeyError(target, object_name)
    if placement.hosted:
        record = _accounted(record, placement, found.id)
    works = found.hosting is not None and found.hosting.state is HostingState.ACTIVE
    update = {
        "object_id": found.id,
        "hosted": True,
        "serial": found.serial if works else None,
        "verified_at": now if works else None,
    }
    return _put_placement(record, placement.model_copy(update=update))


def superseded(
    record: CertificateRecord, target: str, object_name: str, object_id: str | None
) -> CertificateRecord:
    """Return the record after a new object was put beside the old one, which still stands there."""
    placement = record.placement(target, object_name)
    return _accounted(record, placement, object_id) if placement else record


def _accounted(
    record: CertificateRecord, placement: Placement, object_id: str | None
) -> CertificateRecord:
    """Return the record with what a new object takes the place of, by the only name it has left."""
    if placement.object_id in (None, object_id):
        return record
    left = placement.model_copy(update={"object_name": placement.object_id})
    return _put_placement(record, left)


def _was_wrong(record: CertificateRecord, found: Installed | None) -> bool:
    """Whether somebody else changed what stood there; an edit of the documents finds it as it was left."""
    ours = {issuance.serial for issuance in record.issuances}
    return found is None or bool(found.drift) or found.serial not in ours


def withdrawn(
    record: CertificateRecord, target: str, object_name: str, object_id: str | None = None
) -> CertificateRecord:
    """Return the record without the placement of one object, which goes by its name or its identity."""

    def goes(placement: Placement) -> bool:
        if placement.target != target or placement.object_name not in (object_name, object_id):
            return False
        # what a place issues by itself may have a successor that is accounted for by the same name
        return not placement.hosted or object_id in (None, placement.object_id)

    kept = (placement for placement in record.placements if not goes(placement))
    return record.model_copy(update={"placements": tuple(kept)})


def erasable(record: CertificateRecord, keep: str | None) -> frozenset[str]:
    """Return the serials whose keys the ledger still holds, but for the one to keep."""
    return frozenset(
        i.serial for i in record.issuances if i.bundle is not None and i.serial != keep
    )


def without_keys(record: CertificateRecord, erased: frozenset[str]) -> CertificateRecord:
    """Return the record after keys were erased."""
    if not erased:
        return record
    issuances = tuple(
        i.model_copy(update={"bundle": None}) if i.serial in erased else i for i in record.issuances
    )
    return record.model_copy(update={"issuances": issuances})


def _put_placement(record: CertificateRecord, placement: Placement) -> CertificateRecord:
    spot = (placement.target, placement.object_name)
    kept = (p for p in record.placements if (p.target, p.object_name) != spot)
    return record.model_copy(update={"placements": (*kept, placement)})


def prune(record: CertificateRecord, world: World) -> CertificateRecord:
    """Return the record without serials nobody needs any more.

    The newest always stays, and what was last seen in a target: it may stand there yet.
    """
    needed = {p.serial for p in record.placements} | {record.issuances[-1].serial}
    if record.current:
        needed.add(record.current.serial)
    kept = tuple(i for i in record.issuances if i.serial in needed or not is_spent(i, world))
    if len(kept) == len(record.issuances):
        return record
    return record.model_copy(update={"issuances": kept})
