"""CAs are asked side by side, within bounds, and only those that are trusted; no failure stops a run."""

import logging
import threading
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import ClassVar

import pytest
from advising_ca import DAY, PAGE, Adviser, advised_fleet, asking, night, public_ca
from fleet import Fleet
from fleet_sights import named, reasons, shown

from providers.errors import MissingExtra, ProviderError, Throttled, Unreachable
from providers.issuing import Advice, Issued, Issuer, IssuerConfig, IssueRequest, Pending
from reconciler.advising import AT_ONCE, ENOUGH, FAILURES, Asking, advise, opener
from reconciler.boundary import reached_issuers
from reconciler.diff import plan_warnings
from reconciler.explain import explain
from reconciler.guard import guard
from reconciler.inventory import inventory
from reconciler.ledger import layout
from reconciler.ledger.issuing import AdviceRecord
from reconciler.planning import make_plan
from reconciler.render.explanation import render_explanation
from reconciler.render.inventory import row_data
from reconciler.render.markdown import render_markdown
from reconciler.render.text import render_text
from schemas.acme import RenewalInformation
from schemas.issuer import REQUEST_FIELDS
from schemas.plan import Action, Reason


def test_a_night_asks_about_each_certificate_once_and_records_it_in_one_wave() -> None:
    fleet, adviser, _ = advised_fleet(40)
    waves = fleet.journal.waves
    night(fleet)
    serials = [fleet.current(f"web{n}").serial for n in range(40)]
    (record,) = fleet.journal.state.advice.values()
    assert sorted(adviser.asked) == sorted(serials)
    assert [each.serial for each in record.certificates] == sorted(serials)
    assert fleet.journal.waves == waves + 1
    assert night(fleet).wave is None
    assert fleet.journal.waves == waves + 1
    assert len(adviser.asked) == 40


def test_when_a_mass_revocation_is_near_one_night_replaces_what_was_issued_before() -> None:
    fleet, adviser, _ = advised_fleet(30)
    fleet.wait(5)
    night(fleet)
    assert shown(fleet.plan()) == []
    adviser.recall()
    fleet.wait(1)
    before = {n: fleet.current(f"web{n}").serial for n in range(30)}
    asked = asking(fleet)
    plan = make_plan(asked.world)
    issues = [step for step in plan.changes if step.action is Action.ISSUE]
    assert len(issues) == 30
    assert all(step.due and step.reason is Reason.RENEWING for step in issues)
    assert guard(plan.changes, asked.world.desired.guard, asked.world.ledger, fleet.now) == ()
    (told,) = plan_warnings(asked.world, plan.changes)
    assert told.summary == "le asks for 30 of 30 certificates to be renewed early"
    assert told.detail == PAGE
    night(fleet)
    assert all(fleet.current(f"web{n}").serial != serial for n, serial in before.items())
    for _ in range(3):
        fleet.wait(1)
        night(fleet)
    assert shown(fleet.plan()) == []
    assert len(fleet.desk("le").orders) == 60


def test_a_renewal_that_a_ca_asks_for_says_so_in_every_form() -> None:
    fleet, adviser, _ = advised_fleet()
    fleet.wait(5)
    adviser.recall("https://ca.example/[why]?a=<b>&x=`y`")
    world = asking(fleet).world
    step = named(make_plan(world), Action.ISSUE, "certificate/web0")
    assert step.message.startswith("its CA asks for it from 2025-01-24 to 2025-01-26")
    assert step.message.endswith("(https://ca.example/[why]?a=<b>&x=`y`)")
    assert step.message in render_text(make_plan(world), colour=False)
    markdown = render_markdown(make_plan(world))
    assert "<b>" not in markdown.split("```")[0]
    about = explain(world, "certificate/web0")
    assert about is not None
    assert "its CA asks for it from 2025-01-24 to 2025-01-26" in render_explanation(about)
    assert 'renewBefore = "a third of its life' in render_explanation(about)
    row = next(r for r in inventory(world, make_plan(world).changes) if r.name == "web0")
    assert row.status == "due"
    assert row_data(row)["renewal_window"] == {
        "start": "2025-01-24T23:54:59Z",
        "end": "2025-01-26T23:54:59Z",
        "explanation": "https://ca.example/[why]?a=<b>&x=`y`",
    }


