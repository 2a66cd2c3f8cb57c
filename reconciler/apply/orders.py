"""Ordering leaves from CAs of others: key and order reserved durably, then ordered, then recorded.

Until its certificate is recorded a reservation goes by a reference of ours, which is the token it is
ordered with: a run that dies resumes the same order. One order at a time is open whose name is not yet
recorded, so a run that dies costs at most one certificate, and only where the CA forgets its tokens.
"""

import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import groupby

from providers import issued
from providers.errors import NotFound, ProviderError, Rejected, Throttled
from providers.failpoints import reach
from providers.issuing import Issued, Issuer, IssueRequest, Pending
from providers.secret import Secret
from providers.x509 import CertificateFacts
from providers.x509.ordering import signing_request
from reconciler.apply.leaf_reservations import (
    kept_keys,
    key_for,
    reserve,
    with_reservation,
)
from reconciler.apply.reservation import validity
from reconciler.apply.session import Impossible, Outcome, Session, owner
from reconciler.apply.successions import replaced
from reconciler.apply.target_keys import made_request
from reconciler.apply.transitions import (
    abandoned,
    attempted,
    bought,
    erasable,
    ordered,
    put,
    without_keys,
)
from reconciler.ledger.contract import Wave
from reconciler.ledger.records import CertificateRecord, Issuance, Status
from reconciler.schedule import is_resumable
from reconciler.state import DesiredCertificate
from schemas.certificate import Custody
from schemas.plan import Change
from schemas.request import LeafRequest

FINAL = (Rejected, NotFound)
"""Failures after which an order that was taken would fail again: the next run makes another."""


@dataclass(frozen=True, slots=True)
class Order:
    """One certificate to order; `record` holds its reservation, `fresh` that it is not durable yet.

    `key` is None where it is in the target, which made the signing request `csr` (DER).
    """

    change: Change
    record: CertificateRecord
    issuance: Issuance
    csr: bytes
    key: Secret | None = field(repr=False)
    fresh: bool = True


def order_leaves(session: Session, changes: Sequence[Change]) -> Iterator[Outcome]:
    """Order certificates, those of one issuer after the other."""

    def name(change: Change) -> str:
        return session.desired(change).request.issuer

    for issuer, group in groupby(sorted(changes, key=name), key=name):
        try:
            desk = session.issuer(issuer)
        except (Impossible, ProviderError) as why:
            yield from (Outcome(change, str(why)) for change in group)
            continue
        yield from _order_all(session, desk, tuple(group))


def _order_all(session: Session, issuer: Issuer, changes: Sequence[Change]) -> Iterator[Outcome]:
    kept = kept_keys(session, changes)
    bundle = secrets.token_hex(8)
    orders: list[Order] = []
    for change in changes:
        session.stay_alive()
        try:
            orders.append(_decide(session, change, kept, bundle))
        except (Impossible, ProviderError) as why:
            yield Outcome(change, str(why))
    _reserve(session, [order for order in orders if order.fresh], bundle)
    for order in orders:
        session.stay_alive()
        yield _fill(session, issuer, order)


def _decide(session: Session, change: Change, kept: Mapping[str, Secret], bundle: str) -> Order:
    desired, record = session.desired(change), session.record(owner(change))
    now, pending = session.clock(), record.pending
    there = made_request(session, desired) if desired.custody is Custody.TARGET else None
    if pending and is_resumable(pending, desired.digest, now):
        held = kept.get(pending.serial)
        if there and there[1] == pending.spki:
            return Order(change, record, pending, there[0], None, fresh=False)
        if held and not there:
            csr = signing_request(desired.request, held)
            return Order(change, record, pending, csr, held, fresh=False)
    if pending:
        record = put(record, abandoned(pending))
    key, csr, spki = (None, *there) if there else _own(session, change, record, kept)
    issuance = _reservation(session, desired, spki, bundle if key else None)
    record = with_reservation(session, desired, record, issuance)
    return Order(change, record, issuance, csr, key)


def _reservation(
    session: Session, desired: DesiredCertificate, spki: str, bundle: str | None
) -> Issuance:
    """Decide what is ordered, under a reference of ours; raises `Impossible` for a life that is over."""
    now = session.clock()
    not_before, not_after = validity(now, desired.request.duration, None)
    reference = secrets.token_hex(16)
    return Issuance(
        serial=reference,
        status=Status.RESERVED,
        request=desired.request,
        digest=desired.digest,
        not_before=not_before,
        not_after=not_after,
        spki=spki,
        custody=desired.custody,
        bundle=bundle,
        reserved_at=now,
        reference=reference,
    )


