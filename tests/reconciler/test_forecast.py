"""What lies ahead, counted by hand where that can be done, and held to what a real year brings."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from fleet import Fleet
from fleet_documents import Leaf
from paper_fleet import DAY, NOW, Paper, Sheet, authority, company, with_records

from reconciler.forecast import AuthorityEvent, Forecast, forecast
from reconciler.leads import time_left
from reconciler.ledger.records import CertificateRecord
from reconciler.limits import Limit, Limits
from reconciler.regimes import Regime, Step, required, steps_of
from reconciler.schedule import fraction
from schemas.certificate import Rollout
from schemas.plan import Action, Source
from schemas.policy import Baseline

BASELINE = steps_of(Baseline.CABF_TLS)
EVERY_47 = Regime("47d", (Step(date.min, 47 * DAY),))


def ahead(paper: Paper, weeks: int = 52, *regimes: Regime) -> Forecast:
    return forecast(paper.desired, paper.ledger, NOW, weeks=weeks, regimes=regimes)


def one(days: int = 90, target: str = "nginx") -> Paper:
    return company(Sheet("web", "services", 1, days, (target,)))


def leaves(found: Forecast, series: int = 0) -> int:
    """The issuances that are not CAs'."""
    return found.series[series].total - len(found.authorities)


def test_a_year_of_one_certificate_has_as_many_renewals_as_its_life_and_its_lead_say() -> None:
    paper = one(days=90)
    name, desired = next(iter(paper.desired.certificates.items()))
    left = time_left(desired.renew_before, 90 * DAY)
    period = 90 * DAY - left * (1 + 0.2 * fraction(name))
    fresh = CertificateRecord(name=name)
    found = ahead(with_records(paper, {name: fresh}))
    end = 52 * 7 * DAY - timedelta(days=NOW.weekday(), hours=NOW.hour)
    assert leaves(found) == end // period + 1
    assert found.series[0].issuers["services"][0] == 1  # what was never issued is issued at once


def test_a_real_year_of_nights_brings_as_many_issuances_as_were_foretold() -> None:
    fleet = Fleet(leaves={f"web{n}": Leaf(days=20, renew_before=6) for n in range(12)}).converge()
    fleet.wait(1)
    weeks = 8
    told = forecast(fleet.desired(), fleet.journal.state, fleet.now, weeks=weeks)
    monday = fleet.now - timedelta(days=fleet.now.weekday())
    issued = 0
    while fleet.now < monday + weeks * 7 * DAY:
        issued += sum(c.action is Action.ISSUE for c in fleet.plan().changes)
        fleet.apply()
        fleet.wait(0.25)
    assert abs(issued - leaves(told)) <= 12  # a renewal more or less each: its serial was not known
    assert issued > 30


def test_weeks_begin_on_mondays_and_the_current_one_is_the_first() -> None:
    found = ahead(one(), 3)
    assert found.weeks == (date(2026, 11, 23), date(2026, 11, 30), date(2026, 12, 7))


def test_an_edit_that_is_not_applied_yet_is_issued_now_unless_it_waits_for_the_renewal() -> None:
    paper = one()
    name, desired = next(iter(paper.desired.certificates.items()))
    edited = replace(
        desired,
        digest="f" * 32,
        request=desired.request.model_copy(update={"dns_names": ("other.example.com",)}),
    )
    first = []
    for rollout in Rollout:
        wanted = {name: replace(edited, rollout=rollout)}
        changed = Paper(replace(paper.desired, certificates=wanted), paper.ledger)
        first.append(ahead(changed).series[0].issuers["services"][0])
    assert first == [1, 0]


def test_a_dated_step_binds_from_its_day_on_and_only_whom_it_names() -> None:
    paper = company(Sheet("web", "services", 2, 300, ("nginx",)))
    free, bound = sorted(paper.desired.certificates)
    regime = Regime("baseline", BASELINE, frozenset({bound}))
    found = ahead(paper, 208, regime)
    alone = ahead(
        Paper(
            replace(paper.desired, certificates={free: paper.desired.certificates[free]}),
            paper.ledger,
        ),
        208,
    )
    gained = leaves(found, 1) - leaves(found)
    assert gained > 10
    assert leaves(found) < 2 * leaves(alone) + 2
    before = (date(2027, 3, 15) - found.begins).days // 7
    assert found.series[0].weeks[:before] == found.series[1].weeks[:before]


