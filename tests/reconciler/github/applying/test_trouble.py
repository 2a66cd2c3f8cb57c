"""What goes wrong is told where it is looked for, and the next run goes on from there."""

import os
import signal

import pytest
from github_answers import said
from github_emulator import BOT
from merge_documents import certificate
from merge_house import APPLY, House
from wire import Way

MESH = {"api.yaml": certificate("api", target="mesh"), "docs.yaml": certificate("docs")}


def test_what_failed_is_made_up_for_by_the_same_job_again(house: House) -> None:
    pull = house.github.pull(MESH)
    assert house.plan_job(pull).code == 0
    house.github.merge(pull.number)
    house.gate.unlink()
    failed = house.apply()
    assert (failed.code, failed.reason) == (4, "partly-applied")
    assert house.held() == {"web", "docs"}
    (comment,) = house.github.comments(pull.number, BOT)
    assert "> **Failed** in [this run](" in comment.body
    assert "Run the job again" in comment.body
    assert "<details><summary>1 change failed</summary>" in comment.body
    house.gate.touch()
    again = house.apply()
    assert (again.code, again.reason) == (0, "")
    assert house.held("mesh") == {"api"}
    (comment,) = house.github.comments(pull.number, BOT)
    assert "**Applied** in [this run](" in comment.body
    assert house.conclusions() == ["failure", "success"]


def test_a_comment_that_could_not_be_read_at_first_keeps_its_plan(house: House) -> None:
    pull = house.github.pull(MESH)
    assert house.plan_job(pull).code == 0
    house.github.merge(pull.number)
    house.gate.unlink()
    house.github.wire.fail("issues/list-comments", Way.REFUSED, said(422, "Not now"))
    assert house.apply().code == 4
    (comment,) = house.github.comments(pull.number, BOT)
    assert "> **Failed** in [this run](" in comment.body
    assert "| <code>certificate/docs</code> |" in comment.body


def test_what_failed_is_made_up_for_by_the_next_push(house: House) -> None:
    house.merged(MESH)
    house.gate.unlink()
    assert house.apply().code == 4
    house.gate.touch()
    house.merged({"more.yaml": certificate("more")})
    ended = house.apply()
    assert ended.code == 0, ended.log
    assert (house.held(), house.held("mesh")) == ({"web", "docs", "more"}, {"api"})


def test_a_token_that_may_only_read_stops_nothing(house: House) -> None:
    merged = house.merged({"api.yaml": certificate("api")})
    house.token = house.github.token(contents="read", pull_requests="read", checks="read")
    ended = house.apply()
    assert (ended.code, ended.reason) == (0, "")
    assert house.held() == {"web", "api"}
    assert "::notice title=certform::the check run: left out" in ended.log
    assert house.conclusions(merged) == []


@pytest.mark.parametrize("lost", ["denied", "pulls denied", "gone", "no token", "half"])
def test_what_cannot_be_read_was_not_reviewed(house: House, lost: str) -> None:
    house.brief()
    house.merged({"docs.yaml": certificate("docs")})
    house.merged({"api.yaml": certificate("api")})
    match lost:
        case "denied":
            house.token = house.github.token(contents="read")
        case "pulls denied":
            house.token = house.github.token(contents="write", checks="write")
        case "gone":
            house.variables["GITHUB_API_URL"] = "http://127.0.0.1:1"
        case "no token":
            house.token = ""
        case _:  # only the first of two answers comes
            asked = "repos/list-pull-requests-associated-with-commit"
            house.github.wire.fail(asked, Way.SLOW)
            house.github.wire.fail(asked, Way.REFUSED, said(422, "No commit found"))
    ended = house.apply()
    assert (ended.code, ended.reason) == (3, "unreviewed")
    assert "What was reviewed could not be read" in ended.summary
    assert ("Applied last: " in ended.summary) is (lost in ("pulls denied", "half"))
    assert "2 applied (1 renewed, 1 installed), 4 refused" in ended.summary
    assert house.held() == {"web", "brief"}
    told = lost in ("pulls denied", "half")
    assert house.conclusions() == (["failure"] if told else [])


