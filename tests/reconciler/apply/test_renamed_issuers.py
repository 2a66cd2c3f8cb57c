"""What was spent at a CA counts there, whatever its Issuers are called by now."""

from datetime import timedelta

import pytest
from fleet_documents import Leaf
from limited_ca import SERVER, LimitedFleet, acme
from limited_sights import DAY, ended, leaf

from schemas.quotas import IssuerQuotas, Quota

OTHER = "https://other.example/directory"


def renamed(server: str, window: timedelta, days: float) -> LimitedFleet:
    """A fleet with one certificate, whose Issuer is called otherwise some days later, and a new one."""
    quotas = IssuerQuotas(orders=Quota(most=1, window=window))
    leaves = {"a": leaf("a.example.com")}
    fleet = LimitedFleet(leaves=leaves, issuers={"le": acme(quotas=quotas)})
    fleet.converge().wait(days)
    fleet.issuers = {"new-name": acme(server, quotas)}
    fleet.leaves = {"b": leaf("b.example.com", issuer="new-name")}
    return fleet


@pytest.mark.parametrize(("server", "waits"), [(SERVER, True), (OTHER, False)])
def test_what_was_spent_under_a_former_name_counts_at_the_same_server_alone(
    server: str, *, waits: bool
) -> None:
    fleet = renamed(server, 7 * DAY, 1)
    assert ("waits until" in ended(fleet)["certificate/b"]) is waits


def test_what_was_spent_under_a_former_name_is_kept_as_long_as_a_quota_looks_back() -> None:
    fleet = renamed(SERVER, 40 * DAY, 20)
    fleet.issuers["else"] = acme(OTHER, IssuerQuotas(orders=Quota(most=9, window=DAY)))
    fleet.leaves["c"] = Leaf("else", (), ("c.example.com",))
    assert "waits until" in ended(fleet)["certificate/b"]
    assert {name for name, _ in fleet.journal.state.spending} == {"le", "else"}
    fleet.wait(25)
    assert ended(fleet)["certificate/b"] == ""
    assert ("le", "2026-01-01") not in fleet.journal.state.spending


def test_an_issuer_that_moves_to_another_server_begins_another_page() -> None:
    fleet = renamed(SERVER, DAY, 2)
    fleet.issuers["le"] = fleet.issuers.pop("new-name")
    fleet.leaves = {"b": leaf("b.example.com")}
    fleet.converge()
    fleet.issuers["le"] = acme(OTHER, IssuerQuotas(orders=Quota(most=9, window=DAY)))
    fleet.leaves = {"c": leaf("c.example.com")}
    fleet.converge()
    pages = {day: record.ca for (_, day), record in fleet.journal.state.spending.items()}
    assert pages == {"2026-01-01": SERVER, "2026-01-03": SERVER, "2026-01-03.001": OTHER}
