"""Nothing was applied by a workflow yet: who may be spoken to is what was there before the first review."""

from merge_documents import certificate
from merge_house import LABEL, House

FILES = {"web.yaml": certificate("web"), "README": "words"}


def moved(house: House) -> dict[str, str]:
    return {
        "config/targets.yaml": house.text("config/targets.yaml").replace("live/mesh", "live/other")
    }


def test_the_first_pull_request_is_applied_as_it_was_shown(bare: House) -> None:
    pull = bare.github.pull({**bare.documents(), **FILES})
    planned = bare.plan_job(pull)
    assert planned.code == 0, planned.log
    merged = bare.github.merge(pull.number)
    ended = bare.apply()
    assert ended.code == 0, ended.log
    assert bare.held() == {"web"}
    assert bare.conclusions(merged) == ["success"]
    assert f"({LABEL})" in ended.summary
    assert not bare.plan(merged).changes


def test_the_first_two_pull_requests_may_be_applied_at_once(bare: House) -> None:
    for files in ({**bare.documents(), **FILES}, {"api.yaml": certificate("api", target="mesh")}):
        pull = bare.github.pull(files)
        assert bare.plan_job(pull).code == 0
        bare.github.merge(pull.number)
    ended = bare.apply()
    assert ended.code == 0, ended.log
    assert (bare.held(), bare.held("mesh")) == ({"web"}, {"api"})


def test_a_first_push_that_nobody_reviewed_speaks_to_nobody(bare: House) -> None:
    bare.github.commit({**bare.documents(), **FILES})
    ended = bare.apply()
    assert (ended.code, ended.reason) == (3, "refused")
    assert "where the ledger is was changed, and that was not reviewed" in ended.summary
    assert (ended.outputs["changes"], ended.outputs["counts"]) == ("0", "{}")
    assert not (bare.live / "edge").exists()
    bare.merged({"README": "more"})
    assert bare.apply().code == 0
    assert bare.held() == {"web"}


def test_a_branch_of_one_commit_trusts_nobody(bare: House) -> None:
    sha = bare.github.commit({**bare.documents(), **FILES})
    root = bare.github.bare.commit_tree(bare.github.bare.tree(sha), message="All at once")
    bare.github.bare.update("refs/heads/main", root)
    ended = bare.apply()
    assert (ended.code, ended.reason) == (3, "refused")
    assert not (bare.live / "edge").exists()


def test_a_repository_that_comes_to_it_later_goes_on_with_what_it_has(house: House) -> None:
    house.forget()
    pushed = house.github.commit({"README": "workflows"})
    ended = house.apply()
    assert (ended.code, ended.reason) == (0, "")
    assert house.conclusions(pushed) == ["success"]
    house.forget()
    house.merged({"api.yaml": certificate("api")})
    assert house.apply().code == 0
    assert house.held() == {"web", "api"}


def test_what_came_past_the_first_review_is_not_spoken_to(house: House) -> None:
    house.forget()
    house.merged({"api.yaml": certificate("api")})
    house.github.commit(moved(house))
    house.merged({"docs.yaml": certificate("docs", target="mesh")})
    ended = house.apply()
    assert (ended.code, ended.reason) == (3, "unreviewed")
    assert "configure target/mesh: not reviewed" in ended.log
    assert (house.held(), house.held("other")) == ({"web", "api"}, set())


def test_a_first_push_that_moves_a_target_is_refused(house: House) -> None:
    house.forget()
    house.github.commit({**moved(house), "api.yaml": certificate("api", target="mesh")})
    ended = house.apply()
    assert (ended.code, ended.reason) == (3, "unreviewed")
    assert "configure target/mesh: not reviewed" in ended.log
    assert not (house.live / "other").exists()
