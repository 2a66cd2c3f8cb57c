"""A reviewed edit whose CA does not answer goes on at night, until the old certificate has to be renewed."""

import pytest
from limited_ca import LimitedFleet, LimitedIssuer, acme
from limited_sights import DUE, ended, leaf

from providers.errors import ProviderError, Rejected, Throttled, Transient
from providers.issuing import Issued, IssueRequest, Pending
from schemas.quotas import IssuerQuotas

EDITED = "edited.example.com"


def edited(*failures: ProviderError) -> LimitedFleet:
    """A certificate of 30 days with an edit that was applied; orders for that fail one after the other."""
    left = list(failures)

    class Failing(LimitedIssuer):
        def issue(self, request: IssueRequest, /) -> Issued | Pending:
            if left and EDITED in request.request.dns_names:
                raise left.pop(0)
            return super().issue(request)

    leaves = {"a": leaf("a.example.com")}
    fleet = LimitedFleet(leaves=leaves, issuers={"le": acme(quotas=IssuerQuotas())})
    fleet.converge().edit("a", names=(EDITED,))
    fleet.door = Failing
    assert ended(fleet)["certificate/a"] == str(failures[0])
    fleet.pinned = True
    return fleet


def night(fleet: LimitedFleet, days: int) -> dict[str, str]:
    """How the certificates of a nightly run end, some days later."""
    fleet.wait(days)
    return ended(fleet, DUE)


@pytest.mark.parametrize("failure", [Transient("503"), Throttled("later", retry_after=60)])
def test_a_ca_that_did_not_answer_undoes_no_edit(failure: ProviderError) -> None:
    fleet = edited(failure)
    assert night(fleet, 1) == {"certificate/a": ""}
    assert fleet.ca.sold[-1][0] == EDITED


@pytest.mark.parametrize("last", [Rejected("no such name"), Transient("503")])
def test_a_ca_that_said_no_undoes_an_edit_whatever_it_says_then(last: ProviderError) -> None:
    failures = (Transient("503"), Rejected("no such name"), last)
    fleet = edited(*failures)
    fleet.pinned = False
    for failure in failures[1:]:
        fleet.wait(1)
        assert ended(fleet)["certificate/a"] == str(failure)
    fleet.pinned = True
    assert night(fleet, 1) == {}
    assert night(fleet, 22) == {"certificate/a": ""}
    assert fleet.ca.sold[-1][0] == "a.example.com"


def test_a_ca_that_is_away_for_weeks_lets_no_certificate_end() -> None:
    fleet = edited(*(Transient("503") for _ in range(99)))
    end = fleet.current("a").not_after
    while fleet.now < end and len(fleet.ca.sold) == 1:
        fleet.wait(1).apply(DUE)
    assert [names for names, _ in fleet.ca.sold] == ["a.example.com"] * 2
    assert fleet.ca.sold[1][1] < end
