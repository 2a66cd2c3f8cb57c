"""Fingerprints travel by check runs: whole, or not at all."""

from collections.abc import Callable, Iterable
from dataclasses import replace

import pytest
from actions_run import RUN

from reconciler.github.checks import (
    PlanCheck,
    Reader,
    apply_check_name,
    plan_check_name,
    plan_checks,
    shown,
)
from reconciler.github.forge import ACTIONS, Check, NewCheck
from reconciler.github.run import PullRequest, Run
from schemas.base import digest

LABEL = "prod"
PULL = PullRequest(number=7, head="b" * 40, base="c" * 40, onto="main", foreign=False)


def fingerprints(number: int) -> list[str]:
    return [digest(place) for place in range(number)]


def planned(number: int, run: Run = RUN, conclusion: str = "success") -> tuple[NewCheck, ...]:
    found = fingerprints(number)
    plan = PlanCheck(
        label=LABEL,
        sha="b" * 40,
        conclusion=conclusion,
        title="1 to issue",
        summary="...",
        pull=PULL.number,
        onto=PULL.onto,
        base="c" * 40,
        digest=digest(found),
        fingerprints=found,
    )
    return plan_checks(plan, run)


def made(checks: Iterable[NewCheck], app: str = ACTIONS) -> list[Check]:
    """Return what GitHub would list, newest first."""
    return [
        Check(place, c.name, app, c.external_id, c.conclusion, c.title, c.text, "")
        for place, c in reversed(list(enumerate(checks)))
    ]


def reading(checks: Iterable[Check]) -> Reader:
    return lambda name: [check for check in checks if check.name == name]


def test_plan_and_apply_have_check_runs_of_their_own() -> None:
    assert plan_check_name(LABEL) == "certform plan (prod)"
    assert apply_check_name(LABEL) == "certform apply (prod)"


@pytest.mark.parametrize("number", [0, 1, 2_800, 2_801, 10_000])
def test_every_fingerprint_is_read_back(number: int) -> None:
    checks = planned(number)
    assert shown(reading(made(checks)), LABEL, PULL) == frozenset(fingerprints(number))


def test_every_page_is_within_what_github_takes_and_the_one_with_the_name_is_made_last() -> None:
    checks = planned(6_000)
    assert [c.name for c in checks] == [
        "certform plan (prod), page 2",
        "certform plan (prod), page 3",
        "certform plan (prod)",
    ]
    assert all(len(c.text) < 65_535 for c in checks)
    assert len({c.external_id for c in checks}) == 1


def test_a_text_whose_line_ends_were_changed_is_read() -> None:
    checks = [replace(c, text=c.text.replace("\n", "\r\n") + "\r\n") for c in planned(3)]
    assert shown(reading(made(checks)), LABEL, PULL) == frozenset(fingerprints(3))


def test_another_app_shows_nothing_and_hides_nothing() -> None:
    forged = made(planned(5), app="somebody")
    assert shown(reading(forged), LABEL, PULL) is None
    assert shown(reading([*forged, *made(planned(2))]), LABEL, PULL) == frozenset(fingerprints(2))


def test_the_newest_plan_counts_even_when_it_failed() -> None:
    older, newer = made(planned(3)), made(planned(1))
    assert shown(reading([*newer, *older]), LABEL, PULL) == frozenset(fingerprints(1))
    failed = PlanCheck(LABEL, "b" * 40, "failure", "3 errors", "...", PULL.number, PULL.onto)
    assert shown(reading([*made(plan_checks(failed, RUN)), *older]), LABEL, PULL) is None


def test_a_plan_onto_another_branch_shows_nothing_and_hides_nothing() -> None:
    turned = replace(PULL, onto="release")
    assert shown(reading(made(planned(3))), LABEL, turned) is None
    failed = PlanCheck(LABEL, "b" * 40, "failure", "3 errors", "...", PULL.number, "release")
    newer = made(plan_checks(failed, RUN))
    assert shown(reading([*newer, *made(planned(3))]), LABEL, PULL) == frozenset(fingerprints(3))


def test_pages_of_another_run_do_not_fill_in() -> None:
    this = [c for c in made(planned(3_000)) if "page" not in c.name]
    other = [c for c in made(planned(3_000, replace(RUN, attempt="2"))) if "page" in c.name]
    assert shown(reading([*this, *other]), LABEL, PULL) is None
    assert shown(reading(made(planned(3_000))), LABEL, PULL) is not None


Damage = Callable[[str], str]


@pytest.mark.parametrize(
    "damage",
    [
        lambda text: text[:0],
        lambda text: text[:1],
        lambda text: text.partition("\n")[2],
        lambda text: text.rpartition("\n")[0],
        lambda text: text + text[text.rindex("\n") :],
        lambda text: f"{text}\nnot base64!",
        lambda text: text.replace('"v": 1', '"v": 2'),
        lambda text: text.replace('"pages": 1', '"pages": 2'),
        lambda text: text.replace('"pages": 1', '"pages": 1000000'),
        lambda text: text.replace('"pages": 1', '"pages": "1"'),
        lambda text: text.replace('"count": 3', '"count": 2'),
        lambda text: "[" * 100_000 + text,
    ],
    ids=range(12),
)
def test_what_does_not_hold_together_shows_nothing(damage: Damage) -> None:
    (check,) = made(planned(3))
    assert shown(reading([replace(check, text=damage(check.text))]), LABEL, PULL) is None


def test_swapped_fingerprints_show_nothing() -> None:
    (check,) = made(planned(3))
    header, first, second, third = check.text.split("\n")
    swapped = replace(check, text=f"{header}\n{second}\n{first}\n{third}")
    assert shown(reading([swapped]), LABEL, PULL) is None
