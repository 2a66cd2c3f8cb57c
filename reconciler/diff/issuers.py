"""What a plan costs at CAs of others: how many orders, how many of them now, and until when the rest wait."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from reconciler.address import owner
from reconciler.diff.world import World
from reconciler.ledger.records import CertificateRecord
from reconciler.purchases import advised, is_placed, purchase_of, rank, spent_at, terms_of
from reconciler.spending import ORDERS, Key, Limit, Purchase, Spending, Terms, counted
from reconciler.state import DesiredCertificate, DesiredIssuer
from schemas.plan import Action, Change, IssuerReport, QuotaUse

_NEARLY = 0.8
"""The share of a quota from which on it is told how much of it is used."""


@dataclass
class _Forecast:
    """The orders of one Issuer as its quotas let them through."""

    orders: int = 0
    now: int = 0
    done_by: datetime | None = None
    touched: dict[Key, str] = field(default_factory=dict)
    """What the orders count for, with the address of the first that does."""
    binding: set[Key] = field(default_factory=set)


def issuer_reports(world: World, changes: Sequence[Change]) -> Iterator[IssuerReport]:
    """Yield what becomes of every CA that is asked for something, or was a while ago. Nobody is asked."""
    wanted = _wanted(world, changes)
    known: dict[str, Spending] = {}
    for name, issuer in sorted(world.desired.issuers.items()):
        terms, theirs = terms_of(issuer), wanted.get(name, [])
        server = issuer.spec.identity.partition(" ")[0]
        if server not in known:  # Issuers of one CA share what it allows
            records = spent_at(world.desired.issuers, name, world.ledger)
            known[server] = Spending.of(records, world.now)
        before = Spending.of(spent_at(world.desired.issuers, name, world.ledger), world.now)
        told = _forecast(world, issuer, terms, known[server], theirs)
        quotas = tuple(_uses(before, terms, told, world.now))
        if told.orders or any(use.used for use in quotas):
            yield IssuerReport(
                name=name,
                orders=told.orders,
                now=told.now,
                waits=told.orders - told.now,
                done_by=told.done_by,
                quotas=quotas,
            )


def _wanted(world: World, changes: Sequence[Change]) -> Mapping[str, list[DesiredCertificate]]:
    """Return the certificates that are ordered, by the Issuer."""
    found: dict[str, list[DesiredCertificate]] = {}
    for step in changes:
        if step.action is Action.ISSUE and step.address.startswith("certificate/"):
            desired = world.desired.certificates[owner(step.address)]
            if desired.request.issuer_id is not None:
                found.setdefault(desired.request.issuer, []).append(desired)
    return found


def _forecast(
    world: World,
    issuer: DesiredIssuer,
    terms: Terms,
    spending: Spending,
    certificates: Sequence[DesiredCertificate],
) -> _Forecast:
    """Place orders one after the other, the most urgent first, each when there is room for it."""
    told, now, known = _Forecast(), world.now, advised(world.ledger, issuer.name)
    for desired in sorted(
        certificates, key=lambda c: rank(c, _record(world, c), world.advice, now)
    ):
        record = _record(world, desired)
        if is_placed(desired, record, now):
            continue
        order = purchase_of(known, spending, issuer, desired, record, now)
        told.orders += 1
        if not terms.limits:
            told.now += 1
            continue
        wait = spending.wait(order, terms, now)
        if wait is None:
            told.now += 1
        else:
            told.binding.add(wait.key)
            told.done_by = max(wait.until, told.done_by or wait.until)
        _place(spending, order, desired, told, wait.until if wait else now)
    return told


def _place(
    spending: Spending, order: Purchase, desired: DesiredCertificate, told: _Forecast, at: datetime
) -> None:
    for key in counted(order):
        told.touched.setdefault(key, desired.address)
    spent = order.spent(at).model_copy(update={"reference": order.reference or desired.address})
    spending.enter(spent, at)


def _record(world: World, desired: DesiredCertificate) -> CertificateRecord:
    return world.records.get(desired.name) or CertificateRecord(name=desired.name)


def _uses(spending: Spending, terms: Terms, told: _Forecast, now: datetime) -> Iterator[QuotaUse]:
    """Yield an account's orders, and of every other quota what is used most, where that matters."""
    for kind, limit in terms.limits.items():
        keys = [(ORDERS, "")] if kind == ORDERS else [k for k in told.touched if k[0] == kind]
        if not keys:
            continue
        key = max(keys, key=lambda each: (each in told.binding, spending.used(each, limit, now)))
        used = spending.used(key, limit, now)
        if kind == ORDERS or key in told.binding or used >= _NEARLY * limit.told.most:
            yield _use(spending, key, limit, told, now)


def _use(spending: Spending, key: Key, limit: Limit, told: _Forecast, now: datetime) -> QuotaUse:
    free_at = spending.room_at(key, limit, now)
    of = key[1] if key[0] == "certificates" else told.touched.get(key) if key[1] else None
    return QuotaUse(
        quota=key[0],
        of=of,
        used=spending.used(key, limit, now),
        most=limit.told.most,
        window=int(limit.told.window.total_seconds()),
        free_at=free_at if free_at > now else None,
    )
