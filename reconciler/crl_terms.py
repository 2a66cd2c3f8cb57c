"""By which terms a CA's CRLs are made: those that were reviewed last, whatever the documents ask for now."""

from datetime import datetime, timedelta

from reconciler.ledger.publications import CrlRecord, CrlTerms
from reconciler.ledger.records import AuthorityRecord, LedgerState
from reconciler.schedule import crl_refresh_time
from reconciler.state import DesiredAuthority


def wanted_terms(desired: DesiredAuthority) -> CrlTerms:
    """Return the terms that the documents ask for."""
    before = desired.crl_refresh
    return CrlTerms(
        duration=_seconds(desired.crl_duration),
        refresh_before=None if before is None else _seconds(before),
        shards=desired.crl_shards,
    )


def settled_terms(
    ledger: LedgerState, name: str, generation: int, desired: DesiredAuthority | None
) -> CrlTerms | None:
    """Return the terms that a CA's lists are made by; None where there is no list and no document.

    Where nothing was published yet they are those of the documents: they are reviewed with the CA.
    """
    whole = ledger.crls.get((name, generation, None))
    if whole is None:
        return wanted_terms(desired) if desired else None
    return whole.terms or _told_by(whole, ledger.authorities.get(name), desired)


def refresh_time(record: CrlRecord, terms: CrlTerms | None) -> datetime:
    """Return when a CRL is to be signed anew."""
    return refreshed_at(record.this_update, record.next_update, terms)


def refreshed_at(since: datetime, until: datetime, terms: CrlTerms | None) -> datetime:
    """Return when a CRL of these dates is to be signed anew."""
    before = terms.refresh_before if terms else None
    span = None if before is None else timedelta(seconds=before)
    return crl_refresh_time(since, until, span)


def first_issued(record: AuthorityRecord | None, generation: int) -> datetime | None:
    """Return when a CA's generation had its first certificate; None where it has none.

    A CRL from before that was signed by another CA of the same name, which was forgotten.
    """
    found = (
        issuance.issued_at
        for issuance in (record.issuances if record else ())
        if issuance.request.kind == "authority" and issuance.request.generation == generation
    )
    return min(filter(None, found), default=None)


def _told_by(
    record: CrlRecord, authority: AuthorityRecord | None, desired: DesiredAuthority | None
) -> CrlTerms:
    """Return by what terms a CRL was made whose record does not say so: its own dates tell."""
    issuance = authority.generation(record.generation) if authority else None
    cut = issuance is None or record.next_update >= issuance.not_after
    life = desired.crl_duration if desired and cut else record.next_update - record.this_update
    return CrlTerms(duration=_seconds(life))


def _seconds(span: timedelta) -> int:
    return int(span.total_seconds())
