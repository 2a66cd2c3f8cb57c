"""Renewal times: spread, always the same, never too late and never at once."""

from collections import Counter
from datetime import timedelta

import pytest
from fleet import Fleet
from fleet_documents import START, Leaf

from reconciler.ledger.records import Issuance
from reconciler.schedule import SPREAD, crl_refresh_time, fraction, renewal_time


@pytest.fixture(scope="module")
def issuance() -> Issuance:
    return Fleet(leaves={"web": Leaf(days=90)}).converge().current("web")


def of(issuance: Issuance, serial: str, days: float = 90) -> Issuance:
    end = issuance.not_before + timedelta(days=days)
    return issuance.model_copy(update={"serial": serial, "not_after": end})


def test_ten_thousand_certificates_of_one_day_fall_due_over_six(issuance: Issuance) -> None:
    before = timedelta(days=30)
    times = [renewal_time(of(issuance, f"{n:x}"), before) for n in range(10_000)]
    days = Counter((issuance.not_before + timedelta(days=60) - moment).days for moment in times)
    assert sorted(days) == [0, 1, 2, 3, 4, 5]
    assert max(days.values()) < 10_000 * 1.1 / 6


@pytest.mark.parametrize("days", [1, 7, 30, 90, 398])
@pytest.mark.parametrize("share", [0.01, 1 / 3, 0.5, 0.8, 0.9, 0.99])
def test_it_is_within_the_window_and_never_in_the_first_tenth_of_a_life(
    issuance: Issuance, days: int, share: float
) -> None:
    life = timedelta(days=days)
    for n in range(50):
        it = of(issuance, f"{n:x}", days)
        moment = renewal_time(it, life * share)
        assert moment <= max(it.not_after - life * share, it.not_before + life * 0.1)
        assert moment >= it.not_after - life * share * (1 + SPREAD)
        assert moment >= it.not_before + life * 0.0999


def test_it_depends_on_the_serial_alone(issuance: Issuance) -> None:
    before = timedelta(days=30)
    assert renewal_time(issuance, before) == renewal_time(issuance.model_copy(), before)
    assert fraction("77e10") == fraction("77e10") == pytest.approx(0.139, abs=0.001)


def test_a_crl_is_signed_anew_at_half_its_life() -> None:
    assert crl_refresh_time(START, START + timedelta(days=7)) == START + timedelta(days=3.5)
