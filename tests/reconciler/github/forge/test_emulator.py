"""The GitHub of the tests: it is as GitHub describes itself, and does with git what GitHub does."""

import json
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request as Asking
from urllib.request import urlopen

import github_events as events
import pytest
import wire
from github_description import description
from github_emulator import BOT, NOWHERE, GitHub, Method
from github_events import Event
from github_rig import forge_at
from github_service import SERVE
from github_state import Pull
from github_tokens import NEEDS

from reconciler.github.forge import ForgeDenied, ForgeError, NewCheck
from reconciler.github.run import Run
from reconciler.github.workflow import Annotation, Level

SHAPES = json.loads((Path(events.__file__).parent / "github_events.json").read_text())["events"]


def test_every_operation_is_served_and_has_its_permission() -> None:
    described = {each.id for each in description().operations}
    assert described == set(SERVE) == set(NEEDS)


def test_every_answer_is_as_github_describes_it(github: GitHub, pull: Pull) -> None:
    answers: list[tuple[str, int, Any]] = []
    served = github.wire.service

    def noted(request: wire.Request) -> wire.Response:
        response = served(request)
        answers.append((github.door.operation(request), response.status, json.loads(response.body)))
        return response

    github.wire.service = noted
    forge = forge_at(github)
    comment = forge.comment(pull.number, "x")
    forge.edit_comment(comment.id, "y")
    remarks = [Annotation(Level.ERROR, "t", "m", "f", 1)] * 51
    forge.create_check(NewCheck("n", pull.head, "success", "t", "s", annotations=remarks))
    issue = forge.open_issue("t", "b", "drift")
    forge.edit_issue(issue.number, {"state": "closed"})
    forge.open_issue("t", "b", "drift")
    pull.labels.append("drift")
    for read in (forge.comments(1), forge.issues("drift"), forge.commits(pull.head)):
        assert list(read)
    forge.tip("main")
    after = github.merge(pull.number)
    assert forge.pull(1).merged
    assert forge.pulls_of(after)
    assert forge.checks(pull.head, "n")
    assert {name for name, _, _ in answers} == set(SERVE)
    for name, status, data in answers:
        [operation] = [each for each in description().operations if each.id == name]
        if status < 300:
            assert description().answer_errors(operation, status, data) == [], name


@pytest.mark.parametrize(
    ("method", "path", "body", "complaint"),
    [
        ("GET", "/repos/acme/pki/pulls", None, "is not served here"),
        ("GET", "/repos/acme/pki/commits?shaa=1", None, "no parameter shaa"),
        ("GET", "/repos/acme/pki/issues?state=any", None, "'any' is not one of"),
        ("POST", "/repos/acme/pki/issues/1/comments", {}, "'body' is a required property"),
        ("POST", "/repos/acme/pki/issues", {"title": "t", "bodi": ""}, "no field bodi"),
        ("PATCH", "/repos/acme/pki/issues/1", {"state": "shut"}, "'shut' is not one of"),
        ("POST", "/graphql", {"query": "query { viewer { email } }"}, "GraphQL"),
    ],
)
def test_what_github_does_not_describe_fails_the_test(
    tmp_path: Path, method: str, path: str, body: Any, complaint: str
) -> None:
    def ask(github: GitHub) -> None:
        github.commit({"a": "b"})
        github.pull({"a": "c"})
        headers = {"Authorization": f"token {github.token()}"}
        data = json.dumps(body).encode() if body is not None else None
        with suppress(HTTPError):
            urlopen(Asking(f"{github.wire.url}{path}", data, headers, method=method)).close()

    with pytest.raises(AssertionError, match=complaint), GitHub.running(tmp_path) as github:
        ask(github)


def test_more_than_fifty_annotations_are_not_taken(github: GitHub, pull: Pull) -> None:
    remark = {
        "path": "f",
        "start_line": 1,
        "end_line": 1,
        "annotation_level": "notice",
        "message": "m",
    }
    output = {"title": "t", "summary": "s", "annotations": [remark] * 51}
    body = {"name": "n", "head_sha": pull.head, "output": output}
    [operation] = [each for each in description().operations if each.id == "checks/create"]
    assert list(description().complaints(operation, {}, body))
    output["annotations"] = [remark] * 50
    assert not list(description().complaints(operation, {}, body))


