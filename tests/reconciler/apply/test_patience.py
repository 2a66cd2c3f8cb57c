"""What fails is tried less and less, and a CA that answers nobody is not asked for all."""

from contextlib import suppress
from datetime import timedelta

import pytest
from fleet_documents import Leaf
from fleet_sights import named
from limited_ca import LimitedFleet, LimitedIssuer, acme
from memory_ledger import Crash

from providers.errors import Ambiguous, Denied, ProviderError, Rejected, Throttled, Transient
from providers.issuing import Issued, IssueRequest, Pending
from reconciler.events import EventStatus
from reconciler.selection import Selection
from schemas.issuer import IssuerSpec
from schemas.plan import Action
from schemas.quotas import IssuerQuotas, Quota
from schemas.vault import Vault

DUE = Selection(due_only=True)
MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)


def fail(fleet: LimitedFleet, why: ProviderError, prefix: str = "") -> list[str]:
    """Let orders fail before they are taken where a name begins so; returns what is asked for."""
    asked: list[str] = []

    class Door(LimitedIssuer):
        def issue(self, request: IssueRequest, /) -> Issued | Pending:
            name = request.request.dns_names[0]
            if request.resume is None:
                asked.append(name)
                if name.startswith(prefix):
                    raise why
            return super().issue(request)

    fleet.door = Door
    return asked


def fleet_of(*names: str) -> LimitedFleet:
    leaves = {name: Leaf("le", (), (f"{name}.example.com",)) for name in names}
    return LimitedFleet(leaves=leaves, issuers={"le": acme()})


def pauses(fleet: LimitedFleet, times: int, every: timedelta = MINUTE) -> list[timedelta]:
    """How long nothing was tried after each failure, to the minute."""
    waits = []
    for _ in range(times):
        fleet.apply()
        begun = fleet.now
        while any(change.action is Action.BLOCKED for change in fleet.plan().changes):
            fleet.now += every
        waits.append(fleet.now - begun)
    return waits


@pytest.mark.parametrize("why", [Denied("no permission"), Rejected("names are not allowed")])
def test_what_fails_is_tried_after_1_10_and_100_minutes_and_then_daily(why: ProviderError) -> None:
    fleet = fleet_of("web")
    asked = fail(fleet, why)
    assert pauses(fleet, 5) == [MINUTE, 10 * MINUTE, 100 * MINUTE, DAY, DAY]
    assert len(asked) == 5


@pytest.mark.parametrize(
    ("why", "expected"),
    [
        (Rejected("names are not allowed"), [MINUTE, 10 * MINUTE, 100 * MINUTE, DAY, DAY]),
        (Transient("broken"), [0 * MINUTE] * 5),
        (Denied("no permission"), [0 * MINUTE] * 5),
    ],
)
def test_a_kind_without_pauses_of_its_own_is_left_alone_after_a_refusal_only(
    why: ProviderError, expected: list[timedelta]
) -> None:
    fleet = fleet_of("web")
    fleet.issuers["le"] = IssuerSpec(vault=Vault(server="https://vault.example.com", role="web"))
    fail(fleet, why)
    assert pauses(fleet, 5) == expected


@pytest.mark.parametrize("why", [Transient("broken"), Ambiguous("no answer"), Throttled("slowly")])
def test_a_ca_that_does_not_answer_is_asked_again_sooner(why: ProviderError) -> None:
    fleet = fleet_of("web")
    fail(fleet, why)
    assert pauses(fleet, 5) == [MINUTE, 10 * MINUTE, *([100 * MINUTE] * 3)]


def test_what_the_ca_asks_to_wait_counts_where_it_is_longer() -> None:
    fleet = fleet_of("web")
    fail(fleet, Throttled("slowly", 1200.0))
    assert pauses(fleet, 3) == [20 * MINUTE, 20 * MINUTE, 100 * MINUTE]


def test_a_ca_that_never_wants_to_be_asked_again_is_asked_within_a_week() -> None:
    fleet = fleet_of("web")
    fail(fleet, Throttled("never", 1e18))
    fleet.apply()
    attempts = fleet.journal.state.certificates["web"].attempts
    assert attempts is not None
    assert attempts.again_at == fleet.now + 7 * DAY


def test_who_asks_by_name_does_not_wait() -> None:
    fleet = fleet_of("web")
    fail(fleet, Denied("no permission"))
    fleet.apply()
    fleet.apply()
    blocked = named(fleet.plan(), Action.BLOCKED, "certificate/web")
    assert blocked.message == (
        "its issuer is asked for no order before 2026-01-01T00:01:00Z: no permission; "
        "`certform apply --replace certificate/web` asks at once"
    )
    fleet.replace = frozenset({"certificate/web"})
    fleet.door = LimitedIssuer
    assert {event.status for event in fleet.apply()} == {EventStatus.DONE}
    assert fleet.current("web").serial


