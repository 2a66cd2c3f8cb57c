"""What a look at everything tells of what cannot be issued, and of what waits for a quota."""

from datetime import timedelta

from fleet_documents import Leaf
from limited_ca import LimitedFleet, LimitedIssuer, acme

from providers.errors import Denied
from providers.issuing import Issued, IssueRequest, Pending
from reconciler.drifting import Difference, Drift, Kind, Outcome, drift
from reconciler.planning import make_plan
from reconciler.selection import Selection
from schemas.quotas import IssuerQuotas, Quota

DUE = Selection(due_only=True)
MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)


class Refusing(LimitedIssuer):
    """A CA that takes no order."""

    def issue(self, _request: IssueRequest, /) -> Issued | Pending:
        raise Denied("the account is locked")


def renewing() -> LimitedFleet:
    """A certificate whose time to be renewed has just come, at a CA that takes no order."""
    leaves = {"web": Leaf("le", (), ("web.example.com",))}
    fleet = LimitedFleet(leaves=leaves, issuers={"le": acme()})
    fleet.converge()
    while not any(change.address == "certificate/web" for change in fleet.plan().changes):
        fleet.converge().now += DAY
    fleet.door = Refusing
    return fleet


def look(fleet: LimitedFleet) -> Drift:
    world = fleet.world()
    return drift(world, make_plan(world))


def only(found: Drift) -> Difference:
    (each,) = found.differences
    return each


def test_a_renewal_that_fails_night_after_night_is_told_long_before_it_is_late() -> None:
    fleet = renewing()
    assert look(fleet).outcome is Outcome.CLEAN
    first = fleet.now
    fleet.apply(DUE)
    fleet.now += DAY
    assert look(fleet).outcome is Outcome.CLEAN, "one failure may be gone with the next run"
    fleet.apply(DUE)
    told = look(fleet)
    each = only(told)
    assert (each.kind, each.address) == (Kind.BLOCKED, "certificate/web")
    assert (
        each.found
        == f"2 failures since {first:%Y-%m-%dT%H:%M:%SZ}, the last: the account is locked"
    )
    fleet.now += 11 * MINUTE
    assert look(fleet).digest == told.digest, "it is the same while it is due, and while it waits"


def test_it_is_told_no_more_once_it_is_issued() -> None:
    fleet = renewing()
    for _ in range(2):
        fleet.apply(DUE)
        fleet.now += DAY
    fleet.door = LimitedIssuer
    fleet.converge()
    assert look(fleet).outcome is Outcome.CLEAN


def test_what_is_overdue_since_a_quota_has_no_room_is_told_with_when_it_has() -> None:
    fleet = renewing()
    fleet.leaves["other"] = Leaf("le", (), ("other.example.com",))
    fleet.issuers = {"le": acme(quotas=IssuerQuotas(orders=Quota(most=1, window=40 * DAY)))}
    fleet.now += 20 * DAY
    found = {each.address: each.found for each in look(fleet).differences}
    waiting = "; 2 of 2 orders at le wait for its quotas, the last until 2026-03-30"
    assert waiting in found["certificate/web"]