def test_a_short_life_keeps_at_least_half_of_itself_for_the_renewal() -> None:
    limit = Regime("6d", (Step(date.min, 6 * DAY),))
    found = ahead(one(), 52, limit)
    assert leaves(found, 1) > 363 / 3.1


def test_a_quota_of_imports_is_told_with_the_month_from_which_on_it_does_not_suffice() -> None:
    paper = company(Sheet("shop", "web", 500, 200, ("acm/eu-west-1",)))
    regime = Regime("public", BASELINE)
    found = ahead(paper, 200, regime)
    (written,), (public,) = (series.quotas for series in found.series)
    assert written.exceeded is None
    assert 0 < written.most < 2_000
    assert public.limit == 5_000
    assert public.exceeded is not None
    assert public.exceeded.date() > date(2029, 6, 1)
    assert public.most > 5_000


def test_what_was_imported_within_the_last_year_counts_too() -> None:
    paper = company(Sheet("shop", "web", 10, 200, ("acm/eu-west-1",)))
    (quota,) = ahead(paper, 1).series[0].quotas
    assert quota.most == 10


def test_a_ca_falls_due_before_its_end_and_one_below_an_offline_root_takes_a_ceremony() -> None:
    found = ahead(company(), 60)
    told = {(event.address, event.ceremony) for event in found.authorities}
    assert told == {
        ("authority/services", True),
        ("authority/web", True),
        ("authority/devices", False),
    }


def test_a_retired_ca_is_not_renewed() -> None:
    paper = company()
    cas = {name: replace(ca, retired=True) for name, ca in paper.desired.authorities.items()}
    assert ahead(Paper(replace(paper.desired, authorities=cas), paper.ledger)).authorities == ()


def test_a_ca_that_was_never_issued_is_issued_now() -> None:
    paper = company()
    new = authority("new", "services", 700)
    cas = {**paper.desired.authorities, "new": new}
    found = ahead(Paper(replace(paper.desired, authorities=cas), paper.ledger))
    assert AuthorityEvent(NOW, "authority/new") in found.authorities


def test_ten_thousand_certificates_are_foretold_for_three_years() -> None:
    paper = company(Sheet("a", "services", 10_000, 47, ("nginx",)))
    found = ahead(paper, 156, EVERY_47)
    assert found.series[0].weeks == found.series[1].weeks
    assert leaves(found) > 340_000


@pytest.mark.parametrize("weeks", [1, 52])
def test_nothing_is_foretold_of_nothing(weeks: int) -> None:
    paper = one()
    empty = replace(paper.desired, certificates={}, authorities={})
    found = ahead(Paper(empty, paper.ledger), weeks)
    assert found.series[0].weeks == (0,) * weeks
    assert len(found.weeks) == weeks


def test_a_policy_with_a_baseline_has_a_series_of_its_own_for_whom_it_binds() -> None:
    paper = company(Sheet("web", "services", 3, 300, ("nginx",)))
    first, *others = sorted(paper.desired.certificates)
    here = Source(file="config/policies.yaml")
    limits = Limits((Limit("browsers", here, here, baseline=Baseline.CABF_TLS),))
    bound = replace(paper.desired.certificates[first], limits=limits)
    desired = replace(paper.desired, certificates={**paper.desired.certificates, first: bound})
    (regime,) = required(desired, NOW)
    assert regime.label == "as cabf-tls has it: 100d from 2027-03-15 and 47d from 2029-03-15"
    assert regime.bounds(first) == BASELINE
    assert regime.bounds(others[0]) == ()
    (late,) = required(desired, NOW + 1000 * DAY)
    assert late.label == "as cabf-tls has it: 47d"
    assert list(required(paper.desired, NOW)) == []


def test_whom_a_policy_excuses_it_binds_from_the_day_on_that_ends_that() -> None:
    paper = one(days=365)
    (name,) = paper.desired.certificates
    here = Source(file="config/policies.yaml")
    day = datetime(2028, 1, 1, tzinfo=UTC)
    excused = Limit("public", here, here, baseline=Baseline.CABF_TLS, until=day, reason="old tills")
    for dated, bound in (
        ((excused,), [(date(2028, 1, 1), 100), (date(2029, 3, 15), 47)]),
        ((excused, replace(excused, until=None)), [(s.since, s.longest.days) for s in BASELINE]),
    ):
        limited = replace(paper.desired.certificates[name], limits=Limits(dated))
        (regime,) = required(replace(paper.desired, certificates={name: limited}), NOW)
        assert [(step.since, step.longest.days) for step in regime.bounds(name)] == bound
