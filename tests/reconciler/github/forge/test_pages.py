"""What certform reads and writes on GitHub's pages, over real HTTP, held to GitHub's own description."""

from dataclasses import replace
from itertools import islice
from typing import Any

import pytest
from github_emulator import BOT, GitHub, Method
from github_rig import forge_at
from github_state import Pull

from reconciler.github.forge import ACTIONS, Commit, ForgeError, NewCheck
from reconciler.github.workflow import Annotation, Level


def asked(github: GitHub) -> list[str]:
    return [each.operation for each in github.requests]


def new_check(sha: str, **more: Any) -> NewCheck:
    plain = NewCheck("certform plan (prod)", sha, "success", "No changes", "Nothing.")
    return replace(plain, **more)


def remarks(count: int) -> list[Annotation]:
    return [Annotation(Level.WARNING, "a", "b", "web.yaml", line) for line in range(1, count + 1)]


def test_nothing_is_asked_before_it_is_needed(github: GitHub) -> None:
    forge_at(github)
    assert github.wire.asked == []


@pytest.mark.parametrize("login", [BOT, "octocat"])
def test_the_token_says_whose_it_is(github: GitHub, login: str) -> None:
    assert forge_at(github, github.token(login)).login() == login


def test_a_token_that_may_not_say_so_is_taken_for_the_workflows(github: GitHub) -> None:
    assert forge_at(github, github.token(known=False)).login() == BOT


def test_a_pull_request_is_read(github: GitHub, pull: Pull) -> None:
    found = forge_at(github).pull(pull.number)
    assert (found.number, found.head, found.base) == (1, pull.head, github.tip())
    assert (found.onto, found.foreign, found.merged) == ("main", False, False)


def test_a_pull_request_from_a_fork_is_foreign(github: GitHub) -> None:
    theirs = github.pull({"web.yaml": "x"}, fork="stranger/pki")
    assert forge_at(github).pull(theirs.number).foreign


@pytest.mark.parametrize("method", ["merge", "squash", "rebase"])
def test_a_commit_tells_which_pull_request_it_came_by(github: GitHub, method: Method) -> None:
    pull = github.pull({"a.yaml": "a"})
    github.pull({"b.yaml": "b"})
    after = github.merge(pull.number, method)
    [found] = forge_at(github).pulls_of(after)
    assert (found.number, found.head, found.merged) == (pull.number, pull.head, True)


def test_a_commit_that_was_pushed_came_by_none(github: GitHub, pull: Pull) -> None:
    assert forge_at(github).pulls_of(github.commit({"x.yaml": "x"})) == ()


def test_commits_come_newest_first_with_their_parents(github: GitHub, pull: Pull) -> None:
    before = github.tip()
    after = github.merge(pull.number)
    merge, *rest = forge_at(github).commits(after)
    assert merge == Commit(after, (before, pull.head))
    assert {each.sha for each in rest} == {before, pull.head}


def test_commits_are_asked_for_page_by_page(github: GitHub) -> None:
    tip, tree = github.tip(), github.bare.tree(github.tip())
    for number in range(120):
        tip = github.bare.commit_tree(tree, tip, message=f"Commit {number}")
    commits = forge_at(github).commits(tip)
    assert len(list(islice(commits, 100))) == 100
    assert asked(github) == ["repos/list-commits"]
    assert len(list(commits)) == 21
    assert asked(github) == ["repos/list-commits"] * 2


def test_a_branch_with_slashes_and_signs_has_a_tip(github: GitHub) -> None:
    sha = github.commit({"a": "b"}, "feature/grün#1%20&")
    assert forge_at(github).tip("feature/grün#1%20&") == sha


def test_all_pages_of_comments_are_read_oldest_first(github: GitHub, pull: Pull) -> None:
    github.add_comments(pull.number, 150)
    github.add_comments(pull.number, 1, author="ghostly", body="the last")
    found = list(forge_at(github).comments(pull.number))
    assert [found[0].body, found[149].body, found[150].body] == [
        "Comment 0",
        "Comment 149",
        "the last",
    ]
    assert found[150].author == "ghostly"
    assert asked(github) == ["issues/list-comments"] * 2


def test_a_comment_is_written_and_replaced(github: GitHub, pull: Pull) -> None:
    forge = forge_at(github)
    made = forge.comment(pull.number, "first\n\n| ✅ |")
    assert (made.author, made.body) == (BOT, "first\n\n| ✅ |")
    assert forge.edit_comment(made.id, "second").id == made.id
    assert [each.body for each in github.comments(pull.number)] == ["second"]


def test_a_check_run_is_made_whole_and_found_again(github: GitHub, pull: Pull) -> None:
    forge = forge_at(github)
    text = '{"v": 1}\nYWJj'
    made = forge.create_check(
        new_check(pull.head, text=text, external_id="4711/1", details_url="https://ci.example/1")
    )
    assert forge.checks(pull.head, "certform plan (prod)") == (made,)
    assert (made.app, made.text, made.external_id) == (ACTIONS, text, "4711/1")
    assert (made.title, made.conclusion) == ("No changes", "success")
    assert github.checks(pull.head)[0].given["details_url"] == "https://ci.example/1"


