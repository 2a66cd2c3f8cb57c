"""Which plans count as reviewed, of all that came to a branch since it was applied last."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from github_emulator import ACTIONS, GitHub
from github_rig import forge_at, run_of
from github_state import Pull

from reconciler.errors import Refused
from reconciler.github.checks import PlanCheck, apply_check_name, plan_check_name, plan_checks
from reconciler.github.history import MOST, Stretch, overtaken, unapplied
from reconciler.github.reviews import reviews
from schemas.base import digest

LABEL = "prod"
APPLY = apply_check_name(LABEL)


@pytest.fixture
def github(tmp_path: Path) -> Iterator[GitHub]:
    with GitHub.running(tmp_path) as github:
        first = github.commit({"README": "0"})
        github.add_check(first, APPLY)
        yield github


def fingerprints(count: int, seed: int = 0) -> list[str]:
    return [f"{number + seed * 1_000_000:032x}" for number in range(count)]


def show(
    github: GitHub, pull: Pull, shown: Sequence[str], *, app: str = ACTIONS, leave_out: int = -1
) -> None:
    plan = PlanCheck(
        label=LABEL,
        sha=pull.head,
        conclusion="success",
        title="",
        summary="",
        pull=pull.number,
        onto=pull.onto,
        digest=digest(list(shown)),
        fingerprints=shown,
    )
    for place, check in enumerate(plan_checks(plan, run_of(github))):
        if place != leave_out:
            made = github.add_check(pull.head, check.name, text=check.text, app=app)
            made.given["external_id"] = check.external_id


def found(github: GitHub, sha: str = "") -> frozenset[str]:
    return reviews(forge_at(github), "main", sha or github.tip(), LABEL).fingerprints


def proposed(github: GitHub, number: int, **options: object) -> Pull:
    pull = github.pull({f"{number}.yaml": str(number)})
    show(github, pull, fingerprints(2, number), **options)  # type: ignore[arg-type]
    return pull


def test_plans_of_everything_that_was_merged_since_count(github: GitHub) -> None:
    old = proposed(github, 1)
    github.add_check(github.merge(old.number), APPLY)
    for number in (2, 3):
        github.merge(proposed(github, number).number)
    assert found(github) == {*fingerprints(2, 2), *fingerprints(2, 3)}


def test_a_run_that_failed_is_no_end(github: GitHub) -> None:
    github.add_check(github.merge(proposed(github, 1).number), APPLY, "failure")
    github.merge(proposed(github, 2).number)
    assert found(github) == {*fingerprints(2, 1), *fingerprints(2, 2)}


def test_a_check_run_of_somebody_else_is_no_end_and_approves_nothing(github: GitHub) -> None:
    github.merge(proposed(github, 1).number)
    merged = github.merge(proposed(github, 2, app="somebody").number)
    github.add_check(merged, APPLY, app="somebody")
    assert found(github) == set(fingerprints(2, 1))


def test_what_is_open_or_went_elsewhere_approves_nothing(github: GitHub) -> None:
    github.commit({"other": "1"}, branch="other")
    elsewhere = github.pull({"2.yaml": "2"}, onto="other")
    show(github, elsewhere, fingerprints(2, 2))
    tip = github.merge(elsewhere.number)
    proposed(github, 3)
    github.bare.update("refs/heads/main", tip)
    kept = reviews(forge_at(github), "main", tip, LABEL)
    assert (kept.fingerprints, kept.pulls) == (frozenset(), ())
    assert tip in kept.direct


def test_the_newest_plan_of_the_merged_head_counts(github: GitHub) -> None:
    pull = proposed(github, 1)
    show(github, pull, fingerprints(3, 7))
    github.merge(pull.number)
    assert found(github) == set(fingerprints(3, 7))


def test_a_head_without_a_plan_of_its_own_approves_nothing(github: GitHub) -> None:
    pull = proposed(github, 1)
    github.push(pull, {"1.yaml": "more"})
    github.merge(pull.number)
    told = reviews(forge_at(github), "main", github.tip(), LABEL)
    assert [each.fingerprints for each in told.pulls] == [None]


def test_a_plan_of_several_pages_is_read_whole_or_not_at_all(github: GitHub) -> None:
    many = fingerprints(6_000)
    whole, torn = github.pull({"1.yaml": "1"}), github.pull({"2.yaml": "2"})
    show(github, whole, many)
    show(github, torn, fingerprints(6_000, 9), leave_out=0)
    for pull in (whole, torn):
        github.merge(pull.number)
    told = reviews(forge_at(github), "main", github.tip(), LABEL)
    assert {each.pull.number: each.fingerprints for each in told.pulls} == {
        whole.number: frozenset(many),
        torn.number: None,
    }


def test_another_label_is_of_no_concern(github: GitHub) -> None:
    merged = github.merge(proposed(github, 1).number)
    github.add_check(merged, apply_check_name("staging"))
    assert found(github) == set(fingerprints(2, 1))
    assert reviews(forge_at(github), "main", merged, "staging").stretch == Stretch((), merged)


@pytest.mark.parametrize("method", ["merge", "squash", "rebase"])
def test_two_requests_are_made_for_a_commit_and_one_for_a_pull_request(
    github: GitHub, method: str
) -> None:
    pull = proposed(github, 1)
    github.push(pull, {"1.yaml": "more"})
    show(github, pull, fingerprints(2, 1))
    github.merge(pull.number, method)  # type: ignore[arg-type]
    before = len(github.requests)
    told = reviews(forge_at(github), "main", github.tip(), LABEL)
    assert told.fingerprints == set(fingerprints(2, 1))
    assert told.stretch is not None
    commits = len(told.stretch.commits)
    assert commits == (2 if method == "rebase" else 1)
    asked = [each.operation for each in github.requests[before:]]
    assert asked.count("repos/list-pull-requests-associated-with-commit") == commits
    assert asked.count("checks/list-for-ref") == commits + 1 + len(told.pulls)
    assert len(asked) == 2 * commits + 1 + len(told.pulls) + 1, asked


def test_what_lies_beyond_reach_is_told(github: GitHub) -> None:
    tip, tree = github.tip(), github.bare.tree(github.tip())
    for number in range(MOST + 5):
        tip = github.bare.commit_tree(tree, tip, message=str(number))
    stretch = unapplied(forge_at(github), tip, LABEL)
    assert (len(stretch.commits), stretch.applied, stretch.beyond) == (MOST, None, True)


def test_a_branch_that_was_never_applied_has_no_end(tmp_path: Path) -> None:
    with GitHub.running(tmp_path) as github:
        first = github.commit({"README": "0"})
        last = github.commit({"README": "1"})
        stretch = unapplied(forge_at(github), last, LABEL)
        assert (stretch.commits, stretch.applied, stretch.beyond) == ((last, first), None, False)


def test_the_branch_is_followed_whatever_the_dates_of_its_commits(github: GitHub) -> None:
    for number in (1, 2):
        github.merge(proposed(github, number).number)
    dated = {f"GIT_{role}_DATE": "2001-01-01T00:00:00Z" for role in ("AUTHOR", "COMMITTER")}
    tip = github.bare.commit_tree(
        github.bare.tree(github.tip()), github.tip(), message="Long ago", **dated
    )
    github.bare.update("refs/heads/main", tip)
    stretch = unapplied(forge_at(github), tip, LABEL)
    assert stretch.commits == tuple(github.bare.git("rev-list", "--first-parent", tip).split())[:3]


def test_a_newer_commit_that_was_applied_is_found(github: GitHub) -> None:
    old = github.commit({"README": "1"})
    forge = forge_at(github)
    assert overtaken(forge, "main", old, LABEL) is None
    newer = github.commit({"README": "2"})
    github.commit({"README": "3"})
    assert overtaken(forge, "main", old, LABEL) is None
    github.add_check(newer, APPLY)
    assert overtaken(forge, "main", old, LABEL) == newer


def test_a_commit_that_left_the_branch_is_refused(github: GitHub) -> None:
    left = github.commit({"README": "1"}, branch="left")
    with pytest.raises(Refused, match="is not among the last 100 commits of main"):
        overtaken(forge_at(github), "main", left, LABEL)


def test_names_of_check_runs_are_those_of_the_label() -> None:
    assert (plan_check_name(LABEL), APPLY) == ("certform plan (prod)", "certform apply (prod)")
