"""A list of an offline CA is asked for early: nothing has gone wrong before half of that time is over."""

import pytest
from ceremony_table import Table, offline_fleet
from fleet import Fleet
from fleet_documents import Ca

from reconciler.drifting import drift
from reconciler.lifetimes import lifetimes
from reconciler.reviewing import obstacles
from schemas.custody import Kept
from schemas.plan import Action, Reason

LIST = "crl/root-g1"


@pytest.fixture
def table() -> Table:
    """A root whose list lives for 180 days, and is asked for after 90."""
    fleet = offline_fleet(root=Ca(custody=Kept.OFFLINE, crl_days=180, days=3650))
    table = Table(fleet)
    table.hold()
    fleet.converge()
    return table


def stuck(fleet: Fleet) -> list[tuple[str, Reason]]:
    """What is in the way of a night, as far as it concerns the list."""
    return [(s.address, s.reason) for s in obstacles(fleet.plan()) if s.address == LIST]


def asked(fleet: Fleet) -> list[tuple[Action, bool]]:
    """What becomes of the list in a plan, and whether time alone asks for it, in time."""
    return [(c.action, c.due) for c in fleet.plan().changes if c.address == LIST]


def test_a_night_is_fine_until_half_of_the_notice_is_over(table: Table) -> None:
    fleet = table.fleet
    assert asked(fleet.wait(89)) == []
    assert asked(fleet.wait(2)) == [(Action.BLOCKED, True)]
    assert stuck(fleet) == []
    assert stuck(fleet.wait(43)) == []
    assert stuck(fleet.wait(2)) == [(LIST, Reason.CEREMONY)]


def test_what_was_asked_for_and_never_came_back_ends_when_the_published_one_does(
    table: Table,
) -> None:
    fleet = table.fleet
    (before,) = (life for life in lifetimes(fleet.world()) if life.address == LIST)
    fleet.wait(91)
    table.export()
    assert asked(fleet) == [(Action.BLOCKED, True)]
    (after,) = (life for life in lifetimes(fleet.world()) if life.address == LIST)
    assert after == before, "who looks for it sees the published one"
    assert stuck(fleet.wait(45)) == [(LIST, Reason.CEREMONY)]
    table.hold()
    fleet.converge()
    assert stuck(fleet) == []


def test_a_revocation_waits_for_nothing(table: Table) -> None:
    fleet = table.fleet
    fleet.wait(91).compromise("mid").apply()
    assert stuck(fleet) == [(LIST, Reason.CEREMONY)]
    table.export()
    (step,) = (c for c in fleet.plan().changes if c.address == LIST)
    assert step.message.startswith("1 revoked since the last one")
    assert stuck(fleet) == [(LIST, Reason.CEREMONY)]


def test_so_it_is_with_a_ca_below_that_is_renewed_by_a_ceremony(table: Table) -> None:
    fleet = table.fleet
    mid = fleet.journal.state.authorities["mid"].issued(1)
    assert mid is not None
    waits = ("authority/mid", Reason.CEREMONY)
    notice = fleet.desired().authorities["mid"].renew_before
    fleet.now = mid.not_after - notice * 0.8
    found = {c.address: c for c in fleet.plan().changes if c.action is Action.BLOCKED}
    assert (found["authority/mid"].address, found["authority/mid"].reason) == waits
    assert waits not in [(s.address, s.reason) for s in obstacles(fleet.plan())]
    fleet.now = mid.not_after - notice * 0.4
    assert waits in [(s.address, s.reason) for s in obstacles(fleet.plan())]


def told(fleet: Fleet) -> bool:
    """Whether `drift` tells of the list."""
    return LIST in [row.address for row in drift(fleet.world(), fleet.plan()).differences]


def test_drift_says_of_it_that_it_is_due_and_not_late(table: Table) -> None:
    fleet = table.fleet
    assert not told(fleet.wait(91))
    assert drift(fleet.world(), fleet.plan()).due >= 1
    assert told(fleet.wait(46))
