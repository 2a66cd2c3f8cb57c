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
    assert json.loads(ended.outputs["counts"]) == {"install": 1, "issue": 1}
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


def test_at_night_nobody_else_is_spoken_to(house: House) -> None:
    house.brief()
    moved = house.text("config/targets.yaml").replace("live/edge", "live/elsewhere")
    house.github.commit({"config/targets.yaml": moved})
    ended = house.run("renew", schedule(house.github))
    assert ended.code == 0, ended.log
    assert not (house.live / "elsewhere").exists()
