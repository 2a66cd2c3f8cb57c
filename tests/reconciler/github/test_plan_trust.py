"""Whose plan counts: of which pull request, made by whom, of which commit, and until when."""

import pytest
from github_emulator import BOT, GitHub
from github_events import Event, pull_request, workflow_dispatch
from github_rig import forge_at
from plan_station import Station
from rig import FOURTH

from reconciler.github.checks import plan_check_name
from reconciler.github.marker import Marker, MarkerKind
from reconciler.github.reviews import reviews

NAME = plan_check_name("faults")
FIFTH = FOURTH.replace("four", "five")


def approved(github: GitHub) -> frozenset[str]:
    """Return what an apply of main takes for reviewed."""
    return reviews(forge_at(github), "main", github.tip(), "faults").fingerprints


def test_a_plan_of_another_pull_request_with_the_same_head_counts_for_that_one_alone(
    station: Station,
) -> None:
    github = station.github
    pull = github.pull({"fourth.yaml": FOURTH})
    github.commit({"fifth.yaml": FIFTH}, branch="elsewhere")
    other = github.pull(branch=pull.branch, onto="elsewhere")
    station.plan(pull_request(github, pull))
    seen = station.fingerprints(pull)
    ran = station.plan(pull_request(github, other))
    assert ran.outputs["changes"] == "6"
    assert other.head == pull.head
    assert len(seen or ()) == 3
    assert station.fingerprints(pull) == seen
    assert len(station.fingerprints(other) or ()) == 6
    github.merge(pull.number)
    assert approved(github) == seen


def test_a_failed_plan_of_another_pull_request_hides_nothing(station: Station) -> None:
    github = station.github
    pull = github.pull({"fourth.yaml": FOURTH})
    github.commit({"fifth.yaml": "kind: Certificate\n"}, branch="elsewhere")
    other = github.pull(branch=pull.branch, onto="elsewhere")
    station.plan(pull_request(github, pull))
    assert station.plan(pull_request(github, other)).code == 1
    assert len(station.fingerprints(pull) or ()) == 3


def test_a_plan_that_ended_after_the_merge_approves_nothing(station: Station) -> None:
    github = station.github
    pull = github.pull({"fourth.yaml": FOURTH})
    event = pull_request(github, pull)
    station.plan(event)
    seen = station.fingerprints(pull)
    github.merge(pull.number)
    pull.merged_at = "2026-01-01T00:00:00Z"
    assert approved(github) == frozenset()
    pull.merged_at = "2126-01-01T00:00:00Z"
    assert approved(github) == seen != frozenset()


def test_what_is_merged_cannot_be_planned_by_its_number(station: Station) -> None:
    github = station.github
    pull = github.pull({"fourth.yaml": FOURTH})
    github.merge(pull.number)
    ran = station.plan(workflow_dispatch(github), pull_request=str(pull.number))
    assert ran.outputs["failure-reason"] == "invalid"
    assert "pull request 1 is merged already" in ran.said
    assert not github.comments(pull.number)
    assert not github.checks(pull.head)


@pytest.mark.parametrize("actor", ["stranger", "dependabot[bot]"])
def test_what_comes_from_outside_leaves_no_fingerprints_even_where_its_token_may_write(
    station: Station, actor: str
) -> None:
    github = station.github
    fork = "stranger/pki" if actor == "stranger" else ""
    pull = github.pull({"fourth.yaml": FOURTH}, fork=fork)
    ran = station.plan(pull_request(github, pull, actor=actor))
    assert ran.outputs["changes"] == "3"
    assert not github.checks(pull.head)
    assert not ran.commands("notice")
    (comment,) = github.comments(pull.number, author=BOT)
    assert "**This plan is not recorded** as a check run" in comment.body


@pytest.mark.parametrize("name", ["pull_request", "pull_request_target"])
def test_a_checkout_of_something_else_is_not_taken_for_what_is_proposed(
    station: Station, name: str
) -> None:
    github = station.github
    pull = github.pull({"fourth.yaml": FOURTH})
    event = pull_request(github, pull)
    if name == "pull_request_target":
        event = Event(name, event.payload, github.tip(), "refs/heads/main", event.actor)
    ran = station.plan(event, at=github.tip())
    assert ran.outputs["proposed"] == "3"
    assert f"<code>{pull.head[:12]}</code> onto <code>{pull.base[:12]}</code>" in ran.summary


def test_a_plan_that_fails_before_its_documents_are_read_takes_the_place_of_the_one_before(
    station: Station,
) -> None:
    github = station.github
    pull = github.pull({"fourth.yaml": FOURTH})
    station.plan(pull_request(github, pull))
    github.push(pull, {"fifth.yaml": FIFTH})
    ran = station.plan(
        pull_request(github, pull, "synchronize"), at=pull.head, origin="file:///nowhere"
    )
    assert ran.code == 1
    (comment,) = github.comments(pull.number, author=BOT)
    assert comment.body.split("\n")[1] == "### Certificates: no plan, 1 error (faults)"
    assert [check.given["conclusion"] for check in github.checks(pull.head, NAME)] == ["failure"]


def test_a_failure_that_named_no_project_is_replaced_once_it_is_known(station: Station) -> None:
    github = station.github
    pull = github.pull({"fourth.yaml": FOURTH})
    unnamed = Marker(MarkerKind.PLAN, "").over("### Certificates: no plan, 1 error\n")
    github.add_comments(pull.number, 1, author=BOT, body=unnamed)
    station.plan(pull_request(github, pull))
    (comment,) = github.comments(pull.number, author=BOT)
    assert comment.body.split("\n")[1] == "### Certificates: 1 to issue, 2 to install (faults)"