def test_a_renewal_in_its_usual_time_is_told_as_any_other() -> None:
    fleet, _, _ = advised_fleet()
    night(fleet)
    fleet.wait(61)
    step = named(fleet.plan(), Action.ISSUE, "certificate/web0")
    assert step.message in ("28 days left", "29 days left")


def test_advice_that_documents_do_not_listen_to_any_more_counts_for_nothing() -> None:
    fleet, adviser, _ = advised_fleet()
    fleet.wait(5)
    adviser.recall()
    wave = asking(fleet).wave
    assert wave is not None
    fleet.journal.write(wave)
    assert reasons(fleet.plan(), "certificate/web0") == {Action.ISSUE: Reason.RENEWING}
    fleet.issuers["le"] = public_ca(RenewalInformation.NONE)
    assert reasons(fleet.plan(), "certificate/web0") == {}


def test_a_renewal_that_a_ca_asks_for_needs_no_review_but_an_edit_that_comes_with_it_does() -> None:
    fleet, adviser, _ = advised_fleet()
    fleet.wait(5)
    fleet.base = fleet.desired()
    adviser.recall()
    world = asking(fleet).world
    assert named(make_plan(world), Action.ISSUE, "certificate/web0").due
    fleet.edit("web0", names=("other.example.com",))
    assert not named(make_plan(asking(fleet).world), Action.ISSUE, "certificate/web0").due


@pytest.mark.parametrize(
    "failure",
    [Unreachable("gone"), Throttled("later", retry_after=7200), MissingExtra("acme", "x")],
)
def test_a_ca_that_does_not_answer_stops_nothing_and_what_it_said_before_still_counts(
    failure: ProviderError,
) -> None:
    fleet, adviser, desk = advised_fleet(3)
    fleet.wait(5)
    adviser.recall()
    wave = asking(fleet).wave
    assert wave is not None
    fleet.journal.write(wave)
    fleet.wait(0.5)
    desk.failures = [failure] * 3
    found = asking(fleet)
    (remark,) = found.remarks
    assert "le did not say when it wants 3 of 3 certificates renewed" in remark.summary
    assert remark.detail == str(failure)
    (record,) = found.records
    assert {each.ask_again - fleet.now for each in record.certificates} == {
        timedelta(hours=6, minutes=1)
    }
    renewed = [c for c in make_plan(found.world).changes if c.action is Action.ISSUE]
    assert len(renewed) == 3


def test_a_ca_that_is_down_is_not_asked_ten_thousand_times() -> None:
    fleet, _, desk = advised_fleet(4 * AT_ONCE)
    desk.failures = [Unreachable("gone")] * (8 * AT_ONCE)
    found = asking(fleet)
    assert desk.calls["advise"] < 2 * FAILURES + 1
    (record,) = found.records
    assert len(record.certificates) == 4 * AT_ONCE
    assert all(each.start is None for each in record.certificates)
    desk.failures = []
    assert asking(replace_ledger(fleet, found.world.ledger.advice)).asked == 0


def replace_ledger(fleet: Fleet, advice: Mapping[str, AdviceRecord]) -> Fleet:
    fleet.journal.state = replace(fleet.journal.state, advice=advice)
    return fleet


def test_a_few_failures_among_many_answers_are_theirs_alone() -> None:
    fleet, _, desk = advised_fleet(2 * AT_ONCE)
    desk.failures = [Unreachable("gone")] * 5
    (record,) = asking(fleet).records
    assert sum(each.start is None for each in record.certificates) == 5
    assert desk.calls["advise"] == 2 * AT_ONCE


def test_a_window_that_is_none_leaves_what_was_said_before() -> None:
    fleet, _, desk = advised_fleet()
    night(fleet)
    before = next(iter(fleet.journal.state.advice.values())).certificates[0]
    fleet.wait(1)
    desk.advice = lambda _: Advice(fleet.now + DAY, fleet.now, fleet.now - DAY)
    (record,) = asking(fleet).records
    assert (record.certificates[0].start, record.certificates[0].end) == (before.start, before.end)
    assert record.certificates[0].ask_again > before.ask_again