@pytest.mark.parametrize(
    ("method", "parents", "landed"), [("merge", 2, 3), ("squash", 1, 1), ("rebase", 1, 2)]
)
def test_a_pull_request_is_merged_as_the_button_merges_it(
    github: GitHub, pull: Pull, method: Method, parents: int, landed: int
) -> None:
    github.push(pull, {"old.yaml": None})
    before = github.commit({"meanwhile.yaml": "y"})
    after = github.merge(pull.number, method)
    [tip] = github.bare.commits([after])
    assert (github.tip(), len(tip.parents), len(pull.landed)) == (after, parents, landed)
    assert github.bare.git("merge-base", before, after) == before
    files = github.bare.git("ls-tree", "--name-only", after).split()
    assert files == ["certform.yaml", "meanwhile.yaml", "web.yaml"]
    forge = forge_at(github)
    assert [each.number for sha in pull.landed for each in forge.pulls_of(sha)] == [1] * landed
    assert github.bare.tip("refs/pull/1/head") == pull.head


def test_an_open_pull_request_has_the_commit_that_would_be_merged(
    github: GitHub, pull: Pull
) -> None:
    first = github.merge_ref(pull)
    assert github.bare.commits([first])[0].parents == (github.tip(), pull.head)
    github.push(pull, {"web.yaml": "more"})
    second = github.merge_ref(pull)
    github.commit({"meanwhile.yaml": "y"})
    third = github.merge_ref(pull)
    assert len({first, second, third}) == 3
    assert github.bare.commits([third])[0].parents == (github.tip(), pull.head)
    github.commit({"web.yaml": "conflict"})
    assert github.merge_ref(pull) == ""


def test_what_is_pushed_with_git_is_seen(github: GitHub, pull: Pull, tmp_path: Path) -> None:
    clone = tmp_path / "clone"
    github.bare.git("clone", "--quiet", str(github.bare.root), str(clone))
    github.bare.git("-C", str(clone), "commit", "--quiet", "--allow-empty", "-m", "pushed")
    github.bare.git("-C", str(clone), "push", "--quiet", "origin", "HEAD:main", "+HEAD:topic-1")
    [pushed] = github.bare.shas(github.tip(), "^" + pull.base)
    github.merge_ref(pull)
    assert (pull.head, pull.base) == (pushed, pushed)
    assert forge_at(github).tip("main") == pushed


def test_an_open_pull_request_is_named_for_its_commits_until_they_are_on_main(
    github: GitHub, pull: Pull
) -> None:
    forge = forge_at(github)
    assert [each.merged for each in forge.pulls_of(pull.head)] == [False]
    assert forge.pulls_of(github.tip()) == ()


def test_only_the_newest_check_run_of_an_app_is_listed_unless_all_are_asked_for(
    github: GitHub, pull: Pull
) -> None:
    for conclusion in ("success", "failure", ""):
        github.add_check(pull.head, "n", conclusion)
    assert len(_names(github, f"commits/{pull.head}/check-runs?filter=all")) == 3
    assert len(_names(github, f"commits/{pull.head}/check-runs")) == 1
    assert _names(github, f"commits/{pull.head}/check-runs?status=completed") == []


def _names(github: GitHub, page: str) -> list[str]:
    headers = {"Authorization": f"Bearer {github.token()}"}
    with urlopen(Asking(f"{github.api_url}/repos/acme/pki/{page}", headers=headers)) as answer:
        return [each["name"] for each in json.load(answer)["check_runs"]]


def test_others_comments_may_be_edited_and_stay_theirs(github: GitHub, pull: Pull) -> None:
    github.add_comments(pull.number, 1)
    [theirs] = github.comments(pull.number)
    assert forge_at(github).edit_comment(theirs.id, "ours").author == "someone"


