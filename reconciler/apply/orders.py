"""Ordering leaves from CAs of others: key and order reserved durably, then ordered, then recorded.

Until its certificate is recorded a reservation goes by a reference of ours, which is the token it is
ordered with: a run that dies resumes the same order. One order at a time is open whose name is not yet
recorded, so a run that dies costs at most one certificate, and only where the CA forgets its tokens.
What a CA's quotas have no room for waits, and what an order costs is durable before it is placed.
"""

import secrets
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from itertools import groupby

from providers import issued
from providers.errors import (
    ProviderError,
)
from providers.failpoints import reach
from providers.issuing import Issued, Issuer, IssueRequest, Pending
from providers.secret import Secret
from providers.x509.ordering import signing_request
from reconciler.apply.budgets import Purse
from reconciler.apply.errands import Errand, Order
from reconciler.apply.leaf_reservations import (
    kept_keys,
    key_for,
    reserve,
    with_reservation,
)
from reconciler.apply.order_records import note, record_failure, record_sold
from reconciler.apply.reservation import public_half, validity
from reconciler.apply.session import Impossible, Outcome, Session, owner
from reconciler.apply.successions import replaced
from reconciler.apply.target_keys import made_request
from reconciler.apply.transitions import (
    abandoned,
    put,
)
from reconciler.ledger.records import CertificateRecord, Issuance, Status
from reconciler.purchases import Rank, is_placed, rank
from reconciler.schedule import is_awaited, is_resumable
from reconciler.spending import Purchase
from reconciler.state import DesiredCertificate
from schemas.certificate import Custody
from schemas.plan import Change
from schemas.request import LeafRequest
from schemas.scalars import format_instant


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
        yield from _order_all(session, desk, issuer, tuple(group))


def _order_all(
    session: Session, desk: Issuer, issuer: str, changes: Sequence[Change]
) -> Iterator[Outcome]:
    """Order as many as there is room for, the most urgent first."""
    now, advice = session.clock(), session.world.advice

    def urgency(change: Change) -> Rank:
        return rank(session.desired(change), session.record(owner(change)), advice, now)

    errand = Errand.begin(session, desk, Purse.open(session, issuer), kept_keys(session, changes))
    queue = deque(sorted(changes, key=urgency))
    while queue:
        chunk: list[Order] = []
        bundle = secrets.token_hex(8)
        yield from _take(errand, queue, chunk, bundle)
        _reserve(errand, chunk, bundle)
        for order in chunk:
            session.stay_alive()
            yield from _place(errand, order)
    yield from _put_off(errand)
    errand.purse.settle()


def _take(
    errand: Errand, queue: deque[Change], chunk: list[Order], bundle: str
) -> Iterator[Outcome]:
    """Take orders out of the queue that may be placed now, and enter them; what has to wait is set aside."""
    costly = 0
    while queue and not errand.is_full(chunk, costly):
        change = queue.popleft()
        errand.session.stay_alive()
        desired, record = errand.session.desired(change), errand.session.record(owner(change))
        placed = is_placed(desired, record, errand.session.clock())
        purchase = errand.purchase(change)
        if not placed and (why := errand.reception.refuses(purchase) or _told(errand, purchase)):
            errand.waiting.append((change, why))
            continue
        try:
            order = _decide(errand.session, change, errand.kept, bundle)
        except (Impossible, ProviderError) as why:
            yield Outcome(change, str(why))
            continue
        if errand.purse.limited and order.issuance.order is None:
            costly += purchase.replaces is None
            entered = replace(purchase, reference=order.issuance.name)
            errand.purse.spend(entered.spent(errand.session.clock()))
        chunk.append(order)


def _told(errand: Errand, purchase: Purchase, *, entered: bool = False) -> str:
    """Say for what an order has to wait; empty when it need not."""
    wait = errand.purse.wait(purchase, entered=entered)
    return f"waits until {format_instant(wait.until)}: {wait.why}" if wait else ""


