"""What goes wrong is told where it is looked for, and the next run goes on from there."""

import os
import signal

import pytest
from github_emulator import BOT
from merge_documents import certificate
from merge_house import House

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


@pytest.mark.parametrize("lost", ["denied", "gone", "no token"])
def test_what_cannot_be_read_was_not_reviewed(house: House, lost: str) -> None:
    house.brief()
    house.merged({"api.yaml": certificate("api")})
    if lost == "denied":
        house.token = house.github.token(contents="read")
    elif lost == "gone":
        house.variables["GITHUB_API_URL"] = "http://127.0.0.1:1"
    else:
        house.token = ""
    ended = house.apply()
    assert (ended.code, ended.reason) == (3, "unreviewed")
    assert "What was reviewed could not be read" in ended.summary
    assert "2 applied (1 renewed, 1 installed), 2 refused" in ended.summary
    assert house.held() == {"web", "brief"}


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
