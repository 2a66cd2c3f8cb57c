"""Reservations of leaves: with the key each one takes, and made durable before anything is signed."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from providers.secret import Secret
from reconciler.apply.reservation import new_key, public_half
from reconciler.apply.session import Session, owner
from reconciler.apply.transitions import prune, put
from reconciler.ledger.contract import Wave
from reconciler.ledger.issuing import SpendingRecord
from reconciler.ledger.records import CertificateRecord, Issuance
from reconciler.state import DesiredCertificate
from schemas.certificate import RotationPolicy
from schemas.plan import Change


class Reserved(Protocol):
    """A reservation, the record that holds it, and its key; None where a target has that."""

    @property
    def record(self) -> CertificateRecord:
        """The record with the reservation in it."""
        ...

    @property
    def issuance(self) -> Issuance:
        """The reservation."""
        ...

    @property
    def key(self) -> Secret | None:
        """The key (PKCS#8 DER) that the ledger is to keep."""
        ...


def kept_keys(session: Session, changes: Sequence[Change]) -> Mapping[str, Secret]:
    """Return the keys used again: of reservations to resume, and where the key never rotates."""
    serials = []
    for change in changes:
        desired, record = session.desired(change), session.record(owner(change))
        if record.pending:
            serials.append(record.pending.serial)
        if record.current and desired.rotation_policy is RotationPolicy.NEVER:
            serials.append(record.current.serial)
    return session.journal.leaf_keys(serials) if serials else {}


def key_for(
    session: Session,
    desired: DesiredCertificate,
    record: CertificateRecord,
    kept: Mapping[str, Secret],
) -> tuple[Secret, str]:
    """Return a new key, or the old one where it never changes; that of a revoked one always does.

    With its public half, as a record holds it.
    """
    current = record.current
    burnt = current and (current.revoked or current.serial in session.revoking)
    if current and not burnt and desired.rotation_policy is RotationPolicy.NEVER:
        found = kept.get(current.serial)
        if found and current.request.key == desired.request.key:
            return found, public_half(found)
    return new_key(desired.request.key)


def with_reservation(
    session: Session,
    desired: DesiredCertificate,
    record: CertificateRecord,
    issuance: Issuance,
) -> CertificateRecord:
    """Return the record with a new reservation in it, without the serials nobody needs any more."""
    if not record.issuances:  # later it is a change of its own, to be reviewed as one
        record = record.model_copy(update={"on_remove": desired.on_remove})
    return prune(put(record, issuance), session.world)


def reserve(
    session: Session,
    message: str,
    fresh: Sequence[Reserved],
    bundle: str,
    spending: Sequence[SpendingRecord] = (),
    gone_spending: Sequence[tuple[str, str]] = (),
) -> None:
    """Make reservations durable, their keys in one bundle, with what they are about to cost.

    A record that was renamed leaves its old name.
    """
    renamed = [session.world.renames.get(item.record.name, "") for item in fresh]
    known = session.journal.state.certificates
    keys = {item.issuance.serial: item.key for item in fresh if item.key is not None}
    session.journal.write(
        Wave(
            message=message,
            certificates=[item.record for item in fresh],
            gone=[old for old in renamed if old in known],
            bundle=bundle if keys else None,
            new_keys=keys,
            spending=spending,
            gone_spending=gone_spending,
        )
    )