@pytest.mark.parametrize(("count", "requests"), [(0, 1), (50, 1), (51, 2), (120, 3)])
def test_annotations_go_in_as_many_requests_as_they_take(
    github: GitHub, pull: Pull, count: int, requests: int
) -> None:
    forge_at(github).create_check(new_check(pull.head, text="kept", annotations=remarks(count)))
    [check] = github.checks(pull.head)
    assert [each["start_line"] for each in check.annotations] == list(range(1, count + 1))
    assert asked(github) == ["checks/create", *["checks/update"] * (requests - 1)]
    assert (check.text, check.given["conclusion"]) == ("kept", "success")


def test_so_many_annotations_are_made_as_github_takes_in_a_minute(
    github: GitHub, pull: Pull
) -> None:
    forge_at(github).create_check(new_check(pull.head, annotations=remarks(1_200)))
    [check] = github.checks(pull.head)
    assert len(check.annotations) == 1_000
    assert check.annotations[-1]["title"] == "201 more"
    assert len(asked(github)) == 20


def test_an_annotation_on_no_file_or_line_is_still_made(github: GitHub, pull: Pull) -> None:
    given = [Annotation(Level.ERROR, "t", ""), Annotation(Level.NOTICE, "t", "m", "f.yaml", 3, 7)]
    forge_at(github).create_check(new_check(pull.head, annotations=given))
    nowhere, there = github.checks(pull.head)[0].annotations
    assert (nowhere["path"], nowhere["start_line"], nowhere["message"]) == (".github", 1, "t")
    assert (nowhere["annotation_level"], there["annotation_level"]) == ("failure", "notice")
    assert (there["start_line"], there["start_column"], there["end_column"]) == (3, 7, 7)


def test_completed_check_runs_of_one_name_come_newest_first(github: GitHub, pull: Pull) -> None:
    name = "certform plan (prod)"
    made = [github.add_check(pull.head, name, text=str(each)) for each in range(130)]
    github.add_check(pull.head, name, app="somebody")
    github.add_check(pull.head, f"{name}, page 2")
    github.add_check(pull.head, name, conclusion="")
    github.add_check(github.tip(), name)
    found = forge_at(github).checks(pull.head, name)
    assert found[0].app == "somebody"
    assert [each.id for each in found[1:]] == [each.id for each in reversed(made)]


def test_an_issue_is_opened_with_its_label_and_followed(github: GitHub) -> None:
    forge = forge_at(github)
    made = forge.open_issue("Drift", "body", "certform: drift")
    assert (made.author, made.open, github.state.labels) == (BOT, True, {"certform: drift"})
    closed = forge.edit_issue(made.number, {"state": "closed", "state_reason": "completed"})
    assert not closed.open
    again = forge.edit_issue(made.number, {"state": "open", "title": "More", "body": "new"})
    assert (again.open, again.title, again.body) == (True, "More", "new")
    assert forge.open_issue("Second", "", "certform: drift").number == made.number + 1
    assert list(forge.issues("certform: drift"))[-1] == again


def test_issues_of_a_label_are_read_open_and_closed_without_pull_requests(github: GitHub) -> None:
    for number in range(101):
        github.add_issue(f"issue {number}", label="drift")
    github.state.issues[1].state = "closed"
    github.add_issue("another", label="bug")
    github.pull({"a": "b"}).labels.append("drift")
    found = list(forge_at(github).issues("drift"))
    assert [each.number for each in found] == list(range(101, 0, -1))
    assert not found[-1].open


def test_only_what_is_known_of_an_issue_is_changed(github: GitHub) -> None:
    with pytest.raises(ValueError, match="assignee cannot be changed"):
        forge_at(github).edit_issue(1, {"assignee": "octocat"})


def test_texts_at_the_limit_are_taken(github: GitHub, pull: Pull) -> None:
    forge = forge_at(github)
    forge.comment(pull.number, "✅" * 65_536)
    forge.create_check(new_check(pull.head, text="x" * 65_535, summary="ü" * 32_767 + "x"))
    assert [each.status for each in github.requests] == [201, 201]


def test_texts_beyond_the_limit_are_refused_before_anything_is_sent(
    github: GitHub, pull: Pull
) -> None:
    forge = forge_at(github)
    with pytest.raises(ForgeError, match=r"65,537 characters is more than the 65,536"):
        forge.comment(pull.number, "x" * 65_537)
    with pytest.raises(ForgeError, match="nothing was sent"):
        forge.edit_comment(1, "x" * 65_537)
    with pytest.raises(ForgeError, match="nothing was sent"):
        forge.open_issue("t", "x" * 65_537, "drift")
    with pytest.raises(ForgeError, match=r"summary of 65,536 bytes is more than the 65,535"):
        forge.create_check(new_check(pull.head, summary="ü" * 32_768))
    with pytest.raises(ForgeError, match="text of 65,536 bytes"):
        forge.create_check(new_check(pull.head, text="x" * 65_536))
    assert github.wire.asked == []


def test_titles_and_remarks_that_are_too_long_end_in_an_ellipsis(
    github: GitHub, pull: Pull
) -> None:
    forge = forge_at(github)
    assert forge.open_issue("t" * 300, "", "drift").title == "t" * 254 + "…"
    remark = Annotation(Level.ERROR, "t" * 300, "ü" * 40_000, "f", 1)
    assert (
        forge.create_check(new_check(pull.head, title="t" * 300, annotations=[remark])).title[-1]
        == "…"
    )
    [made] = github.checks(pull.head)[0].annotations
    assert (len(made["title"]), made["message"][-1]) == (255, "…")
    assert len(made["message"].encode()) < 64_000
