"""GitHub on a bad day: what is repeated, how long is waited, and that nothing is made twice."""

import socket
from collections.abc import Callable
from pathlib import Path

import pytest
from github_answers import (
    bad_gateway,
    json_text,
    page_for_people,
    primary_limit,
    said,
    secondary_limit,
    too_many,
)
from github_emulator import GitHub
from github_rig import forge_at, hasty, run_of
from github_state import Pull
from wire import Response, Tls, Way, Wire

from providers.secret import Secret
from reconciler.github.errors import ForgeDenied, ForgeError, ForgeIncomplete
from reconciler.github.forge import Forge, NewCheck
from reconciler.github.rest import Patience, Rest
from reconciler.github.workflow import Annotation, Level

TOKEN = Secret(b"ghs_token")


def forge_to(url: str) -> Forge:
    """Return a repository at an address, where hardly anything is waited for."""
    rest = Rest(url, TOKEN, Patience(0.2))
    return Forge("acme/pki", rest, rest)


@pytest.mark.parametrize("answer", [bad_gateway(), Response(503), Response(500, b"<html>")])
def test_a_page_is_asked_for_again_after_a_server_error(
    github: GitHub, pull: Pull, answer: Response
) -> None:
    github.wire.fail("pulls/get", Way.REFUSED, answer)
    assert forge_at(github).pull(pull.number).number == pull.number
    assert github.wire.counts["pulls/get"] == 2


@pytest.mark.parametrize("way", [Way.DROPPED, Way.UNANSWERED])
def test_a_page_is_asked_for_again_after_a_broken_connection(
    github: GitHub, pull: Pull, way: Way
) -> None:
    github.wire.fail("pulls/get", way)
    assert forge_at(github).pull(pull.number).number == pull.number


def test_each_page_of_a_list_is_repeated_by_itself(github: GitHub, pull: Pull) -> None:
    github.add_comments(pull.number, 150)
    comments = forge_at(github).comments(pull.number)
    assert next(comments).body == "Comment 0"
    github.wire.fail("issues/list-comments", Way.REFUSED, bad_gateway())
    assert len(list(comments)) == 149
    assert github.wire.counts["issues/list-comments"] == 3


@pytest.mark.parametrize("limit", [too_many(1), secondary_limit(1), primary_limit(0)])
def test_a_limit_of_requests_is_waited_for_and_nothing_is_made_twice(
    github: GitHub, pull: Pull, limit: Response
) -> None:
    github.wire.fail("issues/create-comment", Way.REFUSED, limit)
    forge_at(github).comment(pull.number, "once")
    assert len(github.comments(pull.number)) == 1
    assert github.wire.counts["issues/create-comment"] == 2


@pytest.mark.parametrize("limit", [too_many(3600), secondary_limit(3600), primary_limit(3600)])
def test_a_pause_that_is_too_long_is_not_begun(github: GitHub, pull: Pull, limit: Response) -> None:
    github.wire.fail("pulls/get", Way.REFUSED, limit, times=None)
    with pytest.raises(ForgeError, match="fewer requests for a while") as caught:
        forge_at(github).pull(pull.number)
    assert not isinstance(caught.value, ForgeDenied)
    assert github.wire.counts["pulls/get"] == 1


def test_a_minute_is_waited_where_github_does_not_say_how_long(github: GitHub, pull: Pull) -> None:
    github.wire.fail("pulls/get", Way.REFUSED, secondary_limit(), times=None)
    with pytest.raises(ForgeError, match="fewer requests"):
        hasty(github, patience=59).pull(pull.number)
    assert github.wire.counts["pulls/get"] == 1


def test_patience_is_for_everything_that_is_asked(github: GitHub, pull: Pull) -> None:
    github.wire.fail("*", Way.REFUSED, bad_gateway(), times=None)
    forge = hasty(github)
    for _ in range(2):
        with pytest.raises(ForgeError, match=r"GitHub answered 502 \(Server Error\)"):
            forge.pull(pull.number)
    # the first pause takes no time, the second is more than there is
    assert github.wire.counts["pulls/get"] == 4


@pytest.mark.parametrize(
    ("way", "answer"),
    [
        (Way.DROPPED, Response(500)),
        (Way.UNANSWERED, Response(500)),
        (Way.REFUSED, bad_gateway()),
        (Way.MISANSWERED, bad_gateway()),
    ],
)
def test_a_comment_and_an_issue_with_its_label_are_made_once_whatever_became_of_the_answer(
    github: GitHub, pull: Pull, way: Way, answer: Response
) -> None:
    forge = forge_at(github)
    github.wire.fail("issues/create-comment", way, answer)
    github.wire.fail("issues/create-label", way, answer)
    github.wire.fail("issues/create", way, answer)
    made = forge.comment(pull.number, "once")
    opened = forge.open_issue("Drift", "body", "drift")
    assert [each.id for each in github.comments(pull.number)] == [made.id]
    assert [each.number for each in github.issues] == [opened.number]


def test_the_newest_of_two_check_runs_counts_when_the_first_answer_was_lost(
    github: GitHub, pull: Pull
) -> None:
    forge = forge_at(github)
    github.wire.fail("checks/create", Way.UNANSWERED)
    made = forge.create_check(NewCheck("plan", pull.head, "success", "t", "s", text="x"))
    assert len(github.checks(pull.head, "plan")) == 2
    assert forge.checks(pull.head, "plan")[0] == made


