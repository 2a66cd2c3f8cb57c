"""How long before its end a certificate is renewed: by the life that it has, where its CA decides that."""

from datetime import timedelta

import pytest
from advising_ca import DAY, advised_fleet
from fleet import Fleet
from fleet_documents import Leaf
from fleet_sights import reasons
from hypothesis import given
from hypothesis import strategies as st

from reconciler.diff import plan_warnings
from reconciler.forecast import forecast
from reconciler.leads import LATEST_OF_OTHERS, Share, told
from reconciler.schedule import SPREAD, life_of, renewal_time
from schemas.plan import Action, Reason

HOUR = timedelta(hours=1)
LIVES = st.timedeltas(min_value=timedelta(hours=1), max_value=timedelta(days=400))
SHARES = st.one_of(
    st.builds(Share),
    st.builds(Share, st.integers(1, 99)),
    st.builds(Share, st.none(), st.timedeltas(HOUR, timedelta(days=400))),
)


@pytest.mark.parametrize(
    ("share", "life", "left"),
    [
        (Share(), 90 * DAY, 30 * DAY),
        (Share(), 45 * DAY, 15 * DAY),
        (Share(), 160 * HOUR, 80 * HOUR),
        (Share(20), 45 * DAY, 9 * DAY),
        (Share(asked=30 * DAY), 90 * DAY, 30 * DAY),
        (Share(asked=30 * DAY), 45 * DAY, 30 * DAY),
        (Share(asked=30 * DAY), 160 * HOUR, 80 * HOUR),
        (Share(asked=6 * DAY), 160 * HOUR, 80 * HOUR),
    ],
)
def test_what_is_left_of_a_life_follows_the_life_that_it_is(
    share: Share, life: timedelta, left: timedelta
) -> None:
    assert share.of(life) == left


@given(SHARES, LIVES)
def test_no_life_is_too_short_to_be_lived_for_a_third(share: Share, life: timedelta) -> None:
    fleet_life = min(share.of(life) * (1 + SPREAD), life * LATEST_OF_OTHERS)
    assert timedelta() < fleet_life <= life * 2 / 3


def test_it_is_told_in_the_words_of_a_document() -> None:
    assert told(30 * DAY) == "30d" == told(Share(asked=30 * DAY))
    assert told(Share(20)) == "20% of its life"
    assert told(Share()) == "a third of its life, half where it lives 10d or less"


@pytest.mark.parametrize("days", [90, 45, 160 / 24])
def test_a_certificate_is_renewed_by_the_life_that_its_ca_gave_it(days: float) -> None:
    fleet, _, desk = advised_fleet(days=days)
    desk.advice = None
    current = fleet.current("web0")
    life = life_of(current)
    left = life / (2 if days < 10 else 3)
    moment = renewal_time(current, Share())
    assert left <= current.not_after - moment <= left * 1.2
    fleet.now = moment - HOUR
    assert reasons(fleet.plan(), "certificate/web0") == {}
    fleet.now = moment
    assert reasons(fleet.plan(), "certificate/web0") == {Action.ISSUE: Reason.RENEWING}


def test_certificates_of_160_hours_stay_below_five_a_week() -> None:
    fleet, _, desk = advised_fleet(days=160 / 24)
    desk.advice = None
    fleet.edit("web0", lead=Share(asked=30 * DAY))
    for _ in range(4 * 7 * 4):
        fleet.wait(0.25).apply()
    assert 7 <= desk.calls["issue"] <= 4 * 3


def test_a_renew_before_that_does_not_fit_is_told_where_it_is_written() -> None:
    fleet, _, _ = advised_fleet(3, days=160 / 24)
    fleet.edit("web0", lead=Share(asked=30 * DAY)).edit("web1", lead=Share(asked=20 * DAY))
    (found,) = plan_warnings(fleet.world(), ())
    assert "renewal 30d before the end does not fit the life of 6d" in found.summary
    assert found.summary.endswith("that le gave certificate/web0, and 1 more of le")
    assert "it is renewed 3d before the end" in found.hint
    assert found.source is not None


def test_a_forecast_counts_with_the_life_that_the_ca_gave() -> None:
    short, _, _ = advised_fleet(days=45)
    long, _, _ = advised_fleet(days=90)
    totals = [
        forecast(each.desired(), each.journal.state, each.now, weeks=52).series[0].total
        for each in (short, long)
    ]
    assert totals[0] == pytest.approx(365 / 29, abs=2)
    assert totals[1] == pytest.approx(365 / 58, abs=2)


def test_what_a_ca_of_ours_issues_is_renewed_as_it_was_asked_for() -> None:
    fleet = Fleet(leaves={"web": Leaf(days=90, renew_before=30)}).converge()
    current = fleet.current("web")
    assert 30 * DAY <= current.not_after - renewal_time(current, 30 * DAY) <= 36 * DAY
