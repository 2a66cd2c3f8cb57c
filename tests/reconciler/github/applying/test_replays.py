"""What was approved once is no approval of anything else, however the branch came to ask for it."""

import json

from merge_documents import certificate
from merge_house import House

MORE = certificate("web", "web.example.com", "more.example.com")
OTHER = certificate("web", "web.example.com", "other.example.com")


def test_of_two_merges_that_contradict_each_other_the_branch_decides(house: House) -> None:
    house.merged({"web.yaml": MORE})
    house.merged({"web.yaml": OTHER})
    ended = house.apply()
    assert ended.code == 0, ended.log
    assert json.loads(ended.outputs["applied"]) == {"install": 1, "issue": 1}
    assert house.names("web") == {"web.example.com", "other.example.com"}


def test_parts_of_two_plans_make_no_third(house: House) -> None:
    house.merged({"web.yaml": MORE})
    house.merged({"web.yaml": OTHER})
    both = certificate("web", "web.example.com", "more.example.com", "other.example.com")
    house.github.commit({"web.yaml": both})
    ended = house.apply()
    assert (ended.code, ended.reason) == (3, "unreviewed")
    assert house.names("web") == {"web.example.com"}


def test_what_was_applied_and_taken_back_since_is_to_be_reviewed_again(house: House) -> None:
    house.merged({"web.yaml": MORE})
    assert house.apply().code == 0
    house.merged({"web.yaml": certificate("web")})
    assert house.apply().code == 0
    house.github.commit({"web.yaml": MORE})
    ended = house.apply()
    assert (ended.code, ended.reason) == (3, "unreviewed")
    assert house.names("web") == {"web.example.com"}


def test_commits_of_a_pull_request_that_was_closed_were_not_merged(house: House) -> None:
    pull = house.propose({"api.yaml": certificate("api")})
    house.github.close(pull.number)
    house.github.bare.update("refs/heads/main", pull.head)
    ended = house.apply()
    assert (ended.code, ended.reason) == (3, "unreviewed")
    assert house.held() == {"web"}


def test_a_copy_of_a_commit_that_was_shown_elsewhere_was_not_reviewed(house: House) -> None:
    bare = house.github.bare
    house.github.commit({"other": "1"}, branch="other")
    elsewhere = house.github.pull({"api.yaml": certificate("api")}, onto="other")
    house.show(elsewhere)
    merged = house.github.merge(elsewhere.number)
    copy = bare.commit_tree(bare.tree(merged), house.github.tip(), message="Picked")
    bare.update("refs/heads/main", copy)
    ended = house.apply()
    assert (ended.code, ended.reason) == (3, "unreviewed")
    assert house.held() == {"web"}


def test_a_head_that_another_pull_request_showed_too_counts_for_its_own(house: House) -> None:
    """The plan onto another branch, which asks for more, is the newer one on the same commit."""
    house.github.commit({"api.yaml": certificate("api")}, branch="other")
    ours = house.propose({"docs.yaml": certificate("docs")})
    house.show(house.github.pull({}, head=ours.head, onto="other"))
    house.github.merge(ours.number)
    house.github.commit({"api.yaml": certificate("api")})
    ended = house.apply()
    assert (ended.code, ended.reason) == (3, "unreviewed")
    assert house.held() == {"web", "docs"}


def test_what_was_done_and_not_recorded_is_done_already(house: House) -> None:
    merged = house.merged({"api.yaml": certificate("api")})
    assert house.apply(check="false").code == 0
    assert house.conclusions(merged) == []
    again = house.apply()
    assert (again.code, again.outputs["applied"]) == (0, "{}")
    assert "2 reviewed changes not needed any more: done already" in again.summary
    assert house.conclusions(merged) == ["success"]


def test_a_branch_of_another_name_is_applied_by_what_was_merged_there(house: House) -> None:
    tip = house.github.tip()
    house.github.bare.update("refs/heads/production", tip)
    house.github.commit({"web.yaml": MORE})  # main has gone on, unreviewed
    pull = house.github.pull({"api.yaml": certificate("api")}, onto="production")
    house.show(pull)
    house.github.merge(pull.number)
    ended = house.apply(branch="production")
    assert ended.code == 0, ended.log
    assert house.held() == {"web", "api"}
    assert house.names("web") == {"web.example.com"}
