"""What is asked of a CA with quotas: written down before, kept to, and gone on with by time alone."""

from dataclasses import replace

import pytest
from fleet_documents import Leaf
from fleet_sights import named, reasons
from limited_ca import LimitedFleet, LimitedIssuer, acme
from limited_sights import DAY, DUE, TWO, ended, entries, issued, leaf, three
from memory_ledger import Crash

from providers.issuing import Issued, IssuerConfig, IssueRequest, Pending
from reconciler.apply import budgets
from reconciler.events import EventStatus
from reconciler.ledger.contract import Wave
from reconciler.ledger.issuing import SpendingRecord
from reconciler.selection import Selection
from schemas.plan import Action, Reason
from schemas.quotas import IssuerQuotas, Quota


def test_what_there_is_no_room_for_waits_is_told_and_goes_on_by_time_alone() -> None:
    fleet = three()
    told = ended(fleet)
    assert [address for address, message in told.items() if not message] == [
        *("certificate/a", "certificate/b")
    ]
    assert (
        told["certificate/c"]
        == "waits until 2026-01-08T16:48:00Z: 2 certificates of example.com in 7d"
    )
    issue = named(fleet.plan(), Action.ISSUE, "certificate/c")
    assert (issue.reason, issue.due) == (Reason.RESUMING, True)
    fleet.wait(7)
    assert set(ended(fleet, DUE)) == {"certificate/c"}
    assert issued(fleet) == {"a", "b"}
    fleet.wait(0.71)
    assert ended(fleet, DUE) == {"certificate/c": ""}
    assert len(fleet.ca.orders) == 3


def test_a_renewal_that_waits_reserves_nothing() -> None:
    fleet = three(IssuerQuotas(orders=Quota(most=3, window=DAY)))
    fleet.converge()
    fleet.issuers["le"] = acme(quotas=IssuerQuotas(orders=Quota(most=1, window=DAY)))
    fleet.wait(25)
    assert sorted(map(bool, ended(fleet).values())) == [False, True, True]
    assert [r.name for r in fleet.journal.state.certificates.values() if r.pending] == []


def test_an_order_is_written_down_in_the_wave_that_reserves_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    fleet, waves = three(IssuerQuotas(orders=Quota(most=9, window=DAY))), list[Wave]()
    write, order = fleet.journal.write, fleet.ca.order

    def watched(wave: Wave, /) -> None:
        waves.append(wave)
        write(wave)

    def asked(request: IssueRequest) -> str:
        assert request.token in {spent.reference for spent in entries(fleet)}
        return order(request)

    monkeypatch.setattr(fleet.journal, "write", watched)
    monkeypatch.setattr(fleet.ca, "order", asked)
    fleet.converge()
    (reserving,) = [wave for wave in waves if wave.spending]
    (record,) = reserving.spending
    pending = {r.pending.name for r in reserving.certificates if r.pending}
    assert {spent.reference for spent in record.orders} == pending
    assert (record.issuer, record.day) == ("le", "2026-01-01")
    assert {spent.domains for spent in record.orders} == {("example.com",)}


def test_orders_are_reserved_in_chunks() -> None:
    leaves = {f"n{i}": leaf(f"n{i}.d{i}.example") for i in range(60)}
    fleet, seen = LimitedFleet(leaves=leaves, issuers={"le": acme()}), list[int]()

    class Watched(LimitedIssuer):
        def issue(self, request: IssueRequest, /) -> Issued | Pending:
            seen.append(len(entries(fleet)))
            return super().issue(request)

    fleet.door = Watched
    fleet.converge()
    assert seen == [25] * 25 + [50] * 25 + [60] * 10


