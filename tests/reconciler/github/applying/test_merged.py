"""A merged pull request is applied as it was shown."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from github_emulator import BOT, Method
from merge_documents import certificate
from merge_house import APPLY, House

from reconciler import planfile
from reconciler.github.marker import Marker
from reconciler.render.escape import code


@pytest.mark.parametrize("method", ["merge", "squash", "rebase"])
def test_what_was_shown_is_applied(house: House, method: Method) -> None:
    pull = house.propose({"api.yaml": certificate("api")})
    after = house.github.merge(pull.number, method)
    ended = house.apply()
    assert ended.code == 0, ended.log
    assert house.held() == {"web", "api"}
    assert (ended.outputs["exit-code"], ended.reason) == ("0", "")
    assert json.loads(ended.outputs["counts"]) == {"install": 1, "issue": 1}
    assert ended.outputs["applied"] == ended.outputs["counts"]
    (check,) = house.github.checks(after, APPLY)
    assert check.given["conclusion"] == "success"
    assert check.given["output"]["title"] == "2 applied (1 issued, 1 installed)"
    assert code("certificate/api@edge") in check.text
    assert not house.plan(after).changes


def test_the_comment_of_the_plan_says_what_became_of_it(house: House) -> None:
    pull = house.github.pull({"api.yaml": certificate("api")})
    planned = house.plan_job(pull)
    assert planned.code == 0, planned.log
    house.github.merge(pull.number)
    ended = house.apply()
    assert ended.code == 0, ended.log
    (comment,) = house.github.comments(pull.number, BOT)
    marker = Marker.of(comment.body)
    assert marker is not None
    assert (marker.fields["status"], marker.fields["closed"]) == ("applied", True)
    assert "**Applied** in [this run](" in comment.body
    assert "2 applied (1 issued, 1 installed)." in comment.body
    assert "certificate/api" in comment.body
    assert "### Certificates: 2 applied" in ended.summary


def test_a_run_that_was_dropped_is_made_up_for(house: House) -> None:
    first = house.merged({"api.yaml": certificate("api")})
    last = house.merged({"docs.yaml": certificate("docs")})
    ended = house.apply()
    assert ended.code == 0, ended.log
    assert house.held() == {"web", "api", "docs"}
    assert (house.conclusions(first), house.conclusions(last)) == ([], ["success"])


def test_what_fell_due_between_review_and_merge_is_renewed(house: House) -> None:
    brief = certificate("brief").replace("30d", "7d")
    house.github.commit({"brief.yaml": brief})
    past = datetime.now(UTC).replace(microsecond=0) - timedelta(days=4)
    house.settle(past)
    house.github.add_check(house.github.tip(), APPLY)
    house.merged({"api.yaml": certificate("api")}, at=past + timedelta(hours=1))
    ended = house.apply()
    assert ended.code == 0, ended.log
    assert "3 applied" not in ended.summary
    assert "4 applied (1 issued, 1 renewed, 2 installed)" in ended.summary


def test_a_job_that_comes_late_does_not_take_the_world_back(house: House) -> None:
    first = house.merged({"api.yaml": certificate("api")})
    house.merged({"api.yaml": None, "docs.yaml": certificate("docs")})
    assert house.apply().code == 0
    before = len(house.github.requests)
    late = house.apply(first)
    assert (late.code, late.reason) == (0, "")
    assert "a newer commit of main, was applied already" in late.log
    assert house.held() == {"web", "docs"}
    assert all(asked.method == "GET" for asked in house.github.requests[before:])


def test_a_commit_that_left_the_branch_is_not_applied(house: House) -> None:
    left = house.merged({"api.yaml": certificate("api")})
    house.github.bare.update("refs/heads/main", house.github.bare.commits([left])[0].parents[0])
    house.github.commit({"README": "other"})
    ended = house.apply(left)
    assert (ended.code, ended.reason) == (3, "refused")
    assert "is not among the last 100 commits of main" in ended.log
    assert house.held() == {"web"}


def test_files_are_left_for_the_steps_after_it(house: House) -> None:
    house.merged({"api.yaml": certificate("api")})
    ended = house.apply(plan_file="out/plan.json", inventory_file="out/page/index.html")
    assert ended.code == 0, ended.log
    plan = planfile.load(Path(ended.outputs["plan-file"]))
    assert plan.digest == ended.outputs["digest"]
    page = Path(ended.outputs["plan-file"]).parent / "page" / "index.html"
    assert "api.example.com" in page.read_text()


def test_few_requests_are_made(house: House) -> None:
    house.merged({"api.yaml": certificate("api")})
    before = len(house.github.requests)
    assert house.apply().code == 0
    asked = [each.operation for each in house.github.requests[before:]]
    assert asked.count("checks/list-for-ref") == 3, asked
    assert asked.count("repos/list-pull-requests-associated-with-commit") == 1, asked
    assert len(asked) <= 10, asked
