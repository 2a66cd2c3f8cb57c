"""What a plan tells of CAs of others: orders, waits, and what is used of each quota."""

from datetime import timedelta

import pytest
from fleet_documents import Leaf
from limited_ca import LimitedFleet, acme
from memory_ledger import Crash

from reconciler.render.markdown import render_markdown
from reconciler.render.text import render_text
from schemas.plan import IssuerReport, Plan, QuotaUse
from schemas.quotas import LETS_ENCRYPT, IssuerQuotas, Quota

DAY = timedelta(days=1)


def fleet_of(number: int, domain: str = "n{}.example.com") -> LimitedFleet:
    leaves = {f"n{i}": Leaf("le", (), (domain.format(i),)) for i in range(number)}
    return LimitedFleet(cas={}, leaves=leaves, issuers={"le": acme()}, targets=("a",))


def line(plan: Plan) -> str:
    """What the header of a plan says of the CA."""
    (found,) = [ln for ln in render_text(plan, colour=False).splitlines() if ln.startswith("  le ")]
    return found


def test_in_the_calm_case_it_is_one_line() -> None:
    plan = fleet_of(12).plan()
    used = QuotaUse(quota="orders", used=0, most=300, window=10800)
    assert plan.issuers == (IssuerReport(name="le", orders=12, now=12, waits=0, quotas=(used,)),)
    assert line(plan) == "  le   12 orders; 0 of 300 in 3h used"
    assert "<code>le</code>: 12 orders; 0 of 300 in 3h used." in render_markdown(plan)


def test_what_waits_is_told_with_why_and_until_when() -> None:
    fleet = fleet_of(60)
    plan = fleet.plan()
    assert line(plan) == (
        "  le   60 orders: 45 now, 15 wait, the last until 2026-01-08 00:00 UTC at the earliest;"
        " 0 of 300 in 3h used; 0 of 50 certificates of example.com in 7d used"
    )
    fleet.apply()
    assert line(fleet.wait(1).plan()) == (
        "  le   15 orders wait, the last until 2026-01-08 00:00 UTC at the earliest;"
        " 0 of 300 in 3h used;"
        " 45 of 50 certificates of example.com in 7d used, room again at 2026-01-08 00:00 UTC"
    )


def test_what_was_used_is_told_although_nothing_is_ordered() -> None:
    fleet = fleet_of(3)
    fleet.converge()
    assert line(fleet.plan()) == "  le   3 of 300 in 3h used"
    assert fleet.wait(1).plan().issuers == ()


def test_a_set_of_names_is_told_as_the_certificate_it_is_of() -> None:
    fleet = fleet_of(6, "www.example.com")
    (report,) = fleet.plan().issuers
    assert [(use.quota, use.of) for use in report.quotas] == [
        ("orders", None),
        ("same_names", "certificate/n0"),
    ]
    assert (report.now, report.waits) == (5, 1)
    assert report.done_by == fleet.now + 7.7 * DAY
    assert line(fleet.plan()).endswith(
        "0 of 5 certificates for the names of certificate/n0 in 7d used"
    )


def test_what_is_ordered_already_is_no_order_any_more() -> None:
    fleet = fleet_of(1)
    fleet.journal.crash_at, fleet.journal.crash_after = 2, True
    with pytest.raises(Crash):
        fleet.apply()
    (report,) = fleet.plan().issuers
    assert report.orders == 0


def test_issuers_of_one_ca_share_its_room_in_a_forecast() -> None:
    fleet = fleet_of(60)
    fleet.issuers["more"] = acme()
    for i in range(30, 60):
        fleet.edit(f"n{i}", issuer="more")
    told = {report.name: (report.now, report.waits) for report in fleet.plan().issuers}
    assert told == {"le": (30, 0), "more": (15, 15)}


def test_a_plan_that_looks_ahead_counts_what_is_free_by_then() -> None:
    fleet = fleet_of(60)
    fleet.apply()
    assert [report.now for report in fleet.plan().issuers] == [0]
    fleet.wait(7)
    assert [report.now for report in fleet.plan().issuers] == [15]


def test_what_is_forecast_is_no_sooner_than_what_becomes_of_it() -> None:
    small = IssuerQuotas(orders=Quota(most=4, window=DAY), same_names=LETS_ENCRYPT.same_names)
    fleet = fleet_of(30)
    fleet.issuers["le"] = acme(quotas=small)
    (report,) = fleet.plan().issuers
    while len(fleet.ca.sold) < 30:
        fleet.apply()
        fleet.now += DAY / 10
    assert report.done_by is not None
    last = max(moment for _, moment in fleet.ca.sold)
    assert report.done_by <= last <= report.done_by + DAY
