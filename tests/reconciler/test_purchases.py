"""Which orders go first at a CA that has no room for all of them."""

from collections.abc import Mapping
from datetime import timedelta

import pytest
from advising_ca import DAY, advised_fleet
from fleet import Fleet

from reconciler.ledger.issuing import Advised
from reconciler.ledger.records import CertificateRecord, Status
from reconciler.purchases import Rank, rank
from reconciler.schedule import latest_renewal, renewal_time

NOBODY: Mapping[str, Advised] = {}


@pytest.fixture(scope="module")
def fleet() -> Fleet:
    return advised_fleet()[0]


def ranked(
    fleet: Fleet,
    record: CertificateRecord,
    days: float,
    advice: Mapping[str, Advised] = NOBODY,
) -> Rank:
    """How urgent an order is, so many days after its certificate was issued."""
    now = fleet.now + timedelta(days=days)
    return rank(fleet.desired().certificates["web0"], record, advice, now)


def record(fleet: Fleet) -> CertificateRecord:
    return fleet.journal.state.certificates["web0"]


def new(fleet: Fleet, waits_since: float | None = None) -> CertificateRecord:
    """One that was never issued, and waits since so many days perhaps."""
    if waits_since is None:
        return CertificateRecord(name="web0")
    (issued,) = record(fleet).issuances
    fresh = {"certificate": None, "sha256": None, "issued_at": None, "order": None}
    begun = fleet.now + timedelta(days=waits_since)
    reserved = issued.model_copy(
        update={"status": Status.RESERVED, "reserved_at": begun, "not_before": begun, **fresh}
    )
    return CertificateRecord(name="web0", issuances=(reserved,))


def asked(fleet: Fleet, start: float, end: float) -> Mapping[str, Advised]:
    """A CA that wants it renewed between two days of its life."""
    serial, now = fleet.current("web0").serial, fleet.now
    first, last = now + timedelta(days=start), now + timedelta(days=end)
    return {serial: Advised(serial=serial, ask_again=now, start=first, end=last)}


def test_what_a_ca_is_about_to_revoke_goes_before_what_is_new_and_an_early_renewal_after(
    fleet: Fleet,
) -> None:
    unissued = ranked(fleet, new(fleet), 30)
    assert ranked(fleet, record(fleet), 30, asked(fleet, 10, 29)) < unissued
    early = asked(fleet, 29, 29 + 1000 * 365)
    assert ranked(fleet, record(fleet), 30, early) > unissued


def test_within_its_window_a_renewal_has_time_and_in_the_late_half_it_has_none(
    fleet: Fleet,
) -> None:
    window = asked(fleet, 30, 34)
    kinds = [ranked(fleet, record(fleet), 29.9 + hour / 24, window)[0] for hour in range(100)]
    assert kinds == sorted(kinds, reverse=True)
    assert (kinds[0], kinds[-1]) == (3, 1)


def test_what_expires_tomorrow_goes_before_what_its_ca_asks_for(fleet: Fleet) -> None:
    current = fleet.current("web0")
    left = (current.not_after - fleet.now) / DAY
    expiring = ranked(fleet, record(fleet), left - 1)
    longer = current.model_copy(update={"not_after": current.not_after + 30 * DAY})
    other = record(fleet).model_copy(update={"issuances": (longer,)})
    recalled = ranked(fleet, other, left - 1, asked(fleet, 10, 11))
    assert expiring < recalled < ranked(fleet, new(fleet), left - 1)


def test_without_advice_the_late_half_begins_halfway_to_its_end(fleet: Fleet) -> None:
    current = fleet.current("web0")
    lead = fleet.desired().certificates["web0"].renew_before
    due = (renewal_time(current, lead) - fleet.now) / DAY
    half = (current.not_after - latest_renewal(current, lead)) / DAY / 2
    assert ranked(fleet, record(fleet), due + 1)[0] == 3
    assert ranked(fleet, record(fleet), due + half * 1.3)[0] == 1


def test_among_what_is_new_that_goes_first_which_waits_longest(fleet: Fleet) -> None:
    """Whatever its name is: others that come each day do not keep it waiting."""
    waits = ranked(fleet, new(fleet, waits_since=3), 10)
    assert waits < ranked(fleet, new(fleet, waits_since=4), 10) < ranked(fleet, new(fleet), 10)
