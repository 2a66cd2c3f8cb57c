"""The plan on a pull request, against the emulated GitHub: what a reviewer finds there, push after push."""

import json
from dataclasses import dataclass

import pytest
from github_emulator import BOT, GitHub
from github_events import merge_group, pull_request, push, schedule, workflow_dispatch
from github_rig import forge_at
from github_state import Comment, Pull
from plan_station import Station
from rig import FOURTH

from reconciler.github.checks import plan_check_name
from reconciler.github.comment import Status, with_status
from reconciler.github.marker import Marker, MarkerKind

FIFTH = FOURTH.replace("four", "five")
NAME = plan_check_name("faults")
REQUESTS = {"graphql": 1, "issues/list-comments": 1, "checks/create": 1}


@dataclass(frozen=True, slots=True)
class Told:
    """What stands on a pull request."""

    comment: Comment
    marker: Marker

    @property
    def first_line(self) -> str:
        return self.comment.body.split("\n")[1]


def told(github: GitHub, pull: Pull) -> Told:
    (comment,) = github.comments(pull.number, author=BOT)
    marker = Marker.of(comment.body)
    assert marker is not None
    return Told(comment, marker)


def test_the_first_plan_is_a_comment_a_check_run_a_summary_and_outputs(station: Station) -> None:
    github = station.github
    pull = github.pull({"fourth.yaml": FOURTH})
    ran = station.plan(pull_request(github, pull))
    found = told(github, pull)
    assert ran.code == 0, ran.said
    assert found.first_line == "### Certificates: 1 to issue, 2 to install (faults)"
    assert f"{github.name}/blob/{pull.head}/fourth.yaml#L1" in found.comment.body
    assert (found.marker.kind, found.marker.label) == (MarkerKind.PLAN, "faults")
    assert found.marker.fields["head"] == pull.head
    assert found.marker.fields["base"] == pull.base
    (check,) = github.checks(pull.head, NAME)
    assert check.given["conclusion"] == "success"
    assert found.first_line in ran.summary
    assert ran.outputs.pop("comment-url").endswith(
        f"/pull/{pull.number}#issuecomment-{found.comment.id}"
    )
    assert len(ran.outputs.pop("digest")) == 32
    assert json.loads(ran.outputs.pop("counts")) == {"install": 2, "issue": 1}
    assert ran.outputs == {"exit-code": "0", "changes": "3", "proposed": "3", "blocked": "0"}
    assert github.wire.counts == {**REQUESTS, "issues/create-comment": 1}


def test_the_check_run_shows_the_fingerprints_of_the_plan_that_is_saved(station: Station) -> None:
    github = station.github
    pull = github.pull({"fourth.yaml": FOURTH})
    ran = station.plan(pull_request(github, pull), plan_file="out/plan.json")
    saved = json.loads(station.read(ran.outputs["plan-file"]))
    fingerprints = frozenset(change["fingerprint"] for change in saved["changes"])
    assert len(fingerprints) == 3
    assert station.fingerprints(pull) == fingerprints
    assert saved["digest"] == ran.outputs["digest"] == told(github, pull).marker.fields["digest"]


def test_the_log_has_the_plan_where_no_line_is_a_command(station: Station) -> None:
    ran = station.plan(pull_request(station.github, station.github.pull({"fourth.yaml": FOURTH})))
    assert 'certificate "four"' in ran.log
    assert 'certificate "four"' not in "\n".join(ran.commands(""))


def test_another_push_updates_the_comment_in_place(station: Station) -> None:
    github = station.github
    pull = github.pull({"fourth.yaml": FOURTH})
    station.plan(pull_request(github, pull))
    first = told(github, pull)
    github.push(pull, {"fifth.yaml": FIFTH})
    station.plan(pull_request(github, pull, "synchronize"))
    second = told(github, pull)
    assert second.comment.id == first.comment.id
    assert second.first_line == "### Certificates: 2 to issue, 4 to install (faults)"
    assert second.marker.fields["head"] == pull.head != first.marker.fields["head"]
    assert github.wire.counts["issues/update-comment"] == 1


def test_a_comment_that_says_the_same_already_is_left_alone(station: Station) -> None:
    github = station.github
    pull = github.pull({"fourth.yaml": FOURTH})
    for _ in range(2):
        assert station.plan(pull_request(github, pull)).outputs["comment-url"]
    assert github.wire.counts["issues/update-comment"] == 0
    assert len(github.checks(pull.head, NAME)) == 2


