"""What counts for which quota, and how long an order waits."""

from datetime import UTC, datetime, timedelta

import pytest

from reconciler.ledger.issuing import SpendingRecord
from reconciler.spending import Purchase, Spending, Terms, names_of, registered_domain
from schemas.certificate import Algorithm, Usage
from schemas.quotas import LETS_ENCRYPT, IssuerQuotas, Quota
from schemas.request import KeyType, LeafRequest

NOW = datetime(2026, 11, 27, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
TERMS = Terms(LETS_ENCRYPT, (timedelta(minutes=1), timedelta(minutes=10), DAY))


def order(
    number: int,
    *names: str,
    replaces: str | None = None,
    renewal: bool = False,
    patient: bool = True,
) -> Purchase:
    wanted = names or (f"n{number}.d{number}.example",)
    return Purchase(f"r{number}", wanted, replaces, renewal=renewal, patient=patient)


def spent(*purchases: Purchase, at: datetime = NOW) -> Spending:
    orders = tuple(purchase.spent(at) for purchase in purchases)
    return Spending.of([SpendingRecord(issuer="ca", day="2026-11-27", orders=orders)], NOW + HOUR)


@pytest.mark.parametrize(
    ("name", "domain"),
    [
        ("www.example.com", "example.com"),
        ("*.shop.example.co.uk", "example.co.uk"),
        ("me.github.io", "me.github.io"),
        ("a.b.me.github.io", "me.github.io"),
        ("co.uk", "co.uk"),
        ("db.svc.internal", "svc.internal"),
        ("192.0.2.7", "192.0.2.7"),
        ("2001:DB8::1", "2001:db8::1"),
    ],
)
def test_a_name_counts_for_the_domain_that_somebody_registered(name: str, domain: str) -> None:
    assert registered_domain(name) == domain


def test_a_set_of_names_is_the_same_in_any_spelling_and_order() -> None:
    def request(
        *names: str, ips: tuple[str, ...] = (), common_name: str | None = None
    ) -> LeafRequest:
        return LeafRequest(
            issuer="ca",
            issuer_generation=0,
            common_name=common_name,
            dns_names=names,
            ip_addresses=ips,
            usages=(Usage.SERVER_AUTH,),
            key=KeyType(algorithm=Algorithm.ECDSA, size=256),
            duration=86400,
        )

    one = names_of(
        request("b.example", "A.example", ips=("2001:db8:0::1",), common_name="a.example")
    )
    assert one == names_of(request("a.example", "B.EXAMPLE", ips=("2001:db8::1",)))
    assert Purchase("r", one).digest != Purchase("r", one[:1]).digest


def test_a_tenth_of_a_quota_is_left_for_people() -> None:
    full = spent(*(order(n) for n in range(270)))
    wait = full.wait(order(999), TERMS, NOW + HOUR)
    assert wait is not None
    assert (wait.until, wait.why) == (NOW + 3 * HOUR, "300 orders in 3h")
    assert spent(*(order(n) for n in range(269))).wait(order(999), TERMS, NOW + HOUR) is None


def test_where_no_tenth_can_be_left_it_is_looked_back_longer() -> None:
    same = [order(n, "www.example.com") for n in range(5)]
    wait = spent(*same).wait(order(9, "www.example.com"), TERMS, NOW + HOUR)
    assert wait is not None
    assert wait.until == NOW + 7.7 * DAY
    assert wait.why == "5 certificates for the same names in 7d"
    assert (
        spent(*same).wait(order(9, "a.example.com", "www.example.com"), TERMS, NOW + HOUR) is None
    )


def test_the_longest_wait_is_the_one_that_is_told() -> None:
    domain = [order(n, f"n{n}.example.com") for n in range(45)]
    spending = spent(*domain, *(order(n) for n in range(100, 325)))
    wait = spending.wait(order(999, "new.example.com"), TERMS, NOW + HOUR)
    assert wait is not None
    assert (wait.until, wait.why) == (NOW + 7 * DAY, "50 certificates of example.com in 7d")


def test_an_order_that_died_counts_as_one_certificate_however_often_it_is_placed() -> None:
    terms = Terms(IssuerQuotas(same_names=Quota(most=2, window=7 * DAY)))
    mine, others = order(1, "a.example"), order(2, "a.example")
    spending = spent(mine, mine, mine)
    assert spending.wait(mine, terms, NOW + HOUR) is None
    spending.enter(others.spent(NOW), NOW)
    assert spending.wait(mine, terms, NOW + HOUR) is None
    assert spending.wait(order(3, "a.example"), terms, NOW + HOUR) is not None
    spending.enter(order(3, "a.example").spent(NOW), NOW)
    assert spending.wait(mine, terms, NOW + HOUR) is not None


def test_what_failed_became_no_certificate_and_yet_was_an_order() -> None:
    terms = Terms(
        IssuerQuotas(orders=Quota(most=3, window=HOUR), same_names=Quota(most=3, window=7 * DAY))
    )
    failed = [
        order(n, "a.example").spent(NOW).model_copy(update={"failed_at": NOW}) for n in range(3)
    ]
    spending = Spending.of(
        [SpendingRecord(issuer="ca", day="2026-11-27", orders=tuple(failed))], NOW
    )
    wait = spending.wait(order(9, "a.example"), terms, NOW)
    assert wait is not None
    assert wait.why == "3 orders in 1h"
    assert spending.wait(order(9, "a.example"), terms, NOW + 1.1 * HOUR) is None


def test_a_renewal_counts_for_its_names_alone_and_what_replaces_for_nothing() -> None:
    renewals = [order(n, "a.example", renewal=True) for n in range(5)]
    replacing = [order(n, "b.example", replaces=f"{n}") for n in range(50)]
    spending = spent(*renewals, *replacing)
    assert spending.wait(order(99, "www.a.example"), TERMS, NOW + HOUR) is None
    assert spending.wait(order(99, "b.example"), TERMS, NOW + HOUR) is None
    assert spending.wait(order(99, "a.example", renewal=True), TERMS, NOW + HOUR) is not None
    assert spending.wait(order(99, "a.example", replaces="1"), TERMS, NOW + HOUR) is None
    assert spending.is_replaced("7")
    assert not spending.is_replaced("99")


def test_a_name_that_fails_again_and_again_is_tried_less_and_less_by_whatever_holds_it() -> None:
    spending, told = Spending(), []
    now = NOW
    for _ in range(4):
        spending.fail(["*.bad.example"], now)
        wait = spending.wait(order(1, "bad.example", "good.example"), TERMS, now)
        assert wait is not None
        told.append((wait.until - now, wait.why))
        now = wait.until
    assert [pause for pause, _ in told] == [timedelta(minutes=1), timedelta(minutes=10), DAY, DAY]
    assert told[-1][1] == "bad.example was not proved 4 times"
    spending.fail(["bad.example"], now)
    assert spending.wait(order(1, "good.example"), TERMS, now) is None
    assert spending.wait(order(1, "bad.example", patient=False), TERMS, now) is None


def test_who_asks_by_name_waits_for_quotas_all_the_same() -> None:
    spending = Spending()
    for _ in range(5):
        spending.fail(["bad.example"], NOW)
    wait = spending.wait(order(1, "bad.example", patient=False), TERMS, NOW)
    assert wait is not None
    assert wait.why == "5 failures of bad.example in 1h"


def test_what_a_clock_wrote_that_was_ahead_does_not_count() -> None:
    ahead = [order(n) for n in range(300)]
    assert spent(*ahead, at=NOW + 400 * DAY).wait(order(999), TERMS, NOW + HOUR) is None
    assert spent(*ahead, at=NOW + HOUR + timedelta(minutes=2)).wait(order(999), TERMS, NOW + HOUR)


def test_without_quotas_nothing_waits_and_nothing_is_looked_back_to() -> None:
    terms = Terms(IssuerQuotas())
    assert spent(*(order(n) for n in range(999))).wait(order(1), terms, NOW) is None
    assert terms.look_back == timedelta()
    assert TERMS.look_back == 7.7 * DAY