@pytest.mark.parametrize(
    ("year", "hours"), [(1, 14), (1, -14), (9999, -14), (9999, 14), (1900, 0), (2100, 0)]
)
def test_a_window_at_an_end_of_the_calendar_is_none(year: int, hours: int) -> None:
    fleet, _, desk = advised_fleet()
    start = datetime(year, 12, 31 if year == 9999 else 1, tzinfo=timezone(timedelta(hours=hours)))
    desk.advice = lambda _: Advice(fleet.now + DAY, start, start + timedelta(hours=1))
    (record,) = asking(fleet).records
    assert record.certificates[0].start is None
    assert layout.encode(record)
    night(fleet)


def test_a_ca_that_gives_no_advice_at_all_is_asked_once_and_nothing_is_written() -> None:
    fleet, _, desk = advised_fleet(2 * AT_ONCE)
    desk.advice = lambda _: None
    found = asking(fleet)
    assert found.wave is None
    assert found.remarks == ()
    assert desk.calls["advise"] <= 16


@dataclass
class Plain:
    """An issuer without any such ability."""

    honours: ClassVar[frozenset[str]] = REQUEST_FIELDS

    @classmethod
    def from_config(cls, _config: IssuerConfig, /) -> "Plain":
        return cls()

    def issue(self, _request: IssueRequest, /) -> Issued | Pending:
        raise AssertionError


def test_an_issuer_that_cannot_be_asked_is_not() -> None:
    fleet, _, _ = advised_fleet()
    world = fleet.world()
    issuers = reached_issuers(world.desired, None)
    found = advise(world, issuers, Asking(opener(Plain.from_config, world, Path())))
    assert (found.wave, found.remarks) == (None, ())


def test_a_slow_ca_is_left_for_the_next_run_which_begins_with_what_was_not_asked() -> None:
    fleet, adviser, _ = advised_fleet(3 * AT_ONCE)
    world, seconds = fleet.world(), iter([0.0, 0.0, *([ENOUGH + 1] * 9)])
    made = opener(fleet.ask, world, Path())
    issuers = reached_issuers(world.desired, None)
    found = advise(world, issuers, Asking(made, clock=lambda: next(seconds)))
    assert len(adviser.asked) == AT_ONCE
    assert found.wave is not None
    fleet.journal.write(found.wave)
    asking(fleet)
    assert len(adviser.asked) == len(set(adviser.asked)) == 3 * AT_ONCE


def test_a_signal_is_seen_between_two_batches_and_no_thread_is_left() -> None:
    fleet, adviser, _ = advised_fleet(3 * AT_ONCE)
    world = fleet.world()

    def stop() -> None:
        raise KeyboardInterrupt

    issuers = reached_issuers(world.desired, None)
    before = threading.active_count()
    with pytest.raises(KeyboardInterrupt):
        advise(world, issuers, Asking(opener(fleet.ask, world, Path()), stop))
    assert len(adviser.asked) == AT_ONCE
    assert threading.active_count() == before


def test_no_secret_is_opened_to_ask() -> None:
    fleet, adviser, _ = advised_fleet()
    configs: list[IssuerConfig] = []

    def made(config: IssuerConfig) -> Issuer:
        configs.append(config)
        return fleet.ask(config)

    world = fleet.world()
    advise(world, reached_issuers(world.desired, None), Asking(opener(made, world, Path())))
    (reference,) = configs[0].spec.secrets
    with pytest.raises(ProviderError, match="nobody here opens"):
        configs[0].secret(reference)
    assert len(adviser.asked) == 1


def test_nothing_a_ca_says_reaches_a_log(caplog: pytest.LogCaptureFixture) -> None:
    fleet, adviser, _ = advised_fleet()
    adviser.page = PAGE
    with caplog.at_level(logging.DEBUG):
        night(fleet)
    assert PAGE not in caplog.text


def test_three_hundred_nights_renew_each_certificate_once_in_two_thirds_of_its_life() -> None:
    fleet, adviser, desk = advised_fleet(2, days=45)
    assert isinstance(adviser, Adviser)
    for _ in range(300):
        fleet.wait(1)
        night(fleet)
    assert desk.calls["issue"] == pytest.approx(2 * 300 / 30, abs=4)