def test_a_slow_run_of_an_older_commit_does_not_bring_its_plan_back(station: Station) -> None:
    github = station.github
    pull = github.pull({"fourth.yaml": FOURTH})
    slow = pull_request(github, pull)
    github.push(pull, {"fifth.yaml": FIFTH})
    station.plan(pull_request(github, pull, "synchronize"), run_id="9001")
    ran = station.plan(slow, run_id="9000")
    assert ran.outputs["changes"] == "3"
    assert "2 to issue" in told(github, pull).first_line
    assert told(github, pull).marker.fields["head"] == pull.head


def test_the_comment_is_found_behind_a_hundred_and_fifty_of_others(station: Station) -> None:
    github = station.github
    pull = github.pull({"fourth.yaml": FOURTH})
    github.add_comments(pull.number, 150)
    station.plan(pull_request(github, pull))
    github.push(pull, {"fifth.yaml": FIFTH})
    station.plan(pull_request(github, pull, "synchronize"))
    assert "2 to issue" in told(github, pull).first_line
    assert github.wire.counts["issues/list-comments"] == 4


def test_a_marker_that_somebody_else_wrote_is_not_believed(station: Station) -> None:
    github = station.github
    pull = github.pull({"fourth.yaml": FOURTH})
    forged = Marker(MarkerKind.PLAN, "faults").over("### Certificates: no changes (faults)")
    github.add_comments(pull.number, 1, author="mallory", body=forged)
    station.plan(pull_request(github, pull))
    assert "1 to issue" in told(github, pull).first_line
    (theirs,) = github.comments(pull.number, author="mallory")
    assert theirs.body == forged


def test_two_labels_of_one_pull_request_have_a_comment_and_a_check_run_each(
    station: Station,
) -> None:
    github = station.github
    pull = github.pull({"fourth.yaml": FOURTH})
    for label in ("east", "west", "east"):
        station.plan(pull_request(github, pull), label=label)
    markers = [Marker.of(each.body) for each in github.comments(pull.number, author=BOT)]
    assert [marker.label for marker in markers if marker] == ["east", "west"]
    assert [check.given["name"] for check in github.checks(pull.head)] == [
        "certform plan (east)",
        "certform plan (west)",
        "certform plan (east)",
    ]


def test_after_an_apply_a_later_plan_has_a_comment_of_its_own(station: Station) -> None:
    github = station.github
    pull = github.pull({"fourth.yaml": FOURTH})
    station.plan(pull_request(github, pull))
    old = told(github, pull).comment
    forge_at(github).edit_comment(
        old.id, with_status(old.body, Status.APPLIED, "in run 9.", closed=True)
    )
    github.push(pull, {"fifth.yaml": FIFTH})
    station.plan(pull_request(github, pull, "synchronize"))
    first, second = github.comments(pull.number, author=BOT)
    assert first.body.count("**Applied** in run 9.") == 1
    assert "**Merging**" not in first.body
    assert "2 to issue" in second.body


def test_what_two_runs_wrote_at_once_is_one_comment_again(station: Station) -> None:
    github = station.github
    pull = github.pull({"fourth.yaml": FOURTH})
    body = Marker(MarkerKind.PLAN, "faults").over("### Certificates: of long ago (faults)\n")
    github.add_comments(pull.number, 2, author=BOT, body=body)
    station.plan(pull_request(github, pull))
    first, second = github.comments(pull.number, author=BOT)
    assert "**Replaced** by the comment below." in first.body
    assert "1 to issue" in second.body


def test_a_plan_that_fails_takes_the_place_of_the_one_before_and_gives_it_back(
    station: Station,
) -> None:
    github = station.github
    pull = github.pull({"fourth.yaml": FOURTH})
    station.plan(pull_request(github, pull))
    github.push(pull, {"fourth.yaml": FOURTH.replace("issuing", "isuing")})
    failed = station.plan(pull_request(github, pull, "synchronize"))
    found = told(github, pull)
    assert failed.code == 1
    assert found.first_line == "### Certificates: no plan, 1 error (faults)"
    assert "**Failed** for" in found.comment.body
    assert f"{pull.head}/fourth.yaml#L3" in found.comment.body
    assert "did you mean" in found.comment.body
    assert found.marker.fields["status"] == "failed"
    (check,) = github.checks(pull.head, NAME)
    assert check.given["conclusion"] == "failure"
    (remark,) = check.annotations
    assert (remark["path"], remark["start_line"]) == ("fourth.yaml", 3)
    (said,) = failed.commands("error")
    assert "file=fourth.yaml,line=3" in said
    assert failed.outputs["failure-reason"] == "invalid"
    assert station.fingerprints(pull) is None
    assert found.first_line in failed.summary

    github.push(pull, {"fourth.yaml": FOURTH})
    assert station.plan(pull_request(github, pull, "synchronize")).code == 0
    assert "1 to issue" in told(github, pull).first_line
    assert "Failed" not in told(github, pull).comment.body


