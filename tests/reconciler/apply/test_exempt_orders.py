"""Renewals that a CA counts for less than other orders: what it asked for, and what is for the same names."""

from dataclasses import replace

import pytest
from limited_ca import LimitedFleet, LimitedIssuer
from limited_sights import DAY, ended, entries, three
from memory_ledger import Crash

from providers.issuing import Issued, IssueRequest, Pending
from reconciler.ledger.issuing import AdviceRecord, Advised
from reconciler.selection import Selection
from schemas.quotas import IssuerQuotas, Quota, Renewals


def advise(fleet: LimitedFleet, *names: str, window: bool = True) -> None:
    """Let the CA have given advice about certificates, or nothing but a time to ask again."""
    start, end = (fleet.now + 24 * DAY, fleet.now + 25 * DAY) if window else (None, None)
    told = tuple(
        Advised(
            serial=fleet.current(name).serial, ask_again=fleet.now + 99 * DAY, start=start, end=end
        )
        for name in names
    )
    advice = {"le": AdviceRecord(issuer="le", certificates=told)}
    fleet.journal.state = replace(fleet.journal.state, advice=advice)


NINE = IssuerQuotas(orders=Quota(most=9, window=99 * DAY), renewals=Renewals.EXEMPT)
EXEMPT = IssuerQuotas(same_names=Quota(most=1, window=99 * DAY), renewals=Renewals.EXEMPT)


def test_what_replaces_a_certificate_as_its_ca_wishes_counts_for_nothing() -> None:
    fleet = three(EXEMPT)
    fleet.converge()
    advise(fleet, "a", "b", "c")
    old = {fleet.current(name).serial for name in ("a", "b", "c")}
    fleet.wait(25).converge()
    assert {spent.replaces for spent in entries(fleet) if spent.replaces} == old
    assert all(order.exempt for order in list(fleet.ca.orders.values())[3:])


@pytest.mark.parametrize("renewals", Renewals)
def test_what_its_ca_wants_renewed_counts_where_it_exempts_none_or_gave_no_window(
    renewals: Renewals,
) -> None:
    fleet = three(EXEMPT.model_copy(update={"renewals": renewals}))
    fleet.converge()
    advise(fleet, "a", "b", "c", window=renewals is Renewals.COUNTED)
    fleet.wait(25)
    assert all("1 certificate for the same" in why for why in ended(fleet).values())
    assert [spent.replaces for spent in entries(fleet)] == [None] * 3


def test_what_its_ca_does_not_let_replace_another_counts_before_it_is_ordered() -> None:
    """A run that dies as soon as the CA has taken the order has it written down."""

    class Dying(LimitedIssuer):
        def issue(self, request: IssueRequest, /) -> Issued | Pending:
            assert request.replaces is not None
            self.ca.replaced.add(request.replaces)  # by somebody who was quicker
            self.ca.order(request)
            raise Crash

    fleet = three(NINE)
    fleet.converge()
    advise(fleet, "a")
    fleet.leaves, fleet.door = {"a": fleet.leaves["a"]}, Dying
    with pytest.raises(Crash):
        fleet.wait(25).apply(Selection(("certificate/a",)))
    assert [spent.replaces for spent in entries(fleet)] == [None] * 4


def test_an_order_that_got_lost_replaces_nothing_a_second_time() -> None:
    fleet = three(NINE)
    fleet.converge()
    advise(fleet, "a")
    fleet.leaves = {"a": fleet.leaves["a"]}
    fleet.wait(25).journal.crash_at = 2
    with pytest.raises(Crash):
        fleet.apply(Selection(("certificate/a",)))
    fleet.journal.crash_at = None
    fleet.apply(Selection(("certificate/a",)))
    assert [spent.replaces is None for spent in entries(fleet)[3:]] == [False, True]


@pytest.mark.parametrize("renewals", Renewals)
def test_where_renewals_are_exempt_they_count_for_their_names_alone(renewals: Renewals) -> None:
    quotas = IssuerQuotas(orders=Quota(most=3, window=99 * DAY), renewals=renewals)
    fleet = three(quotas)
    fleet.converge().wait(25)
    waits = [message for message in ended(fleet).values() if message]
    assert len(waits) == (3 if renewals is Renewals.COUNTED else 0)
