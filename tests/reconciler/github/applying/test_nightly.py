"""The nightly job renews what is due, whatever lies on the branch and was not applied."""

import json

from github_events import schedule
from merge_documents import certificate
from merge_house import House


def test_what_is_due_is_renewed_and_nothing_else_is_done(house: House) -> None:
    house.brief()
    edited = certificate("brief", "brief.example.com", "more.example.com").replace("30d", "7d")
    house.github.commit({"brief.yaml": edited, "api.yaml": certificate("api")})
    ended = house.run("renew", schedule(house.github))
    assert ended.code == 0, ended.log
    assert json.loads(ended.outputs["applied"]) == {"install": 1, "issue": 1}
    assert "### Certificates: 2 applied (1 renewed, 1 installed) (pki)" in ended.summary
    assert house.held() == {"web", "brief"}
    left = {step.id for step in house.plan(house.github.tip()).changes}
    assert {"issue:certificate/api", "issue:certificate/brief"} <= left
    assert house.conclusions() == []


def test_a_failure_of_the_night_is_annotated(house: House) -> None:
    house.brief(target="mesh")
    house.gate.unlink()
    ended = house.run("renew", schedule(house.github))
    assert (ended.code, ended.reason) == (4, "partly-applied")
    assert "::error title=install certificate/brief@mesh failed,file=brief.yaml" in ended.log


def test_without_the_permission_to_see_what_was_applied_nothing_is_renewed(house: House) -> None:
    house.brief()
    house.token = house.github.token(contents="write")
    before = house.github.bare.refs()
    ended = house.run("renew", schedule(house.github))
    assert (ended.code, ended.reason) == (1, "error")
    assert "checks: read" in ended.summary
    assert (ended.outputs["changes"], ended.outputs["applied"]) == ("0", "{}")
    assert house.github.bare.refs() == before


def test_while_github_does_not_answer_what_the_last_commit_moved_waits(house: House) -> None:
    house.brief()
    moved = house.text("config/targets.yaml").replace("live/edge", "live/elsewhere")
    house.github.commit({"config/targets.yaml": moved})
    house.variables["GITHUB_API_URL"] = "http://127.0.0.1:1"
    ended = house.run("renew", schedule(house.github))
    assert ended.code == 0, ended.log
    assert "which commit was applied last: not known" in ended.log
    assert not (house.live / "elsewhere").exists()


def test_without_a_token_it_is_as_the_documents_say(house: House) -> None:
    house.brief()
    house.token = ""
    ended = house.run("renew", schedule(house.github))
    assert ended.code == 0, ended.log
    assert "::notice title=certform::which commit was applied last: not known" in ended.log


def test_at_night_nobody_else_is_spoken_to(house: House) -> None:
    house.brief()
    moved = house.text("config/targets.yaml").replace("live/edge", "live/elsewhere")
    house.github.commit({"config/targets.yaml": moved})
    ended = house.run("renew", schedule(house.github))
    assert ended.code == 0, ended.log
    assert not (house.live / "elsewhere").exists()