def test_a_check_run_without_its_last_annotations_is_told_apart_from_none(
    github: GitHub, pull: Pull
) -> None:
    remarks = [Annotation(Level.ERROR, "t", "m", "f", 1)] * 120
    github.wire.fail("checks/update", Way.REFUSED, said(422, "no"), times=None)
    told = r"it is there, but for 70 of its annotations: .*\(no\)"
    with pytest.raises(ForgeIncomplete, match=told):
        forge_at(github).create_check(
            NewCheck("plan", pull.head, "success", "t", "s", annotations=remarks)
        )
    assert [len(each.annotations) for each in github.checks(pull.head, "plan")] == [50]


def test_what_is_never_answered_is_given_up_and_told(github: GitHub, pull: Pull) -> None:
    github.wire.fail("issues/create-comment", Way.REFUSED, bad_gateway(), times=None)
    with pytest.raises(ForgeError, match="GitHub answered 502"):
        forge_at(github).comment(pull.number, "never")
    assert github.wire.counts["issues/create-comment"] == 3


def test_changes_are_repeated_since_they_can_be(github: GitHub, pull: Pull) -> None:
    forge = forge_at(github)
    made = forge.comment(pull.number, "first")
    github.wire.fail("issues/update-comment", Way.UNANSWERED)
    assert forge.edit_comment(made.id, "second").body == "second"


def test_the_login_is_asked_for_again_and_not_guessed(github: GitHub) -> None:
    github.wire.fail("graphql", Way.REFUSED, bad_gateway())
    assert forge_at(github, github.token("octocat")).login() == "octocat"
    github.wire.fail("graphql", Way.REFUSED, bad_gateway(), times=None)
    with pytest.raises(ForgeError, match="502"):
        hasty(github).login()


def test_a_login_that_github_cannot_look_up_now_is_not_guessed(github: GitHub) -> None:
    broken = json_text('{"errors": [{"message": "Something went wrong"}]}')
    github.wire.fail("graphql", Way.REFUSED, broken)
    with pytest.raises(ForgeError, match="does not say whose the token is: Something went wrong"):
        forge_at(github).login()


@pytest.mark.parametrize(
    "answer",
    [
        page_for_people(),
        json_text(""),
        json_text('{"number": 1'),
        json_text("nonsense"),
        json_text('{"number": 1}'),
        json_text("[]"),
        json_text("null"),
        Response(204),
        Response(200, b"\xff\xfe\x00", {"Content-Type": "application/json"}),
    ],
)
def test_an_answer_that_is_not_githubs_is_an_error_and_never_nothing(
    github: GitHub, pull: Pull, answer: Response
) -> None:
    forge = forge_at(github)
    for operation in ("pulls/get", "issues/list-comments", "checks/list-for-ref", "graphql"):
        github.wire.fail(operation, Way.REFUSED, answer, times=None)
    asked: list[Callable[[], object]] = [
        lambda: forge.pull(pull.number),
        lambda: forge.checks(pull.head, "plan"),
        forge.login,
    ]
    if answer.body != b"[]":  # that is a list without comments
        asked.append(lambda: list(forge.comments(pull.number)))
    for ask in asked:
        with pytest.raises(ForgeError, match="GitHub"):
            ask()


def test_nobody_listens_at_the_address() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(ForgeError, match=f"127.0.0.1:{port} cannot be reached: .*refused"):
        forge_to(f"http://127.0.0.1:{port}").pull(1)


def test_the_address_has_no_host_behind_it() -> None:
    with pytest.raises(ForgeError, match=r"nowhere\.invalid cannot be reached"):
        forge_to("http://nowhere.invalid").comment(1, "x")


def test_a_server_whose_certificate_nobody_vouches_for_gets_no_token(tmp_path: Path) -> None:
    wire = Wire(lambda _: Response(200), lambda request: request.path, Tls.made(tmp_path))
    with (
        wire.running(),
        pytest.raises(ForgeError, match=r"certificate verify failed.*REQUESTS_CA_BUNDLE"),
    ):
        forge_to(wire.url).pull(1)
    assert wire.asked == []


def test_a_server_that_says_nothing_is_given_up(
    github: GitHub, pull: Pull, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("reconciler.github.rest.TIMEOUT", 1)
    github.wire.fail("pulls/get", Way.SLOW, times=2, seconds=1.5)
    with pytest.raises(ForgeError, match="timed out"):
        hasty(github, patience=0).pull(pull.number)


@pytest.mark.parametrize(
    "address",
    [
        "ftp://example.com",
        "api.github.com",
        "",
        "https://",
        "https://example.com:port",
        "https://name:word@example.com",
        "https://[::1",
    ],
)
def test_an_address_that_is_none_is_told(github: GitHub, address: str) -> None:
    with pytest.raises(ForgeError, match="no address of GitHub's API"):
        Rest(address, TOKEN, Patience())


def test_the_addresses_of_a_server_of_ones_own_are_kept_to(tmp_path: Path) -> None:
    with GitHub.running(tmp_path, enterprise=True) as github:
        github.commit({"a": "b"})
        pull = github.pull({"a": "c"})
        github.add_comments(pull.number, 150)
        forge = Forge.at(run_of(github), Secret(github.token("octocat").encode()))
        assert forge.login() == "octocat"
        assert len(list(forge.comments(pull.number))) == 150
        targets = [each.target for each in github.requests]
    assert targets[0] == "/api/graphql"
    assert all(each.startswith("/api/v3/repos/acme/pki/") for each in targets[1:])


def test_another_mistake_of_a_server_is_told_with_its_words(github: GitHub, pull: Pull) -> None:
    github.wire.fail("issues/list-comments", Way.REFUSED, said(410, "Issues are disabled\x1b[2J"))
    with pytest.raises(ForgeError, match=r"GitHub answered 410 \(Issues are disabled\\x1b"):
        list(forge_at(github).comments(pull.number))
