"""When a CA asks for a renewal: the moment it comes to, whom is asked about what, and what is kept of it."""

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from advising_ca import DAY, Adviser, advised_fleet, asking, public_ca
from fleet import Fleet
from hypothesis import given
from hypothesis import strategies as st

from providers.issuing import Advice
from reconciler.advice import Question, advised, between, merged, questions, renewal, unanswered
from reconciler.leads import Lead, Share
from reconciler.ledger.issuing import AdviceRecord, Advised
from reconciler.ledger.records import CertificateRecord, Issuance
from reconciler.schedule import latest_renewal, life_of, renewal_time
from reconciler.state import Desired
from schemas.acme import RenewalInformation

START = datetime(2026, 12, 1, tzinfo=UTC)
MOMENTS = st.datetimes(timezones=st.just(UTC))
LEADS: st.SearchStrategy[Lead] = st.one_of(
    st.builds(Share),
    st.builds(Share, st.integers(1, 99)),
    st.timedeltas(timedelta(hours=1), timedelta(days=500)),
)


@pytest.fixture(scope="module")
def issued() -> CertificateRecord:
    fleet, _, _ = advised_fleet()
    record = fleet.journal.state.certificates["web0"]
    (first,) = record.issuances
    first = first.model_copy(update={"issued_at": first.not_before})
    return record.model_copy(update={"issuances": (first,)})


def window(issuance: Issuance, start: datetime, end: datetime) -> Advised:
    return Advised(serial=issuance.serial, ask_again=START, start=start, end=end)


def life(record: CertificateRecord, days: float, serial: str = "5e") -> CertificateRecord:
    """A certificate that lives so long, as the only one of its name."""
    (first,) = record.issuances
    end = first.not_before + timedelta(days=days)
    again = first.model_copy(update={"not_after": end, "serial": serial})
    return record.model_copy(update={"issuances": (again,)})


@given(
    start=MOMENTS,
    end=MOMENTS,
    days=st.floats(0.5, 400),
    lead=LEADS,
    serial=st.integers(1, 2**64).map("{:x}".format),
)
def test_whatever_a_ca_says_a_renewal_is_after_a_tenth_of_its_life_or_a_day_and_in_time(
    issued: CertificateRecord,
    start: datetime,
    end: datetime,
    days: float,
    lead: Lead,
    serial: str,
) -> None:
    record = life(issued, days, serial)
    (current,) = record.issuances
    found = renewal(record, current, lead, window(current, start, max(start, end)))
    earliest = current.not_before + min(life_of(current) * 0.0999, DAY)
    rounded = timedelta(microseconds=1)  # a tenth from the start may be nine tenths from the end
    latest = latest_renewal(current, lead)
    assert earliest <= found.at <= latest + rounded
    assert latest < current.not_after
    assert found.pulled == (found.at < latest_renewal(current, lead))


@given(fraction=st.floats(0, 1), length=st.timedeltas(timedelta(seconds=1), timedelta(days=5)))
def test_it_is_within_the_window_where_that_is_before_renew_before(
    issued: CertificateRecord, fraction: float, length: timedelta
) -> None:
    (current,) = issued.issuances
    room = latest_renewal(current, Share()) - length - (current.not_before + DAY)
    start = current.not_before + DAY + room * fraction
    found = renewal(issued, current, Share(), window(current, start, start + length))
    assert start <= found.at <= start + length


