"""The guard: how much may change at once, and which clock is believed."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

import pytest
from fleet import Fleet
from fleet_documents import Leaf, at

from reconciler.guard import guard
from schemas.plan import Action, Change, Reason
from schemas.project import GuardSettings


@pytest.fixture(scope="module")
def ledgers() -> Mapping[int, Fleet]:
    """Mapping[int, Fleet] with nine, ten and a hundred certificates."""
    return {
        n: Fleet(leaves={f"c{i}": Leaf(targets=at("a")) for i in range(n)}).converge()
        for n in (9, 10, 100)
    }


def steps(number: int, action: Action, reason: Reason, suffix: str = "") -> list[Change]:
    return [
        Change(address=f"certificate/c{n}{suffix}", action=action, reason=reason, message="")
        for n in range(number)
    ]


def refused(
    fleet: Fleet, changes: Sequence[Change], later: timedelta = timedelta(), **options: Any
) -> list[str]:
    settings = options.pop("settings", GuardSettings())
    found = guard(changes, settings, fleet.journal.state, fleet.now + later, **options)
    return [d.summary for d in found]


KINDS = {
    "removed": (Action.REMOVE, Reason.ORPHANED, "@a"),
    "revoked": (Action.REVOKE, Reason.REQUESTED, "#77"),
    "replaced": (Action.ISSUE, Reason.SPEC_CHANGED, ""),
    "expired by this clock": (Action.ISSUE, Reason.EXPIRED, ""),
}


@pytest.mark.parametrize("words", KINDS)
def test_more_than_a_share_is_refused_from_ten_certificates_up(
    ledgers: Mapping[int, Fleet], words: str
) -> None:
    kind = KINDS[words]
    summary = "{} of {} certificates would be " + words + ", more than 30%"
    assert refused(ledgers[10], steps(3, *kind)) == []
    assert refused(ledgers[10], steps(4, *kind)) == [summary.format(4, 10)]
    assert refused(ledgers[100], steps(30, *kind)) == []
    assert refused(ledgers[100], steps(31, *kind)) == [summary.format(31, 100)]
    assert refused(ledgers[9], steps(9, *kind)) == []


def test_what_places_issue_by_themselves_is_replaced_too(ledgers: Mapping[int, Fleet]) -> None:
    asked = steps(4, Action.INSTALL, Reason.SPEC_CHANGED, "@a")
    assert refused(ledgers[10], asked) == ["4 of 10 certificates would be replaced, more than 30%"]
    assert refused(ledgers[10], steps(10, Action.INSTALL, Reason.SUPERSEDED, "@a")) == []


def test_the_clock_comes_first_with_a_hint_of_its_own(ledgers: Mapping[int, Fleet]) -> None:
    fleet = ledgers[10]
    many = [*steps(10, *KINDS["removed"]), *steps(10, *KINDS["expired by this clock"])]
    found = guard(many, GuardSettings(), fleet.journal.state, fleet.now + timedelta(days=500))
    about = ["this clock says", "expired by this clock", "would be removed"]
    assert all(words in d.summary for words, d in zip(about, found, strict=True))
    assert [d.hint.startswith("set the clock") for d in found] == [True, True, False]


def test_it_can_be_lifted_and_set(ledgers: Mapping[int, Fleet]) -> None:
    many = steps(10, *KINDS["removed"])
    assert refused(ledgers[10], many, mass=True) == []
    strict = GuardSettings.model_validate({"maxChange": "5%", "from": "1"})
    assert len(refused(ledgers[9], steps(1, *KINDS["revoked"]), settings=strict)) == 1


def test_several_targets_of_one_certificate_count_once(ledgers: Mapping[int, Fleet]) -> None:
    many = [s for suffix in ("@a", "@b") for s in steps(3, Action.REMOVE, Reason.ORPHANED, suffix)]
    assert refused(ledgers[10], many) == []


def test_new_certificates_are_never_too_many(ledgers: Mapping[int, Fleet]) -> None:
    assert refused(ledgers[10], steps(500, Action.ISSUE, Reason.NOT_FOUND)) == []


def test_the_nightly_renewals_are_never_too_many(ledgers: Mapping[int, Fleet]) -> None:
    assert refused(ledgers[100], steps(100, Action.ISSUE, Reason.RENEWING)) == []


def test_a_clock_far_ahead_is_refused_until_it_is_said_to_be_right(
    ledgers: Mapping[int, Fleet],
) -> None:
    fleet = ledgers[9]
    assert refused(fleet, [], timedelta(days=400)) == []
    assert len(refused(fleet, [], timedelta(days=401))) == 1
    assert refused(fleet, [], timedelta(days=401), mass=True) == []


@pytest.mark.parametrize("mass", [True, False])
def test_a_clock_before_the_ledgers_is_refused_whatever_is_planned(
    ledgers: Mapping[int, Fleet], mass: bool
) -> None:
    fleet = ledgers[10]
    assert refused(fleet, [], timedelta(minutes=-5), mass=mass) == []
    (summary,) = refused(fleet, [], timedelta(minutes=-5, seconds=-1), mass=mass)
    assert summary == (
        "this clock says 2025-12-31T23:54:59Z, the ledger was last written at 2026-01-01T00:00:00Z"
    )
