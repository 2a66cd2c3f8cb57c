"""What no merged pull request showed is not applied, nor is what requires it; everything else is."""

import json

from github_emulator import BOT
from merge_documents import certificate
from merge_house import APPLY, PLAN, House

PROFILE = """\
kind: Profile
metadata: {name: lean}
spec: {duration: DURATION}
"""
LEAN = certificate("api").replace("duration: 30d", "profileRef: lean")


def test_a_push_that_nobody_reviewed_is_refused(house: House) -> None:
    pushed = house.github.commit({"api.yaml": certificate("api")})
    ended = house.apply()
    assert (ended.code, ended.reason) == (3, "unreviewed")
    assert json.loads(ended.outputs["counts"]) == {"install": 1, "issue": 1}
    assert ended.outputs["applied"] == "{}"
    assert house.held() == {"web"}
    assert house.conclusions(pushed) == ["failure"]
    assert "::error title=issue certificate/api was refused,file=api.yaml,line=1" in ended.log
    assert "1 commit came by no pull request" in ended.summary
    assert "issue certificate/api: not reviewed" in ended.log
    assert "install certificate/api@edge: not reviewed" in ended.log


def test_a_push_that_changes_nothing_needs_no_review(house: House) -> None:
    pushed = house.github.commit({"README": "words"})
    ended = house.apply()
    assert (ended.code, ended.reason) == (0, "")
    assert house.conclusions(pushed) == ["success"]


def test_what_differs_from_the_review_is_refused_and_the_rest_is_applied(house: House) -> None:
    house.github.commit({"config/profiles.yaml": PROFILE.replace("DURATION", "30d")})
    pull = house.github.pull({"api.yaml": LEAN, "docs.yaml": certificate("docs")})
    assert house.plan_job(pull).code == 0
    house.github.commit({"config/profiles.yaml": PROFILE.replace("DURATION", "20d")})
    merged = house.github.merge(pull.number)
    ended = house.apply()
    assert (ended.code, ended.reason) == (3, "unreviewed")
    assert house.held() == {"web", "docs"}
    assert house.conclusions(merged) == ["failure"]
    (comment,) = house.github.comments(pull.number, BOT)
    assert "> **Refused** in [this run](" in comment.body
    assert "2 applied (1 issued, 1 installed), 2 refused" in comment.body
    assert "<details><summary>2 changes refused</summary>" in comment.body
    assert "Open a pull request, so that its plan shows this, and merge that." in comment.body


def test_what_was_refused_is_applied_once_it_is_reviewed(house: House) -> None:
    house.github.commit({"api.yaml": certificate("api")})
    assert house.apply().code == 3
    house.merged({"README": "words"})
    assert house.apply().code == 0
    assert house.held() == {"web", "api"}


def test_time_needs_no_review_unless_it_is_asked_for(house: House) -> None:
    house.brief()
    house.github.commit({"api.yaml": certificate("api")})
    strict = house.apply(allow_unreviewed="none")
    assert (strict.code, strict.reason) == (3, "unreviewed")
    assert "4 refused" in strict.summary
    ended = house.apply()
    assert (ended.code, ended.reason) == (3, "unreviewed")
    assert "2 applied (1 renewed, 1 installed), 2 refused" in ended.summary
    assert house.held() == {"web", "brief"}


def test_what_changed_in_the_world_since_the_review_is_not_taken_away(house: House) -> None:
    pull = house.propose({"web.yaml": None})
    house.replace("certificate/web")
    house.github.merge(pull.number)
    ended = house.apply()
    assert (ended.code, ended.reason) == (3, "unreviewed")
    assert house.held() == {"web"}


def test_whatever_the_plan_says_is_applied_where_that_is_asked_for(house: House) -> None:
    house.github.commit({"api.yaml": certificate("api")})
    assert house.apply(apply_mode="any").code == 0
    assert house.held() == {"web", "api"}


def moving(house: House) -> dict[str, str | None]:
    """Return documents that move an empty target, and install something there."""
    targets = house.text("config/targets.yaml").replace("live/mesh", "live/elsewhere")
    return {"config/targets.yaml": targets, "api.yaml": certificate("api", target="mesh")}


def test_another_place_is_spoken_to_once_that_was_reviewed(house: House) -> None:
    house.merged(moving(house))
    ended = house.apply()
    assert ended.code == 0, ended.log
    assert "3 applied (1 issued, 1 installed, 1 configured)" in ended.summary
    assert house.held("elsewhere") == {"api"}


def test_another_place_that_nobody_reviewed_is_not_spoken_to(house: House) -> None:
    merged, only = moving(house), "config/targets.yaml"
    house.github.commit({only: merged.pop(only)})
    house.merged(merged)
    ended = house.apply()
    assert (ended.code, ended.reason) == (3, "unreviewed")
    assert "configure target/mesh: not reviewed" in ended.log
    assert "requires configure target/mesh" in ended.log
    assert "Take the change of who is spoken to back from the branch" in ended.summary
    assert "for the rest" not in ended.summary
    assert (house.held("elsewhere"), house.held("mesh")) == (set(), set())
    assert house.apply(apply_mode="any").code == 0
    assert house.held("elsewhere") == {"api"}


def test_a_forged_check_run_approves_nothing(house: House) -> None:
    pull = house.github.pull({"api.yaml": certificate("api")})
    house.show(pull)
    (check,) = house.github.checks(pull.head, PLAN)
    check.app = "somebody"
    house.github.add_check(house.github.merge(pull.number), APPLY, app="somebody")
    ended = house.apply()
    assert (ended.code, ended.reason) == (3, "unreviewed")
    assert "no plan of it can be read" in ended.summary
    assert house.held() == {"web"}


def test_documents_that_are_not_valid_apply_nothing(house: House) -> None:
    merged = house.merged({"api.yaml": certificate("api")})
    house.github.commit(
        {"web.yaml": certificate("web").replace("issuerRef: root", "issuerRef: no")}
    )
    ended = house.apply()
    assert (ended.code, ended.reason) == (1, "invalid")
    assert "::error title=" in ended.log
    assert "file=web.yaml" in ended.log
    assert house.held() == {"web"}
    (check,) = house.github.checks(house.github.tip(), APPLY)
    assert check.given["conclusion"] == "failure"
    assert [each["path"] for each in check.annotations] == ["web.yaml"]
    assert merged != house.github.tip()
