"""What certificates cost at CAs of others: how their orders count, and which of them go first."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from reconciler.advice import is_window, renewal
from reconciler.ledger.issuing import Advised, SpendingRecord
from reconciler.ledger.records import CertificateRecord, Issuance, LedgerState, Status
from reconciler.schedule import is_resumable, late_time
from reconciler.spending import REMEMBERED, Purchase, Spending, Terms, names_of
from reconciler.state import DesiredCertificate, DesiredIssuer
from schemas.quotas import IssuerQuotas, Renewals
from schemas.request import LeafRequest

Issuers = Mapping[str, DesiredIssuer]

Rank = tuple[int, datetime, str]
"""How urgent an order is: the smallest first."""


def terms_of(issuer: DesiredIssuer | None) -> Terms:
    """Return what is kept to with a CA; nothing with one that no document speaks of."""
    if issuer is None:
        return Terms(IssuerQuotas())
    return Terms(issuer.spec.quotas, issuer.spec.capabilities.patience)


def spent_at(issuers: Issuers, name: str, state: LedgerState) -> Iterator[SpendingRecord]:
    """Yield what was asked of the CA of an Issuer, under whatever name: it counts for all of them.

    Under a name too that no document has any more.
    """
    wanted = issuers.get(name)
    for record in state.spending.values():
        other = issuers.get(record.issuer)
        asked = other.spec.identity if other else record.ca
        if record.issuer == name or (wanted and asked and wanted.spec.is_same_ca(asked)):
            yield record


def look_back(issuers: Issuers, record: SpendingRecord) -> timedelta:
    """Return how long what was asked still counts for an Issuer, the one it was asked for or another."""
    own = issuers.get(record.issuer)
    ca = record.ca if own is None else None
    same = (each for each in issuers.values() if ca and each.spec.is_same_ca(ca))
    known = [terms_of(issuer).look_back for issuer in filter(None, (own, *same))]
    return max((*known, timedelta() if own else REMEMBERED))


def advised(state: LedgerState, issuer: str) -> frozenset[str]:
    """Return the serials of the certificates for which a CA gave a window to renew them in."""
    advice = state.advice.get(issuer)
    told = advice.certificates if advice else ()
    return frozenset(each.serial for each in told if is_window(each.start, each.end))


def purchase_of(
    known: frozenset[str],
    spending: Spending,
    issuer: DesiredIssuer,
    desired: DesiredCertificate,
    record: CertificateRecord,
    now: datetime,
) -> Purchase:
    """Return how the order of a certificate counts, if it were placed now.

    What takes the place of one that is `known`, since its CA gave a window for it, counts for nothing, once,
    where renewals are exempt: that is a rule of such CAs, and none of RFC 9773.
    """
    pending = record.pending
    resumed = pending is not None and is_resumable(pending, desired.digest, now)
    plain = Purchase(
        pending.name if pending and resumed else "",
        names_of(desired.request),
        renewal=_is_renewal(issuer, desired, record),
    )
    exempt = issuer.spec.quotas.renewals is Renewals.EXEMPT
    before = predecessor(issuer, desired.request, record) if exempt else None
    if before is None or before.not_after <= now or spending.is_replaced(before.serial):
        return plain
    return replace(plain, replaces=before.serial) if before.serial in known else plain


def predecessor(
    issuer: DesiredIssuer, request: LeafRequest, record: CertificateRecord
) -> Issuance | None:
    """Return the certificate in use that a new one takes the place of, as its CA sees it (RFC 9773 5).

    It has to be of the same CA, not revoked, and to speak for one of the names that are ordered.
    """
    current = record.current
    if current is None or current.status is not Status.ISSUED:
        return None
    if current.request.issuer != issuer.name or not _is_of(issuer, current):
        return None
    return current if set(_names(current)) & set(names_of(request)) else None


def is_placed(desired: DesiredCertificate, record: CertificateRecord, now: datetime) -> bool:
    """Whether a certificate is ordered already, so that going on with it costs nothing."""
    pending = record.pending
    if pending is None or pending.order is None:
        return False
    return is_resumable(pending, desired.digest, now)


def rank(
    desired: DesiredCertificate,
    record: CertificateRecord,
    advice: Mapping[str, Advised],
    now: datetime,
) -> Rank:
    """Return how urgent an order is; `advice` is what CAs said of certificates, by serial.

    First what is ordered already, then what is of no use any more or in the late half of its time to be
    renewed, then what is new, then the other renewals; among these what ends first, or waits longest.
    """
    current, pending = record.current, record.pending
    since = pending.reserved_at if pending else now
    if is_placed(desired, record, now):
        return 0, since, desired.name
    if current is None:
        return 2, min(since, now), desired.name
    late = current.status is Status.REVOKED or _is_late(desired, record, current, advice, now)
    return (1 if late else 3), current.not_after, desired.name


def _is_late(
    desired: DesiredCertificate,
    record: CertificateRecord,
    current: Issuance,
    advice: Mapping[str, Advised],
    now: datetime,
) -> bool:
    """Whether the late half of the time to renew a certificate in has begun, as its CA or its end has it."""
    found = renewal(record, current, desired.renew_before, advice.get(current.serial))
    ends = (current.not_after, found.window.end if found.window else None)
    return found.at <= now and late_time(found.at, min(filter(None, ends))) <= now


def _is_renewal(
    issuer: DesiredIssuer, desired: DesiredCertificate, record: CertificateRecord
) -> bool:
    """Whether a CA counts an order for its set of names alone, as one for the same names as before."""
    current = record.current
    if issuer.spec.quotas.renewals is not Renewals.EXEMPT or current is None:
        return False
    return _is_of(issuer, current) and _names(current) == names_of(desired.request)


def _is_of(issuer: DesiredIssuer, issuance: Issuance) -> bool:
    identity = issuance.request.issuer_id if isinstance(issuance.request, LeafRequest) else None
    return identity is not None and issuer.spec.is_same_ca(identity)


def _names(issuance: Issuance) -> tuple[str, ...]:
    return names_of(issuance.request) if isinstance(issuance.request, LeafRequest) else ()