def test_no_run_starts_from_where_what_was_reviewed_could_not_be_read(house: House) -> None:
    house.brief()
    house.merged({"README": "words"})
    asked = "repos/list-pull-requests-associated-with-commit"
    house.github.wire.fail(asked, Way.REFUSED, said(422, "No commit found"))
    ended = house.apply()
    assert (ended.code, ended.reason) == (0, "")
    assert "2 applied (1 renewed, 1 installed)" in ended.summary
    assert house.conclusions() == ["neutral"]


def test_where_nobody_can_tell_whether_it_is_late_nothing_reviewed_is_applied(house: House) -> None:
    house.merged({"api.yaml": certificate("api")})
    asked = "git/get-ref"
    house.github.wire.fail(asked, Way.SLOW)
    house.github.wire.fail(asked, Way.REFUSED, said(422, "Not now"))
    ended = house.apply()
    assert (ended.code, ended.reason) == (3, "unreviewed")
    assert "What was reviewed could not be read" in ended.summary
    assert house.held() == {"web"}
    assert house.apply().code == 0


def test_a_run_waits_for_another_and_says_for_whom(house: House) -> None:
    house.merged({"api.yaml": certificate("api")})
    with house.locked() as holder:
        ended = house.apply(lock_timeout="1")
    assert (ended.code, ended.reason) == (3, "locked")
    assert "The ledger is locked by `certform" in ended.log
    assert f"certform unlock {holder}" in ended.log
    assert f"certform unlock {holder}" in ended.summary
    assert house.conclusions() == ["failure"]
    assert house.apply().code == 0


def test_a_run_that_is_cancelled_finishes_what_is_in_hand_and_says_so(house: House) -> None:
    house.merged({"web.yaml": certificate("web", target="mesh")})
    house.gate.unlink()
    os.mkfifo(house.gate)
    begun = house.start_apply()
    with house.gate.open("w"):  # opens once the check of the target mesh reads from it
        begun.signal(signal.SIGINT)
    ended = begun.wait()
    assert ended.code == 130, ended.log
    assert "interrupted: " in ended.log
    assert ended.outputs["exit-code"] == "130"
    assert "Run the job again" in ended.summary
    assert house.conclusions() == ["failure"]
    house.gate.unlink()
    house.gate.touch()
    assert (house.held(), house.held("mesh")) == ({"web"}, {"web"})
    assert house.apply().code == 0
    assert (house.held(), house.held("mesh")) == (set(), {"web"})


def test_a_run_that_is_overtaken_while_it_waits_says_so_on_the_pull_request(house: House) -> None:
    pull = house.github.pull({"api.yaml": certificate("api")})
    assert house.plan_job(pull).code == 0
    merged = house.github.merge(pull.number)
    with house.locked():
        begun = house.start_apply()
        begun.await_line("The ledger is locked by")
        newer = house.github.commit({"README": "newer"})
        house.github.add_check(newer, APPLY)
    ended = begun.wait()
    assert (ended.code, ended.reason) == (0, "")
    assert f"{newer[:12]}, a newer commit of main, was applied already" in ended.summary
    assert ended.outputs["counts"] == "{}"
    assert house.conclusions(merged) == []
    (comment,) = house.github.comments(pull.number, BOT)
    assert f"**Applied** with a newer commit, <code>{newer[:12]}</code>." in comment.body
    assert "Applying" not in comment.body


def test_secrets_are_masked_before_anything_is_said(house: House) -> None:
    house.merged({"api.yaml": certificate("api")})
    house.variables["SOPS_AGE_KEY"] = house.identity.read_text()
    ended = house.apply()
    first, *_ = (line for line in ended.log.splitlines() if "AGE-SECRET-KEY" in line)
    assert first.startswith("::add-mask::AGE-SECRET-KEY-")
    assert ended.log.count("AGE-SECRET-KEY") == 1
    assert ended.log.index("AGE-SECRET-KEY") < ended.log.index("certform 0")


def test_a_run_for_no_branch_says_what_it_is_for(house: House) -> None:
    pull = house.github.pull({"api.yaml": certificate("api")})
    ended = house.run_on_pull("apply", pull)
    assert (ended.code, ended.reason) == (1, "invalid")
    assert "apply runs for a branch, not for refs/pull/" in ended.log