def _own(
    session: Session, change: Change, record: CertificateRecord, kept: Mapping[str, Secret]
) -> tuple[Secret, bytes, str]:
    """Return a key that the ledger keeps, a signing request by it, and its public half."""
    desired = session.desired(change)
    key, spki = key_for(session, desired, record, kept)
    return key, signing_request(desired.request, key), spki


def _reserve(session: Session, fresh: Sequence[Order], bundle: str) -> None:
    if fresh:
        names = ", ".join(f"certificate/{order.record.name}" for order in fresh[:5])
        message = f"Reserve {names if len(fresh) <= 5 else f'{len(fresh)} orders'}"
        reserve(session, message, fresh, bundle)
        reach("orders.reserved")


def _fill(session: Session, issuer: Issuer, order: Order) -> Outcome:
    """Order one certificate, or go on with its order, and record what came of it."""

    def checkpoint(name: str) -> None:
        _note(session, order, name)

    try:
        before = replaced(session.world.desired, order.record, order.issuance)
        request = _request(order, checkpoint, before)
        answer = issuer.issue(request)
        reach("orders.answered")
        if isinstance(answer, Pending):
            checkpoint(answer.resume)
            return Outcome(order.change, f"{answer.detail}; the next run asks again")
        facts = issued.check(answer, request, issuer.honours, session.clock())
    except ProviderError as why:
        _record_failure(session, order, why)
        return Outcome(order.change, str(why))
    _record(session, order, answer, facts)
    reach("orders.recorded")
    return Outcome(order.change)


def _request(
    order: Order, checkpoint: Callable[[str], None], replaces: bytes | None
) -> IssueRequest:
    issuance = order.issuance
    if not isinstance(issuance.request, LeafRequest):
        raise TypeError(issuance.serial)
    return IssueRequest(
        csr=order.csr,
        request=issuance.request,
        not_before=issuance.not_before,
        not_after=issuance.not_after,
        token=issuance.name,
        checkpoint=checkpoint,
        resume=issuance.order,
        replaces=replaces,
    )


def _standing(session: Session, order: Order) -> tuple[CertificateRecord, Issuance]:
    """Return the record as it is by now, and the reservation in it."""
    record = session.record(order.record.name)
    return record, next(i for i in record.issuances if i.name == order.issuance.name)


def _note(session: Session, order: Order, name: str) -> None:
    """Make an order's name durable, unless it is."""
    record, issuance = _standing(session, order)
    if issuance.order == name:
        return
    session.journal.write(
        Wave(
            message=f"Order certificate/{record.name}",
            certificates=[put(record, ordered(issuance, name))],
        )
    )
    reach("orders.noted")


def _record(session: Session, order: Order, answer: Issued, facts: CertificateFacts) -> None:
    """Make a certificate durable; keys of what was replaced are of no more use."""
    record, issuance = _standing(session, order)
    new = bought(issuance, answer, facts, session.clock())
    record = session.planned_placements(put(record, new), order.change.address)
    stale = erasable(record, new.serial)
    session.journal.write(
        Wave(
            message=f"Issue certificate/{record.name}",
            certificates=[without_keys(record, stale)],
            erase=stale,
        )
    )
    if order.key is not None:
        session.keys[new.serial] = order.key


def _record_failure(session: Session, order: Order, why: ProviderError) -> None:
    """Make a failure durable, and give the order up where it would only fail again."""
    record, issuance = _standing(session, order)
    now = session.clock()
    wait = why.retry_after if isinstance(why, Throttled) else None
    again = now + timedelta(seconds=wait) if wait else None
    record = attempted(record, issuance.digest, str(why), now, again)
    erase = frozenset[str]()
    if issuance.order is not None and isinstance(why, FINAL):
        erase = frozenset({issuance.serial})
        record = without_keys(put(record, abandoned(issuance)), erase)
    session.journal.write(
        Wave(
            message=f"certificate/{record.name} not issued",
            certificates=[record],
            erase=erase,
        )
    )