def test_a_day_on_which_much_is_asked_has_pages_that_are_not_written_once_they_are_full(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(budgets, "PAGE", 20)
    leaves = {f"n{i}": leaf(f"n{i}.d{i}.example") for i in range(60)}
    fleet, written = LimitedFleet(leaves=leaves, issuers={"le": acme()}), list[str]()
    write = fleet.journal.write

    def watched(wave: Wave) -> None:
        written.extend(record.day for record in wave.spending)
        write(wave)

    monkeypatch.setattr(fleet.journal, "write", watched)
    fleet.converge()
    day, pages = (
        "2026-01-01",
        [("le", "2026-01-01"), *(("le", f"2026-01-01.00{n}") for n in (1, 2))],
    )
    assert sorted(fleet.journal.state.spending) == pages
    assert len({spent.reference for spent in entries(fleet)}) == len(entries(fleet)) == 60
    assert written == [day, f"{day}.001", f"{day}.001", f"{day}.002", f"{day}.002"]
    fleet.now += 9 * DAY
    fleet.leaves["more"] = leaf("more.example")
    fleet.converge()
    assert sorted(fleet.journal.state.spending) == [("le", "2026-01-10")]


@pytest.mark.parametrize("after", [False, True])
def test_a_run_that_dies_at_any_wave_has_written_down_all_that_it_asked(*, after: bool) -> None:
    for wave in range(1, 99):
        fleet = three(IssuerQuotas(orders=Quota(most=9, window=DAY)))
        fleet.journal.crash_at, fleet.journal.crash_after = wave, after
        try:
            fleet.apply()
        except Crash:
            fleet.journal.crash_at = None
            assert len(fleet.ca.orders) <= len(entries(fleet))
            fleet.wait(0.01).converge()
            assert len(fleet.ca.orders) <= len(entries(fleet))
            assert issued(fleet) == {"a", "b", "c"}
            assert len(fleet.ca.sold) == 3
        else:
            break
    assert wave > 8


def test_an_order_whose_name_was_lost_is_written_down_anew() -> None:
    fleet = three(IssuerQuotas(orders=Quota(most=9, window=99 * DAY)))
    del fleet.leaves["b"], fleet.leaves["c"]
    fleet.converge().wait(25)
    fleet.journal.crash_at = 2  # its name, after the CA has answered
    with pytest.raises(Crash):
        fleet.apply(DUE)
    fleet.journal.crash_at = None
    fleet.converge()
    assert len(fleet.ca.orders) == len(entries(fleet)) == 3
    assert len({spent.reference for spent in entries(fleet)}) == 2


def test_the_most_urgent_go_first() -> None:
    """What has expired, then what is new, then what could be renewed."""
    quotas = IssuerQuotas(orders=Quota(most=9, window=DAY))
    fleet = three(quotas)
    fleet.leaves = {"late": leaf("late.example.com")}
    fleet.converge().wait(28)
    fleet.leaves["early"] = Leaf("le", (), ("early.example.com",), renew_before=26)
    fleet.now -= 8 * DAY
    fleet.apply(Selection(("certificate/early",)))
    fleet.wait(8)
    fleet.leaves["new"] = leaf("new.example.com")
    fleet.ca.sold.clear()
    fleet.converge()
    assert [names.partition(".")[0] for names, _ in fleet.ca.sold] == ["late", "new", "early"]


def test_a_remark_of_an_issuer_is_told_with_what_it_issued() -> None:
    class Remarking(LimitedIssuer):
        def issue(self, request: IssueRequest, /) -> Issued | Pending:
            answer = super().issue(request)
            assert isinstance(answer, Issued)
            return replace(answer, remarks=("its own chain", "and more"))

    fleet = three(IssuerQuotas())
    fleet.door = Remarking
    (event,) = (e for e in fleet.apply(Selection(("certificate/a",))) if e.message)
    assert (event.status, event.message) == (EventStatus.DONE, "its own chain; and more")


def test_days_that_no_quota_looks_back_to_are_dropped_and_those_of_issuers_that_are_gone() -> None:
    fleet = three(IssuerQuotas(orders=Quota(most=9, window=DAY)))
    old = SpendingRecord(issuer="former", day="2025-12-01")
    fleet.journal.state = replace(fleet.journal.state, spending={old.key: old})
    fleet.converge().wait(25).converge()
    assert {record.key for record in fleet.journal.state.spending.values()} == {
        ("le", "2026-01-26")
    }


def test_an_order_that_is_filled_much_later_counts_from_then() -> None:
    fleet, waits = three(IssuerQuotas(same_names=Quota(most=1, window=7 * DAY))), [True]
    fleet.leaves = {"a": leaf("a.example.com")}

    class Slow(LimitedIssuer):
        def issue(self, request: IssueRequest, /) -> Issued | Pending:
            if waits:
                return Pending(self.ca.order(request), "somebody has to look at it")
            return super().issue(request)

    fleet.door = Slow
    assert "look at it" in ended(fleet)["certificate/a"]
    waits.clear()
    fleet.wait(5).converge()
    assert [spent.at for spent in entries(fleet)] == [fleet.now]
    assert len(fleet.ca.orders) == 1


def test_issuers_of_one_ca_share_what_it_allows() -> None:
    fleet = three()
    fleet.issuers["other"] = acme(quotas=TWO)
    fleet.edit("b", issuer="other").edit("c", issuer="other")
    assert sum(bool(message) for message in ended(fleet).values()) == 1
    fleet.issuers["third"] = acme("https://third.example/directory", TWO)
    fleet.edit("b", issuer="third").edit("c", issuer="third").converge()


def test_a_reviewed_edit_that_only_waits_goes_on_at_night_and_one_that_failed_stops_no_renewal() -> (
    None
):
    fleet = three(IssuerQuotas(orders=Quota(most=1, window=DAY)))
    fleet.leaves = {"a": leaf("a.example.com")}
    fleet.converge().edit("a", names=("edited.example.com",))
    assert "waits until" in ended(fleet)["certificate/a"]
    fleet.pinned = True
    fleet.wait(2)
    assert ended(fleet, DUE) == {"certificate/a": ""}
    assert fleet.current("a").request == fleet.desired().certificates["a"].request
    fleet.edit("a", names=("bad.example.com",))
    fleet.ca.proves = lambda name, _: not name.startswith("bad")
    fleet.pinned = False
    fleet.wait(2)
    assert "could not be proved" in ended(fleet)["certificate/a"]
    fleet.pinned = True
    fleet.wait(22).converge()
    assert reasons(fleet.plan(), "certificate/a") == {}


def refusing(_config: IssuerConfig) -> LimitedIssuer:
    raise AssertionError("a plan asks nobody")


def test_a_plan_tells_what_is_left_and_asks_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    fleet = three()
    fleet.apply()
    monkeypatch.setattr(fleet, "ask", refusing)
    (report,) = fleet.plan().issuers
    assert (report.orders, report.now, report.waits) == (1, 0, 1)
    assert report.done_by == fleet.now + 7.7 * DAY
    with pytest.raises(AssertionError, match="asks nobody"):
        fleet.apply()


def test_nothing_is_written_down_where_there_is_nothing_to_keep_to() -> None:
    fleet = three(IssuerQuotas())
    fleet.converge()
    assert entries(fleet) == []
    assert fleet.plan().issuers == ()
    assert all(event.status is EventStatus.DONE for event in fleet.wait(25).apply())
