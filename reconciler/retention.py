"""What may leave the ledger: serials nobody can need any more, and records that hold nothing else."""

from collections.abc import Collection
from datetime import datetime

from reconciler.ledger.records import CertificateRecord, Issuance, LedgerState


def is_spent(issuance: Issuance, state: LedgerState, now: datetime) -> bool:
    """Whether a serial has expired and, if it was revoked, no CRL can list it any more.

    A CRL is signed from the one before it: an entry goes only while the ledger knows that it expired.
    """
    if issuance.not_after > now:
        return False
    return issuance.revoked is None or not _may_be_listed(issuance, state, now)


def _may_be_listed(issuance: Issuance, state: LedgerState, now: datetime) -> bool:
    issuer = (str(issuance.request.issuer), issuance.request.issuer_generation or 0)
    crl, authority = state.crls.get(issuer), state.authorities.get(issuer[0])
    signing = authority.generation(issuer[1]) if authority else None
    if crl is None or signing is None or signing.not_after <= now:
        return False
    return crl.sha256 is None or crl.this_update < issuance.not_after


def is_dead(
    record: CertificateRecord, wanted: Collection[str], state: LedgerState, now: datetime
) -> bool:
    """Whether a record can go: no document names it, nothing is installed, every serial is spent."""
    if record.name in wanted or record.placements:
        return False
    return all(is_spent(issuance, state, now) for issuance in record.issuances)