def test_another_request_does_not_wait_for_what_was_wrong_with_the_last() -> None:
    fleet = fleet_of("web")
    fail(fleet, Denied("no permission"), "web")
    fleet.apply()
    fleet.edit("web", names=("other.example.com",)).converge()


def test_what_was_never_issued_is_tried_again_by_time_alone_with_the_same_key() -> None:
    fleet = fleet_of("web")
    fleet.ca.proves = lambda _name, _now: False
    fleet.apply()
    first = fleet.journal.state.certificates["web"].pending
    assert first is not None
    fleet.wait(0.01).apply(DUE)
    second = fleet.journal.state.certificates["web"].pending
    assert second is not None
    assert (first.name, first.spki) != (second.name, first.spki)
    assert first.spki == second.spki
    assert set(fleet.kept_keys()) == {second.serial}
    fleet.ca.proves = lambda _name, _now: True
    fleet.wait(0.1).apply(DUE)
    assert fleet.current("web").spki == first.spki
    assert [order.failed for order in fleet.ca.orders.values()] == [*["web.example.com"] * 2, ""]


@pytest.mark.parametrize("after", [False, True])
def test_a_run_that_dies_after_a_failure_counts_it_all_the_same(*, after: bool) -> None:
    """Five names that nobody proves, all in one set with another: the CA never says that it is too much."""
    for wave in range(1, 16):
        fleet = LimitedFleet(
            leaves={
                f"n{i}": Leaf("le", (), ("bad.example.com", f"n{i}.example.com")) for i in range(9)
            },
            issuers={"le": acme()},
        )
        fleet.ca.proves = lambda name, _now: not name.startswith("bad")
        fleet.journal.crash_at, fleet.journal.crash_after = wave, after
        with suppress(Crash):
            fleet.apply()
        fleet.journal.crash_at = None
        for _ in range(12):
            fleet.now += 5 * MINUTE
            fleet.apply()
        assert fleet.ca.buckets.refusals == []


def test_a_name_that_failed_is_not_tried_at_once_for_another_certificate() -> None:
    fleet = fleet_of("a")
    fleet.leaves["b"] = Leaf("le", (), ("a.example.com", "b.example.com"))
    fleet.ca.proves = lambda _name, _now: False
    told = {event.address: event.message for event in fleet.apply()}
    assert told["certificate/a"] == "a.example.com could not be proved"
    assert told["certificate/b"] == (
        "waits until 2026-01-01T00:01:00Z: a.example.com was not proved"
    )
    assert len(fleet.ca.orders) == 1


def test_a_ca_that_answers_nobody_is_asked_three_times_a_run() -> None:
    fleet = fleet_of(*(f"n{i}" for i in range(20)))
    fleet.ca.down = True
    events = fleet.apply()
    failed = [e.message for e in events if e.status is EventStatus.FAILED]
    waiting = [e.message for e in events if e.status is EventStatus.POSTPONED]
    assert fleet.ca.knocks == 3
    assert failed == ["the CA does not answer"] * 3
    assert (
        waiting
        == ["not asked for, since its issuer takes no orders now: the CA does not answer"] * 17
    )
    fleet.ca.down = False
    fleet.wait(0.1)
    assert {e.status for e in fleet.apply(DUE)} == {EventStatus.DONE}
    assert len(fleet.ca.sold) == 20


def spread(fleet: LimitedFleet, number: int) -> None:
    for i in range(number):
        fleet.leaves[f"o{i}"] = Leaf("le", (), (f"o{i}.other{i}.example",))


@pytest.mark.parametrize(
    ("prefix", "times", "issued"),
    [("n", 1 + 5, 5), ("", 2, 0)],
    ids=["one domain is refused", "everything is"],
)
def test_a_ca_that_asks_to_wait_is_asked_once_more_for_another_domain(
    prefix: str, times: int, issued: int
) -> None:
    fleet = fleet_of(*(f"n{i}" for i in range(5)))
    spread(fleet, 5)
    asked = fail(fleet, Throttled("too many orders", 7200.0), prefix)
    told = [e.message for e in fleet.apply() if e.address.startswith("certificate/") and e.message]
    assert len(asked) == times
    assert len(fleet.ca.sold) == issued
    assert len(told) == 10 - issued
    assert sum(message.startswith("not asked for") for message in told) == 10 - issued - (
        times - issued
    )


def test_orders_that_were_written_down_and_never_placed_are_taken_back() -> None:
    fleet = fleet_of(*(f"n{i}" for i in range(20)))
    fleet.issuers["le"] = acme(quotas=IssuerQuotas(orders=Quota(most=30, window=DAY)))
    fleet.ca.down = True
    fleet.apply()
    spent = [s for record in fleet.journal.state.spending.values() for s in record.orders]
    assert len(spent) == 3
