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
from reconciler.apply.reservation import new_key, public_half, validity
from reconciler.apply.session import Impossible, Outcome, Session, owner
from reconciler.apply.transitions import (
    abandoned,
    attempted,
    bought,
    erasable,
    ordered,
    prune,
    put,
    without_keys,
)
from reconciler.ledger.contract import Wave
from reconciler.ledger.records import CertificateRecord, Issuance, Status
from reconciler.schedule import is_resumable
from schemas.certificate import RotationPolicy
from schemas.plan import Change
from schemas.request import LeafRequest

FINAL = (Rejected, NotFound)
"""Failures after which an order that was taken would fail again: the next run makes another."""


@dataclass(frozen=True, slots=True)
class Order:
    """One certificate to order; `record` holds its reservation, `fresh` that it is not durable yet."""

    change: Change
    record: CertificateRecord
    issuance: Issuance
    key: Secret = field(repr=False)
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
    kept = _kept_keys(session, changes)
    bundle = secrets.token_hex(8)
    orders: list[Order] = []
    for change in changes:
        session.stay_alive()
        try:
            orders.append(_decide(session, change, kept, bundle))
        except Impossible as why:
            yield Outcome(change, str(why))
    _reserve(session, [order for order in orders if order.fresh], bundle)
    for order in orders:
        session.stay_alive()
        yield _fill(session, issuer, order)


def _kept_keys(session: Session, changes: Sequence[Change]) -> Mapping[str, Secret]:
    """Return the keys used again: of reservations to resume, and where the key never rotates."""
    records = [session.record(owner(change)) for change in changes]
    serials = [i.serial for r in records for i in (r.pending, r.current) if i and i.bundle]
    return session.journal.leaf_keys(serials) if serials else {}


def _decide(session: Session, change: Change, kept: Mapping[str, Secret], bundle: str) -> Order:
    desired, record = session.desired(change), session.record(owner(change))
    now, pending = session.clock(), record.pending
    if pending and is_resumable(pending, desired.digest, now) and pending.serial in kept:
        return Order(change, record, pending, kept[pending.serial], fresh=False)
    if pending:
        record = put(record, abandoned(pending))
    key, spki = _key(session, change, record, kept)
    not_before, not_after = validity(now, desired.request.duration, None)
    reference = secrets.token_hex(16)
    issuance = Issuance(
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
    if not record.issuances:  # later it is a change of its own, to be reviewed as one
        record = record.model_copy(update={"on_remove": desired.on_remove})
    return Order(change, prune(put(record, issuance), session.world), issuance, key)


def _key(
    session: Session, change: Change, record: CertificateRecord, kept: Mapping[str, Secret]
) -> tuple[Secret, str]:
    """Return a new key, or the old one where it never changes; that of a revoked one always does."""
    desired, current = session.desired(change), record.current
    burnt = current and (current.revoked or current.serial in session.revoking)
    if current and not burnt and desired.rotation_policy is RotationPolicy.NEVER:
        found = kept.get(current.serial)
        if found and current.request.key == desired.request.key:
            return found, public_half(found)
    return new_key(desired.request.key)


def _reserve(session: Session, fresh: Sequence[Order], bundle: str) -> None:
    """Make reservations durable, their keys in one bundle."""
    if not fresh:
        return
    renamed = [session.world.renames.get(order.record.name, "") for order in fresh]
    known = session.journal.state.certificates
    names = ", ".join(f"certificate/{order.record.name}" for order in fresh[:5])
    session.journal.write(
        Wave(
            message=f"Reserve {names if len(fresh) <= 5 else f'{len(fresh)} orders'}",
            certificates=[order.record for order in fresh],
            gone=[old for old in renamed if old in known],
            bundle=bundle,
            new_keys={order.issuance.serial: order.key for order in fresh},
        )
    )
    reach("orders.reserved")


def _fill(session: Session, issuer: Issuer, order: Order) -> Outcome:
    """Order one certificate, or go on with its order, and record what came of it."""

    def checkpoint(name: str) -> None:
        _note(session, order, name)

    try:
        request = _request(order, checkpoint)
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


def _request(order: Order, checkpoint: Callable[[str], None]) -> IssueRequest:
    issuance = order.issuance
    if not isinstance(issuance.request, LeafRequest):
        raise TypeError(issuance.serial)
    return IssueRequest(
        csr=signing_request(issuance.request, order.key),
        request=issuance.request,
        not_before=issuance.not_before,
        not_after=issuance.not_after,
        token=issuance.name,
        checkpoint=checkpoint,
        resume=issuance.order,
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
