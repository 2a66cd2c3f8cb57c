"""What waits for a quota longer than a certificate lives is issued all the same, without another review."""

from datetime import datetime

from limited_ca import LimitedFleet, acme
from limited_sights import DAY, DUE, issued, leaf

from schemas.quotas import IssuerQuotas, Quota, Renewals

MONTHLY = IssuerQuotas(certificates=Quota(most=1, window=30 * DAY), renewals=Renewals.EXEMPT)


def waiting(number: int) -> LimitedFleet:
    """New certificates of 90 days, of which a month has room for one."""
    leaves = {f"n{i}": leaf(f"n{i}.example.com") for i in range(number)}
    fleet = LimitedFleet(leaves=leaves, issuers={"le": acme(quotas=MONTHLY)})
    for name in leaves:
        fleet.edit(name, days=90, renew_before=30)
    fleet.apply()
    return fleet


def test_what_waits_longer_than_it_would_live_is_issued_by_time_alone() -> None:
    fleet = waiting(5)
    reserved = {r.name: r.issuances[-1] for r in fleet.journal.state.certificates.values()}
    first = dict[str, datetime]()
    for _ in range(40):
        fleet.wait(4).apply(DUE)
        for name in issued(fleet):
            first.setdefault(name, fleet.now)
    late = {name for name, moment in first.items() if moment >= reserved[name].not_after}
    assert (len(first), len(late)) == (5, 2)


def test_what_waited_longer_than_it_would_live_has_its_key_and_new_dates() -> None:
    fleet = waiting(2)
    (before,) = (r.pending for r in fleet.journal.state.certificates.values() if r.pending)
    fleet.wait(99).apply(DUE)
    after = fleet.current("n1")
    assert after.spki == before.spki
    assert after.not_after > fleet.now + 89 * DAY
    held = {name for keys in fleet.journal.keys.values() for name in keys}
    assert held == {fleet.current("n0").name, after.name}