def test_a_check_run_is_not_changed_by_another_app(github: GitHub, pull: Pull) -> None:
    theirs = github.add_check(pull.head, "n", app="somebody")
    ours = forge_at(github)
    data = {"output": {"title": "t", "summary": "s"}}
    with pytest.raises(ForgeDenied, match="Invalid app_id"):
        ours._send("PATCH", f"check-runs/{theirs.id}", dict, data)


def test_texts_beyond_githubs_limits_are_refused_there_too(github: GitHub, pull: Pull) -> None:
    forge = forge_at(github)
    with pytest.raises(ForgeError, match=r"Body is too long \(maximum is 65536 characters\)"):
        forge._send("POST", "issues/1/comments", dict, {"body": "x" * 65_537})
    check = {"name": "n", "head_sha": pull.head, "output": {"title": "t", "summary": "ü" * 40_000}}
    with pytest.raises(ForgeError, match="exceeds a maximum bytesize of 65535"):
        forge._send("POST", "check-runs", dict, check)


def told(github: GitHub, pull: Pull) -> Mapping[str, Event]:
    before = github.tip()
    return {
        "opened": events.pull_request(github, pull),
        "synchronize": events.pull_request(github, pull, "synchronize", BOT),
        "push": events.push(github, before, github.commit({"new.yaml": "x"})),
        "created": events.push(github, NOWHERE),
        "dispatch": events.workflow_dispatch(github, {"command": "apply"}),
        "schedule": events.schedule(github),
        "group": events.merge_group(github, pull),
    }


def test_events_have_nothing_that_githubs_have_not(github: GitHub, pull: Pull) -> None:
    for name, event in told(github, pull).items():
        shape = SHAPES.get(event.name, SHAPES["workflow_dispatch"] | {"schedule": "string"})
        assert list(_strange(event.payload, shape, name)) == []


def _strange(value: Any, shape: Any, path: str) -> Iterator[str]:
    """Yield where a value is not of the shape of GitHub's examples; null may stand for an object."""
    kind = {bool: "boolean", int: "number", str: "string", type(None): "null"}.get(type(value), "")
    if shape == {}:  # inputs are whatever a workflow calls them
        return
    if isinstance(value, dict) and isinstance(shape, dict):
        for name, each in value.items():
            if name in shape:
                yield from _strange(each, shape[name], f"{path}.{name}")
            else:
                yield f"{path}.{name}"
    elif isinstance(value, list) and isinstance(shape, list):
        for each in value:
            yield from _strange(each, shape[0], path) if shape else (path,)
    elif kind not in (shape.split("|") if isinstance(shape, str) else ("null",)):
        yield f"{path}: {value!r} is not {shape}"


def test_events_are_read_by_certform_as_what_they_are(
    github: GitHub, pull: Pull, tmp_path: Path
) -> None:
    runs = {
        name: Run.from_environment(event.variables(github, tmp_path / name))
        for name, event in told(github, pull).items()
    }
    opened, sync, push = runs["opened"], runs["synchronize"], runs["push"]
    assert opened.pull is not None
    assert (opened.pull.number, opened.pull.head, opened.ref) == (1, pull.head, "refs/pull/1/merge")
    assert github.bare.commits([opened.sha])[0].parents == (opened.pull.base, opened.pull.head)
    assert (sync.actor, sync.untrusted) == (BOT, False)
    assert (push.branch, push.sha, push.pull) == ("main", github.tip(), None)
    assert runs["group"].branch.startswith("gh-readonly-queue/main/pr-1-")
    assert [runs[name].event for name in ("dispatch", "schedule")] == [
        "workflow_dispatch",
        "schedule",
    ]


def test_a_fork_and_a_bot_are_told_as_untrusted(github: GitHub, tmp_path: Path) -> None:
    fork = github.pull({"a.yaml": "a"}, fork="stranger/pki", author="stranger")
    bot = github.pull({"b.yaml": "b"}, author="dependabot[bot]")
    for pull in (fork, bot):
        event = events.pull_request(github, pull)
        assert Run.from_environment(event.variables(github, tmp_path)).untrusted
    assert github.tip(fork.branch) == ""
    assert github.bare.tip(f"refs/pull/{fork.number}/head") == fork.head