def test_a_ledger_that_is_refused_is_a_plan_that_failed(station: Station) -> None:
    github = station.github
    pull = github.pull({"fourth.yaml": FOURTH})
    github.bare.git("update-ref", "-d", "refs/heads/certform/ledger")
    ran = station.plan(pull_request(github, pull))
    assert ran.code == 3
    assert told(github, pull).first_line == "### Certificates: no plan, 1 error (faults)"
    assert ran.outputs["failure-reason"] == "refused"


def test_changes_fail_the_job_only_where_that_was_asked_for(station: Station) -> None:
    github = station.github
    pull = github.pull({"fourth.yaml": FOURTH})
    ran = station.plan(pull_request(github, pull), fail_on_changes="true")
    assert (ran.code, ran.outputs["exit-code"]) == (2, "2")
    empty = github.pull({"README.md": "nothing of ours"})
    ran = station.plan(pull_request(github, empty), fail_on_changes="true")
    assert (ran.code, ran.outputs["changes"]) == (0, "0")
    assert told(github, empty).first_line == "### Certificates: no changes (faults)"


def test_a_place_that_moves_is_not_looked_at_and_is_told_old_and_new(station: Station) -> None:
    github = station.github
    targets = station.documents["config/targets.yaml"]
    pull = github.pull({"config/targets.yaml": targets.replace("/live/mesh", "/live/elsewhere")})
    ran = station.plan(pull_request(github, pull))
    body = told(github, pull).comment.body
    assert ran.code == 0, ran.said
    assert "**1 connection changes:** once merged" in body
    assert "live/mesh</code> → <code>" in body
    assert "**Nobody looked at 1 target:**" in body
    assert "<code>mesh</code>, taken to hold nothing" in body


def test_findings_are_marked_in_the_files_below_the_projects_folder(station: Station) -> None:
    github = station.github
    files: dict[str, str | None] = {f"pki/{name}": text for name, text in station.documents.items()}
    github.commit({**files, **dict.fromkeys(station.documents)})
    pull = github.pull({"pki/fourth.yaml": FOURTH.replace("issuing", "isuing")})
    ran = station.plan(pull_request(github, pull), working_directory="pki")
    assert ran.code == 1
    assert "file=pki/fourth.yaml,line=3" in ran.commands("error")[0]
    assert f"{pull.head}/pki/fourth.yaml#L3" in told(github, pull).comment.body
    (check,) = github.checks(pull.head, NAME)
    assert [each["path"] for each in check.annotations] == ["pki/fourth.yaml"]


def test_a_push_and_a_schedule_have_a_summary_and_nothing_else(station: Station) -> None:
    github = station.github
    before = github.tip()
    github.commit({"fourth.yaml": FOURTH})
    for event in (push(github, before), schedule(github)):
        ran = station.plan(event)
        assert ran.code == 0, ran.said
        assert ran.summary.startswith("### Certificates: 1 to issue, 2 to install (faults)\n")
        assert "Merging" not in ran.summary
    assert not github.requests


def test_a_merge_queue_gets_its_check_run(station: Station) -> None:
    github = station.github
    pull = github.pull({"fourth.yaml": FOURTH})
    event = merge_group(github, pull)
    ran = station.plan(event)
    assert ran.code == 0, ran.said
    (check,) = github.checks(event.sha, NAME)
    assert check.given["conclusion"] == "success"
    assert ran.outputs["proposed"] == "3"
    assert not github.comments(pull.number)


@pytest.mark.parametrize("conflict", [False, True])
def test_a_maintainer_plans_a_forks_pull_request_by_its_number(
    station: Station, *, conflict: bool
) -> None:
    github = station.github
    pull = github.pull({"fourth.yaml": FOURTH}, fork="stranger/pki")
    if conflict:
        github.commit({"fourth.yaml": FIFTH})
    ran = station.plan(workflow_dispatch(github), pull_request=str(pull.number))
    assert ran.code == 0, ran.said
    found = told(github, pull)
    assert "1 to issue" in found.first_line
    assert found.marker.fields["head"] == pull.head
    assert station.fingerprints(pull)
    assert "Nobody looked at" not in found.comment.body
