"""Very many certificates at once, at a CA with limits: what it refuses, and how long it takes."""

import os
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import cast

import pytest
from fleet_documents import Leaf
from limited_ca import LimitedFleet, acme
from memory_ledger import MemoryJournal
from token_buckets import DOMAIN, ORDERS, beyond

from providers.secret import Secret
from providers.x509 import pem
from reconciler.ledger.contract import Wave
from reconciler.ledger.issuing import AdviceRecord, Advised
from reconciler.ledger.records import CertificateRecord
from reconciler.selection import Selection
from schemas.plan import IssuerReport
from schemas.quotas import LETS_ENCRYPT, IssuerQuotas, Renewals

FULL = bool(os.environ.get("CERTFORM_FULL_SWEEP"))
MANY, SOME = (10_000, 1000) if FULL else (1000, 600)
"""How many are renewed at once, and how many where that counts: some more than a CA allows in three hours."""
DUE = Selection(due_only=True)
HOUR = timedelta(hours=1)


class LightJournal(MemoryJournal):
    """A ledger that judges nothing and copies nothing, for thousands of waves over thousands of records."""

    def write(self, wave: Wave, /) -> None:
        self.waves += 1
        certificates = cast("dict[str, CertificateRecord]", self.state.certificates)
        certificates.update({record.name: record for record in wave.certificates})
        if wave.bundle is not None:
            self.keys[wave.bundle] = dict(wave.new_keys)
        spending = {k: r for k, r in self.state.spending.items() if k not in wave.gone_spending}
        self.state = replace(
            self.state,
            tip=f"{self.waves:040x}",
            tip_time=self.clock(),
            spending={**spending, **{record.key: record for record in wave.spending}},
        )

    def leaf_keys(self, serials: Sequence[str], /) -> dict[str, Secret]:
        every = {serial: key for keys in self.keys.values() for serial, key in keys.items()}
        return {serial: every[serial] for serial in serials if serial in every}


def fleet_of(leaves: dict[str, Leaf], quotas: IssuerQuotas | None = None) -> LimitedFleet:
    fleet = LimitedFleet(cas={}, leaves=leaves, issuers={"le": acme(quotas=quotas)}, targets=())
    fleet.journal = LightJournal.empty(fleet.journal.state.lineage, fleet.clock)
    return fleet


def report(fleet: LimitedFleet) -> IssuerReport:
    (found,) = fleet.plan().issuers
    return found


def last_issue(fleet: LimitedFleet) -> datetime:
    return max(moment for _, moment in fleet.ca.sold)


def named(number: int, domain: str) -> dict[str, Leaf]:
    """New certificates that are not renewed before they are all there."""
    return {
        f"n{i}": Leaf("le", (), (domain.format(i),), days=300, renew_before=30)
        for i in range(number)
    }


@pytest.mark.parametrize(
    ("domain", "step", "due"),
    [
        ("www.d{}.example", HOUR, timedelta(hours=9)),
        ("n{}.example.com", timedelta(days=3, hours=12), timedelta(weeks=22)),
    ],
    ids=["of a thousand domains", "of one domain"],
)
def test_a_thousand_new_certificates_are_issued_as_fast_as_the_ca_allows(
    domain: str, step: timedelta, due: timedelta
) -> None:
    fleet = fleet_of(named(1000, domain))
    start, told = fleet.now, report(fleet)
    assert (told.orders, told.now + told.waits) == (1000, 1000)
    assert told.done_by == start + due
    fleet.apply()
    while fleet.now < start + due:
        fleet.now += step
        fleet.apply(DUE)
    assert fleet.ca.buckets.refusals == []
    assert len(fleet.ca.sold) == 1000
    assert last_issue(fleet) == told.done_by
    domains = [(".".join(name.split(".")[-2:]), moment) for name, moment in fleet.ca.sold]
    assert [*beyond(fleet.ca.asked, ORDERS), *beyond(domains, DOMAIN)] == []


def issued(number: int, quotas: IssuerQuotas) -> LimitedFleet:
    """Certificates that a CA has issued at once, some days ago: one really, the others as if it had."""
    leaves = {f"n{i}": Leaf("le", (), (f"n{i}.d{i}.example",), days=30) for i in range(number)}
    fleet = fleet_of({"n0": leaves["n0"]}, quotas)
    fleet.apply()
    fleet.leaves, real = leaves, fleet.current("n0")
    certificates = cast("dict[str, CertificateRecord]", fleet.journal.state.certificates)
    for name, desired in fleet.desired().certificates.items():
        update = {
            "serial": f"{name[1:]:0>20}",
            "certificate": pem(name.encode()).decode(),
            "request": desired.request,
            "digest": desired.digest,
        }
        issuance = real.model_copy(update=update)
        certificates[name] = CertificateRecord(name=name, issuances=(issuance,))
        fleet.ca.buckets.issued[desired.request.dns_names] = fleet.now
    fleet.ca.sold.clear()
    fleet.ca.asked.clear()
    fleet.wait(5)
    return fleet


def hurry(fleet: LimitedFleet) -> None:
    """Let the CA want everything renewed by yesterday."""
    records = fleet.journal.state.certificates.values()
    day = timedelta(days=1)
    advised = tuple(
        Advised(
            serial=current.serial,
            ask_again=fleet.now + 90 * day,
            start=fleet.now - 2 * day,
            end=fleet.now - day,
        )
        for record in records
        if (current := record.current)
    )
    advice = AdviceRecord(issuer="le", certificates=advised)
    fleet.journal.state = replace(fleet.journal.state, advice={"le": advice})


def test_when_a_ca_wants_all_renewed_at_once_and_is_down_for_a_day_all_are_in_time() -> None:
    fleet = issued(MANY, LETS_ENCRYPT)
    hurry(fleet)
    old = {name: fleet.current(name).serial for name in fleet.leaves}
    fleet.ca.down, back = True, fleet.now + timedelta(days=1)
    while fleet.now < back:
        fleet.apply(DUE)
        fleet.now += 6 * HOUR
    assert 0 < fleet.ca.knocks <= 4 * 3  # three in a row say that nobody is there
    fleet.ca.down = False
    while len(fleet.ca.sold) < MANY and fleet.now < back + timedelta(days=3):
        fleet.apply(DUE)
        fleet.now += 6 * HOUR
    assert fleet.ca.buckets.refusals == []
    assert all(fleet.current(name).serial != serial for name, serial in old.items())
    assert list(beyond(fleet.ca.asked, ORDERS)) == []
    assert fleet.plan().changes == ()


def test_where_renewals_count_they_are_spread_and_what_ends_first_goes_first() -> None:
    """Hundreds fall due within two days: a CA that exempts nothing is asked for 270 in three hours."""
    counted = LETS_ENCRYPT.model_copy(update={"renewals": Renewals.COUNTED})
    fleet = issued(SOME, counted)
    fleet.ca.buckets.renewals_exempt = False
    fleet.wait(15)
    for _ in range(24 * 5):
        fleet.apply(DUE)
        fleet.now += HOUR
    assert fleet.ca.buckets.refusals == []
    assert len(fleet.ca.sold) == SOME
    assert list(beyond(fleet.ca.asked, ORDERS)) == []
