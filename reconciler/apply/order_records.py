"""What comes of an order at a CA of others, made durable: its name, its certificate, its failure."""

import secrets
from collections.abc import Sequence
from functools import partial

from providers.errors import (
    Ambiguous,
    NotFound,
    ProviderError,
    Rejected,
    Transient,
    Unproved,
    Unreachable,
)
from providers.failpoints import reach
from providers.issuing import Issued
from providers.secret import Secret
from providers.x509 import CertificateFacts
from reconciler.apply.budgets import SAYS_NOTHING, pause
from reconciler.apply.errands import Errand, Order
from reconciler.apply.reservation import validity
from reconciler.apply.session import Session
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
from reconciler.ledger.issuing import SpendingRecord
from reconciler.ledger.records import CertificateRecord, Issuance
from schemas.issuer import RETRIES

FINAL = (Rejected, NotFound)
"""Failures after which an order that was taken would fail again: the next run makes another."""


def _standing(session: Session, order: Order) -> tuple[CertificateRecord, Issuance]:
    """Return the record as it is by now, and the reservation in it."""
    record = session.record(order.record.name)
    return record, next(i for i in record.issuances if i.name == order.issuance.name)


def note(session: Session, order: Order, name: str) -> None:
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


def record_sold(errand: Errand, order: Order, answer: Issued, facts: CertificateFacts) -> None:
    """Make a certificate durable; keys of what was replaced are of no more use."""
    session = errand.session
    record, issuance = _standing(session, order)
    new = bought(issuance, answer, facts, session.clock())
    record = session.planned_placements(put(record, new), order.change.address)
    stale = erasable(record, new.serial)
    late = errand.purse.delay(issuance.name)
    spending, gone = errand.purse.pages() if late else ((), ())
    session.journal.write(
        Wave(
            message=f"Issue certificate/{record.name}",
            certificates=[without_keys(record, stale)],
            erase=stale,
            spending=spending,
            gone_spending=gone,
        )
    )
    if order.key is not None:
        session.keys[new.serial] = order.key


def record_failure(errand: Errand, order: Order, why: ProviderError, *, sold: bool) -> None:
    """Make a failure durable, and give the order up where it would only fail again.

    `sold` tells that a certificate came, and not the one that was asked for.
    """
    session, now = errand.session, errand.session.clock()
    record, issuance = _standing(session, order)
    pauses = errand.purse.terms.patience or (RETRIES if isinstance(why, Rejected) else ())
    patience = partial(pause, pauses, why=why)
    silent = isinstance(why, SAYS_NOTHING)
    record = attempted(record, issuance.digest, str(why), now, patience, silent=silent)
    erase, bundle, keys = frozenset[str](), None, dict[str, Secret]()
    if issuance.order is not None and isinstance(why, FINAL):
        erase = frozenset({issuance.serial})
        record = without_keys(put(record, abandoned(issuance)), erase)
        if isinstance(why, Unproved) and record.current is None:
            record, bundle, keys = _once_more(session, order, record)
    spending, gone = _failure_noted(errand, order, issuance, why, sold=sold)
    session.journal.write(
        Wave(
            message=f"certificate/{record.name} not issued",
            certificates=[record],
            erase=erase,
            bundle=bundle,
            new_keys=keys,
            spending=spending,
            gone_spending=gone,
        )
    )


def _once_more(
    session: Session, order: Order, record: CertificateRecord
) -> tuple[CertificateRecord, str | None, dict[str, Secret]]:
    """Reserve another order with the same key, so that time alone tries again what never was issued."""
    reference, now = secrets.token_hex(16), session.clock()
    not_before, not_after = validity(now, session.desired(order.change).request.duration, None)
    again = order.issuance.model_copy(
        update={
            "serial": reference,
            "reference": reference,
            "order": None,
            "reserved_at": now,
            "not_before": not_before,
            "not_after": not_after,
            "bundle": secrets.token_hex(8) if order.key else None,
        }
    )
    return put(record, again), again.bundle, {reference: order.key} if order.key else {}


def _failure_noted(
    errand: Errand, order: Order, issuance: Issuance, why: ProviderError, *, sold: bool
) -> tuple[Sequence[SpendingRecord], Sequence[tuple[str, str]]]:
    """Take note that an order became no certificate; return what of that must not be lost."""
    if isinstance(why, Unproved):
        errand.purse.fail(issuance.name, why.names or errand.purchase(order.change).names)
        return errand.purse.pages()
    unnamed = issuance.order is None
    refused = unnamed and not isinstance(why, (Ambiguous, Transient, Unreachable))
    if refused or (not unnamed and not sold and isinstance(why, Rejected)):
        errand.purse.fail(issuance.name, ())
    return (), ()
