"""Orders, failures, crashes and time in any order: no window ever holds more than its quota allows."""

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count

from hypothesis import given, settings
from hypothesis import strategies as st
from token_buckets import by_key, peak

from reconciler.ledger.issuing import SpendingRecord, Spent
from reconciler.spending import Purchase, Spending, Terms
from schemas.quotas import IssuerQuotas, Quota

START = datetime(2026, 1, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
QUOTAS = IssuerQuotas(
    orders=Quota(most=12, window=3 * HOUR),
    certificates=Quota(most=10, window=24 * HOUR),
    same_names=Quota(most=3, window=24 * HOUR),
    failures=Quota(most=2, window=HOUR),
)
TERMS = Terms(QUOTAS, (timedelta(minutes=1), timedelta(minutes=10)))
NAMES = (
    *("a.one.example", "b.one.example", "c.one.example", "d.one.example", "e.one.example"),
    *("two.example", "*.two.example", "three.example"),
)


@dataclass
class Till:
    """What is durable, and apart from it what the CA was really asked for."""

    now: datetime = START
    durable: list[Spent] = field(default_factory=list)
    open: list[Purchase] = field(default_factory=list)
    """Reservations whose run died before they became anything."""
    asked: list[tuple[str, datetime]] = field(default_factory=list)
    sold: list[tuple[str, datetime]] = field(default_factory=list)
    failed: list[tuple[str, datetime]] = field(default_factory=list)
    numbers: Iterator[int] = field(default_factory=count)

    def spending(self, at: datetime | None = None) -> Spending:
        """What a run reads that begins now."""
        record = SpendingRecord(issuer="ca", day="2026-01-01", orders=tuple(self.durable))
        return Spending.of([record], at or self.now)

    def pass_time(self, one: int, two: int) -> None:
        self.now += timedelta(minutes=1 + one * two)

    def order(self, one: int, two: int) -> None:
        names = tuple(sorted({NAMES[one % 8], NAMES[(one + two) % 8]}))
        exempt = f"{one}" if one == two == 5 else None
        self._place(Purchase(f"r{next(self.numbers)}", names, replaces=exempt), two)

    def resume(self, one: int, two: int) -> None:
        if self.open:
            self._place(self.open.pop(one % len(self.open)), two)

    def _place(self, purchase: Purchase, fate: int) -> None:
        wait = self.spending().wait(purchase, TERMS, self.now)
        if wait is not None:
            assert wait.until > self.now
            assert self.spending(wait.until).wait(purchase, TERMS, wait.until) is None
            return
        self.durable.append(purchase.spent(self.now))
        if fate == 0:  # dies before it asks
            self.open.append(purchase)
            return
        if purchase.replaces is None:
            self.asked.append(("", self.now))
        if fate == 1:  # dies before the order's name is durable
            self.open.append(purchase)
        elif fate <= 4:
            bad = purchase.names[0].removeprefix("*.")
            self.failed.append((bad, self.now))
            update = {"failed_at": self.now, "failed": (bad,)}
            self.durable[-1] = self.durable[-1].model_copy(update=update)
        elif purchase.replaces is None:
            self.sold.append((purchase.digest, self.now))
            self.sold.extend((domain, self.now) for domain in purchase.domains)

    def check(self) -> None:
        digests = {k: v for k, v in by_key(self.sold).items() if "." not in k}
        domains = {k: v for k, v in by_key(self.sold).items() if "." in k}
        for most, window, logs in (
            (11, 3 * HOUR, by_key(self.asked)),  # one of twelve is left for people
            (9, 24 * HOUR, domains),
            (3, 24 * HOUR, digests),
            (2, HOUR, by_key(self.failed)),
        ):
            assert all(peak(moments, window) <= most for moments in logs.values())


VERBS = {"order": Till.order, "resume": Till.resume, "pass_time": Till.pass_time}
STEP = st.tuples(
    st.sampled_from(("order", "order", "resume", *VERBS)), st.integers(0, 15), st.integers(0, 7)
)


@settings(deadline=None, max_examples=int(os.environ.get("EXAMPLES", "200")), print_blob=True)
@given(st.lists(STEP, min_size=30, max_size=150))
def test_no_window_holds_more_than_its_quota_whatever_happens(
    steps: list[tuple[str, int, int]],
) -> None:
    till = Till()
    for verb, one, two in steps:
        VERBS[verb](till, one, two)
    till.check()


@settings(deadline=None, max_examples=100)
@given(st.lists(st.tuples(st.integers(0, 7), st.integers(0, 7)), max_size=80))
def test_what_is_forecast_keeps_to_the_quotas_of_names_and_domains(
    orders: list[tuple[int, int]],
) -> None:
    spending, moments = Spending(), list[tuple[str, datetime]]()
    for number, (one, two) in enumerate(orders):
        purchase = Purchase(f"r{number}", tuple(sorted({NAMES[one], NAMES[two]})))
        wait = spending.wait(purchase, TERMS, START)
        at = wait.until if wait else START
        spending.enter(purchase.spent(at), at)
        moments.append((purchase.digest, at))
    for when in by_key(moments).values():
        assert peak(when, timedelta(hours=24)) <= 3