def _put_off(errand: Errand) -> Iterator[Outcome]:
    """Reserve what waits and was reviewed, so that time alone goes on with it; tell of all that waits."""
    session, bundle = errand.session, secrets.token_hex(8)
    orders: list[Order] = []
    for change, why in errand.waiting:
        session.stay_alive()
        if change.due:
            yield Outcome(change, why, later=True)
            continue
        try:
            orders.append(_decide(session, change, errand.kept, bundle))
            yield Outcome(change, why, later=True)
        except (Impossible, ProviderError) as impossible:
            yield Outcome(change, str(impossible))
    _reserve(errand, orders, bundle)


def _decide(session: Session, change: Change, kept: Mapping[str, Secret], bundle: str) -> Order:
    desired, record = session.desired(change), session.record(owner(change))
    now, pending = session.clock(), record.pending
    there = made_request(session, desired) if desired.custody is Custody.TARGET else None
    waited = pending and is_awaited(pending, desired.digest, now)
    held = kept.get(pending.serial) if pending and waited else None
    if pending and is_resumable(pending, desired.digest, now):
        if there and there[1] == pending.spki:
            return Order(change, record, pending, there[0], None, fresh=False)
        if held and not there:
            csr = signing_request(desired.request, held)
            return Order(change, record, pending, csr, held, fresh=False)
    if pending:
        record = put(record, abandoned(pending))
    key, csr, spki = (None, *there) if there else _own(session, change, record, kept, held)
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
    session: Session,
    change: Change,
    record: CertificateRecord,
    kept: Mapping[str, Secret],
    held: Secret | None,
) -> tuple[Secret, bytes, str]:
    """Return a key that the ledger keeps, a signing request by it, and its public half.

    A key that is `held` was reserved for the same, and served nowhere.
    """
    desired = session.desired(change)
    key, spki = (held, public_half(held)) if held else key_for(session, desired, record, kept)
    return key, signing_request(desired.request, key), spki


def _reserve(errand: Errand, orders: Sequence[Order], bundle: str) -> None:
    """Make reservations durable, and with them what the orders are about to cost."""
    fresh = [order for order in orders if order.fresh]
    spending, gone = errand.purse.pages()
    if fresh or spending or gone:
        names = ", ".join(f"certificate/{order.record.name}" for order in fresh[:5])
        many = f"{len(fresh or orders)} orders"
        message = f"Reserve {names if 0 < len(fresh) <= 5 else many}"
        reserve(errand.session, message, fresh, bundle, spending, gone)
        reach("orders.reserved")


def _place(errand: Errand, order: Order) -> Iterator[Outcome]:
    """Order one certificate, or go on with its order, and record what came of it."""
    purchase = errand.purchase(order.change)
    unplaced = order.issuance.order is None
    if unplaced and (
        why := errand.reception.refuses(purchase) or _told(errand, purchase, entered=True)
    ):
        errand.purse.forget([order.issuance.name])
        errand.waiting.append((order.change, why))
        return
    yield _fill(errand, order, purchase)


def _fill(errand: Errand, order: Order, purchase: Purchase) -> Outcome:
    def checkpoint(name: str) -> None:
        errand.session.stay_alive()
        note(errand.session, order, name)

    answer: Issued | Pending | None = None
    try:
        request = _request(errand, order, checkpoint)
        answer = errand.desk.issue(request)
        reach("orders.answered")
        if isinstance(answer, Pending):
            checkpoint(answer.resume)
            words = f"{answer.detail}; the next run asks again"
            return Outcome(order.change, words, later=True)
        facts = issued.check(answer, request, errand.desk.honours, errand.session.clock())
        errand.claim(facts, answer)
    except ProviderError as why:
        errand.reception.note(purchase, why)
        record_failure(errand, order, why, sold=answer is not None)
        return Outcome(order.change, str(why))
    errand.reception.note(purchase, None)
    record_sold(errand, order, answer, facts)
    reach("orders.recorded")
    return Outcome(order.change, remark="; ".join(answer.remarks))


def _request(errand: Errand, order: Order, checkpoint: Callable[[str], None]) -> IssueRequest:
    session, issuance = errand.session, order.issuance
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
        replaces=replaced(session.world.desired, order.record, issuance),
        unreplaced=partial(errand.purse.charge, issuance.name),
    )