def test_ten_thousand_windows_of_two_days_are_spread_over_two_days(
    issued: CertificateRecord,
) -> None:
    (current,) = issued.issuances
    start = current.not_before + 50 * DAY
    many = (current.model_copy(update={"serial": f"{n:x}"}) for n in range(10_000))
    found = [renewal(issued, each, Share(), window(each, start, start + 2 * DAY)) for each in many]
    hours = Counter((each.at - start) // timedelta(hours=1) for each in found)
    assert sorted(hours) == list(range(48))
    assert max(hours.values()) < 10_000 * 1.4 / 48


def test_without_a_window_its_life_says_when(issued: CertificateRecord) -> None:
    (current,) = issued.issuances
    silent = Advised(serial=current.serial, ask_again=START)
    for said in (None, silent):
        assert renewal(issued, current, Share(), said).at == renewal_time(current, Share())


def test_a_ca_puts_a_renewal_off_until_renew_before_and_no_further(
    issued: CertificateRecord,
) -> None:
    (current,) = issued.issuances
    late = current.not_after - DAY
    found = renewal(issued, current, Share(), window(current, late, late + timedelta(hours=1)))
    assert found.at == current.not_after - life_of(current) / 3
    assert not found.pulled


def test_a_second_early_renewal_in_a_row_waits_for_a_tenth_of_the_life() -> None:
    fleet, adviser, _ = advised_fleet()
    fleet.wait(5)
    adviser.recall()
    adviser.since = datetime(9999, 1, 1, tzinfo=UTC)  # what is issued from now on, too
    moments = []
    for _ in range(40):
        before = fleet.current("web0").serial
        found = asking(fleet)
        if found.wave:
            fleet.journal.write(found.wave)
        fleet.apply()
        if fleet.current("web0").serial != before:
            moments.append(fleet.now)
        fleet.wait(1)
    pauses = [b - a for a, b in pairwise(moments)]
    assert len(moments) == 5
    assert min(pauses) >= 9 * DAY - timedelta(hours=2)


@pytest.mark.parametrize("asks", [True, False])
def test_a_ca_that_has_certificates_begin_long_ago_gets_none_renewed_in_every_run(
    issued: CertificateRecord, asks: bool
) -> None:
    (current,) = issued.issuances
    came = current.not_before + 61 * DAY
    stale = current.model_copy(update={"issued_at": came, "not_after": came + 29 * DAY})
    record = issued.model_copy(update={"issuances": (stale,)})
    at_once = window(stale, stale.not_before, stale.not_before + DAY) if asks else None
    found = renewal(record, stale, Share(), at_once)
    assert came + timedelta(hours=23) < found.at <= came + 3 * DAY
    again = stale.model_copy(update={"serial": "6e", "reserved_at": found.at})
    again = again.model_copy(update={"issued_at": found.at, "not_after": found.at + 29 * DAY})
    both = issued.model_copy(update={"issuances": (stale, again)})
    follows = renewal(both, again, Share(), at_once)
    assert follows.at >= found.at + timedelta(days=2.8)


def said(fleet: Fleet, *, issuers: Desired | None = None) -> list[str]:
    """Name the serials that would be asked about now."""
    desired = issuers or fleet.desired()
    every = tuple(desired.issuers.values())
    asked = questions(fleet.desired(), fleet.journal.state, fleet.now, every)
    return [question.issuance.serial for question in asked]


def test_only_what_is_in_use_is_asked_about() -> None:
    fleet, _, _ = advised_fleet(4)
    assert len(said(fleet)) == 4
    old = fleet.current("web0").serial
    fleet.replace = frozenset({"certificate/web0"})
    fleet.apply()
    assert old not in said(fleet)
    assert fleet.current("web0").serial in said(fleet)
    gone = fleet.current("web1").serial
    del fleet.leaves["web1"]
    assert gone not in said(fleet)
    fleet.rename("web2", "shop")
    assert len(said(fleet)) == 3
    fleet.wait(91)
    assert said(fleet) == []


def test_neither_our_own_nor_another_ca_nor_one_that_is_not_to_be_asked_is() -> None:
    fleet, _, _ = advised_fleet()
    ours = Fleet(leaves=dict(advised_fleet()[0].leaves))
    ours.edit("web0", issuer="root", lead=None).converge()
    assert said(ours) == []
    fleet.issuers["le"] = public_ca(RenewalInformation.NONE)
    assert said(fleet) == []
    fleet.issuers["le"] = public_ca(server="https://other.example/dir")
    assert said(fleet) == []


def test_nobody_is_asked_again_before_the_time_that_was_told() -> None:
    fleet, adviser, _ = advised_fleet(2)
    wave = asking(fleet).wave
    assert wave is not None
    fleet.journal.write(wave)
    assert said(fleet) == []
    fleet.wait(adviser.again / DAY)
    fleet.now += timedelta(minutes=1)
    assert len(said(fleet)) == 2


def test_a_time_that_a_wrong_clock_wrote_does_not_silence_a_ca_for_years() -> None:
    fleet, _, _ = advised_fleet()
    far = Advised(serial=fleet.current("web0").serial, ask_again=fleet.now + 365 * DAY)
    state = fleet.journal.state
    fleet.journal.state = replace(
        state, advice={"le": AdviceRecord(issuer="le", certificates=(far,))}
    )
    assert len(said(fleet)) == 1


@pytest.mark.parametrize(
    ("again", "kept"),
    [
        (timedelta(days=-3), timedelta(minutes=1)),
        (timedelta(seconds=1), timedelta(minutes=1)),
        (timedelta(hours=6), timedelta(hours=6)),
        (timedelta(days=900), timedelta(days=1)),
    ],
)
def test_how_soon_it_is_asked_again_has_bounds(
    issued: CertificateRecord, again: timedelta, kept: timedelta
) -> None:
    (current,) = issued.issuances
    question = Question(next(iter(advised_fleet()[0].desired().issuers.values())), current)
    found = advised(question, Advice(START + again, START, START + DAY), START)
    assert kept <= found.ask_again - START <= kept + timedelta(minutes=1)
    silent = unanswered(question, START + again, START)
    assert silent.start is None
    assert silent.ask_again == found.ask_again


@pytest.mark.parametrize(
    "page",
    [
        "http://ca.example/why",
        "javascript:alert(1)",
        "https://ca.example/\x1b[31m",
        "https://ca.example/ two",
        "https://ca.example/" + "x" * 300,
        "https://cä.example/",
        "",
    ],
)
def test_an_address_that_cannot_be_shown_is_not_kept(issued: CertificateRecord, page: str) -> None:
    (current,) = issued.issuances
    question = Question(next(iter(advised_fleet()[0].desired().issuers.values())), current)
    answer = Advice(START + DAY, START, START + DAY, page)
    assert advised(question, answer, START).explanation is None
    good = replace(answer, explanation="https://ca.example/why?x=1")
    assert advised(question, good, START).explanation == "https://ca.example/why?x=1"


def test_what_is_out_of_use_and_whose_issuer_is_gone_is_not_kept() -> None:
    fleet, _, _ = advised_fleet(2)
    wave = asking(fleet).wave
    assert wave is not None
    fleet.journal.write(wave)
    del fleet.leaves["web1"]
    (kept,) = merged(fleet.desired(), fleet.journal.state, {}).values()
    assert [each.serial for each in kept.certificates] == [fleet.current("web0").serial]
    fleet.issuers["le"] = public_ca(RenewalInformation.NONE)
    assert merged(fleet.desired(), fleet.journal.state, {}) == {}


def test_what_a_ca_advised_is_forgotten_with_its_issuer_when_something_is_written_anyway() -> None:
    fleet, _, _ = advised_fleet()
    wave = asking(fleet).wave
    assert wave is not None
    fleet.journal.write(wave)
    assert "le" in fleet.journal.state.advice
    fleet.edit("web0", issuer="root", lead=None)
    del fleet.issuers["le"]
    fleet.converge()
    assert fleet.journal.state.advice == {}


def test_a_window_is_told_by_its_days_or_its_moments() -> None:
    start = datetime(2026, 12, 1, 8, tzinfo=UTC)
    long = Advised(serial="5e", ask_again=START, start=start, end=start + 2 * DAY)
    short = long.model_copy(update={"end": start + timedelta(hours=3)})
    assert between(long) == "from 2026-12-01 to 2026-12-03"
    assert between(short) == "from 2026-12-01T08:00:00Z to 2026-12-01T11:00:00Z"


def test_the_usual_window_of_a_ca_is_kept_to() -> None:
    fleet, adviser, _ = advised_fleet()
    assert isinstance(adviser, Adviser)
    found = asking(fleet).world
    current = fleet.current("web0")
    moment = found.renewal(found.desired.certificates["web0"], current)
    usual = current.not_before + life_of(current) * 2 / 3
    assert usual - DAY <= moment.at <= usual


def test_certificates_that_a_ca_never_answers_about_do_not_always_come_first() -> None:
    fleet, _, _ = advised_fleet(6)
    first = set()
    for _ in range(24):
        first.add(said(fleet)[0])
        fleet.now += timedelta(hours=1)
    assert len(first) > 1
