"""Serial numbers and dates, chosen before anything is signed."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from providers import x509

NOW = datetime(2026, 11, 24, 3, 0, 0, 999999, tzinfo=UTC)
DAY = 86400


def test_serials_are_random_positive_and_of_one_length() -> None:
    serials = [x509.new_serial() for _ in range(1000)]
    assert len(set(serials)) == 1000
    assert {int(serial, 16).bit_length() for serial in serials} == {159}
    assert all(serial == f"{int(serial, 16):x}" for serial in serials)


def test_every_random_bit_of_a_serial_moves() -> None:
    ones = zeros = 0
    for _ in range(200):
        number = int(x509.new_serial(), 16)
        ones |= number
        zeros |= ~number
    assert ones == (1 << 159) - 1
    assert zeros & ((1 << 158) - 1) == (1 << 158) - 1


@pytest.mark.parametrize("days", [1, 47, 90, 200, 398, 3650])
def test_a_lifetime_counts_both_ends(days: int) -> None:
    start, end = x509.validity(NOW, days * DAY)
    assert end - start == timedelta(days=days) - timedelta(seconds=1)
    assert start == datetime(2026, 11, 24, 2, 55, tzinfo=UTC)
    assert end.tzinfo is UTC
    assert not end.microsecond


def test_the_zone_of_now_does_not_matter() -> None:
    there = NOW.astimezone(timezone(timedelta(hours=-7)))
    assert x509.validity(there, DAY) == x509.validity(NOW, DAY)


def test_dates_stay_inside_the_issuers() -> None:
    first, last = NOW.replace(microsecond=0) - timedelta(minutes=1), NOW + timedelta(days=3)
    last = last.replace(microsecond=0)
    start, end = x509.validity(NOW, 90 * DAY, not_before_limit=first, not_after_limit=last)
    assert (start, end) == (first, last)
    start, end = x509.validity(NOW, DAY, not_before_limit=first, not_after_limit=last)
    assert end == first + timedelta(seconds=DAY - 1)


@pytest.mark.parametrize("gone", [timedelta(seconds=-1), timedelta()])
def test_nothing_is_made_that_has_ended(gone: timedelta) -> None:
    with pytest.raises(ValueError, match="end before it is made"):
        x509.validity(NOW, 90 * DAY, not_after_limit=NOW + gone)
    with pytest.raises(ValueError, match="end before it is made"):
        x509.validity(NOW, 60)


def test_leap_days_are_days() -> None:
    start, end = x509.validity(datetime(2028, 2, 28, 12, tzinfo=UTC), 2 * DAY)
    assert end == datetime(2028, 3, 1, 11, 54, 59, tzinfo=UTC)
    assert start == datetime(2028, 2, 28, 11, 55, tzinfo=UTC)
