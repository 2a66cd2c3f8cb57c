"""What GitHub refuses, and which permission of the workflow would allow it."""

import sys
from collections.abc import Callable, Iterator

import pytest
from github_emulator import GitHub
from github_rig import forge_at, run_of
from github_state import Pull

from providers.secret import Secret
from reconciler.github.forge import Forge, ForgeDenied, ForgeError, NewCheck
from reconciler.github.refusal import message, permissions, refused


@pytest.fixture(scope="module")
def github(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GitHub]:
    with GitHub.running(tmp_path_factory.mktemp("github")) as github:
        github.commit({"certform.yaml": "kind: Project"})
        github.pull({"web.yaml": "kind: Certificate"})
        yield github


@pytest.fixture
def pull(github: GitHub) -> Pull:
    return github.state.pulls[1]


WRITES: dict[str, tuple[Callable[[Forge, str], object], str]] = {
    "comment": (lambda forge, _: forge.comment(1, "x"), "issues: write or pull-requests: write"),
    "edit": (lambda forge, _: forge.edit_comment(1, "x"), "issues: write or pull-requests: write"),
    "check": (
        lambda forge, sha: forge.create_check(NewCheck("n", sha, "success", "t", "s")),
        "checks: write",
    ),
    "issue": (lambda forge, _: forge.open_issue("t", "b", "l"), "issues: write"),
    "closing": (lambda forge, _: forge.edit_issue(1, {"state": "closed"}), "issues: write"),
}
READINGS: dict[str, tuple[Callable[[Forge, str], object], str]] = {
    "tip": (lambda forge, _: forge.tip("main"), "contents: read"),
    "commits": (lambda forge, sha: list(forge.commits(sha)), "contents: read"),
    "pull": (lambda forge, _: forge.pull(1), "pull-requests: read"),
    "pulls": (lambda forge, sha: forge.pulls_of(sha), "pull-requests: read"),
    "checks": (lambda forge, sha: forge.checks(sha, "n"), "checks: read"),
    "comments": (lambda forge, _: list(forge.comments(1)), "issues: read or pull-requests: read"),
    "issues": (lambda forge, _: list(forge.issues("l")), "issues: read or pull-requests: read"),
}


@pytest.mark.parametrize("name", WRITES)
def test_a_token_that_may_only_read_is_told_what_it_lacks(
    github: GitHub, pull: Pull, name: str
) -> None:
    call, needed = WRITES[name]
    with pytest.raises(ForgeDenied, match=f"may not do this .*needs the permission {needed}"):
        call(forge_at(github, github.token(contents="read", pull_requests="read")), pull.head)
    assert github.requests[-1].status == 403


@pytest.mark.parametrize("name", READINGS)
def test_a_token_without_permissions_is_told_what_it_lacks(
    github: GitHub, pull: Pull, name: str
) -> None:
    call, needed = READINGS[name]
    with pytest.raises(ForgeDenied, match=f"needs the permission {needed}$"):
        call(forge_at(github, github.token(metadata="read")), pull.head)


@pytest.mark.parametrize("name", [*READINGS, "comment"])
def test_a_token_of_another_repository_sees_nothing(github: GitHub, pull: Pull, name: str) -> None:
    call, _ = (READINGS | WRITES)[name]
    with pytest.raises(ForgeDenied, match="or the token may not see it"):
        call(forge_at(github, github.token(known=False)), pull.head)


def test_a_public_repository_is_read_without_permissions(
    github: GitHub, pull: Pull, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(github.state, "private", False)
    forge = forge_at(github, github.token(metadata="read"))
    for call, _ in READINGS.values():
        call(forge, pull.head)
    with pytest.raises(ForgeDenied, match="checks: write"):
        WRITES["check"][0](forge, pull.head)


def test_a_token_that_has_expired_is_told(github: GitHub) -> None:
    with pytest.raises(ForgeDenied, match=r"does not accept the token \(Bad credentials\)"):
        forge_at(github, "ghs_expired").pull(1)


def test_a_persons_token_makes_no_check_run(github: GitHub, pull: Pull) -> None:
    with pytest.raises(ForgeDenied, match="You must authenticate via a GitHub App"):
        WRITES["check"][0](forge_at(github, github.token("octocat")), pull.head)


def test_rights_on_pull_requests_are_enough_for_their_comments_and_not_for_issues(
    github: GitHub,
) -> None:
    forge = forge_at(github, github.token(pull_requests="write"))
    forge.comment(1, "x")
    number = github.add_issue("t").number
    with pytest.raises(ForgeDenied, match="issues: write"):
        forge.comment(number, "x")


def test_what_is_not_there_is_told(github: GitHub) -> None:
    with pytest.raises(ForgeDenied, match="GitHub has no /repos/acme/pki/pulls/99, or the token"):
        forge_at(github).pull(99)
    with pytest.raises(ForgeError, match="No commit found for SHA"):
        forge_at(github).pulls_of("0" * 40)


def test_without_the_library_it_is_told_how_to_get_it(
    github: GitHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in [name for name in sys.modules if name.partition(".")[0] == "github"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.delitem(sys.modules, "reconciler.github.rest", raising=False)
    monkeypatch.setitem(sys.modules, "github", None)
    with pytest.raises(ForgeError, match=r"not installed here: pip install 'certform\[github\]'"):
        Forge.at(run_of(github), Secret(b"x"))


@pytest.mark.parametrize(
    ("header", "words"),
    [
        ("pull_requests=write", "pull-requests: write"),
        ("issues=write; pull_requests=write", "issues: write or pull-requests: write"),
        ("contents=read,pull_requests=write;", "contents: read and pull-requests: write"),
        ("metadata", "metadata"),
        ("", ""),
        ("a=\x1b[2J", r"a: \x1b[2J"),
    ],
)
def test_permissions_are_spelt_as_a_workflow_spells_them(header: str, words: str) -> None:
    assert permissions(header) == words


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ({"message": "Invalid", "errors": [{"message": "too long"}]}, "Invalid; too long"),
        ({"message": "no", "errors": [{"code": "missing", "field": "title"}, "x"]}, "no; missing title; x"),
        ({"message": ["no"], "errors": "odd"}, ""),
        ({"message": "two\nlines"}, "two lines"),
        ("text", ""),
        (None, ""),
    ],
)  # fmt: skip
def test_what_an_answer_says_is_wrong_is_one_line(data: object, words: str) -> None:
    assert message(data) == words


@pytest.mark.parametrize(
    ("status", "said", "denied"),
    [
        (401, "Bad credentials", True),
        (403, "Resource not accessible by integration", True),
        (403, "API rate limit exceeded for user", False),
        (403, "You have exceeded a secondary rate limit", False),
        (403, "", False),
        (404, "Not Found", True),
        (409, "Git Repository is empty.", False),
        (422, "Validation Failed", False),
        (429, "", False),
        (503, "", False),
    ],
)
def test_what_the_token_may_not_do_is_told_from_what_github_cannot(
    status: int, said: str, denied: bool
) -> None:
    assert isinstance(refused(status, {"message": said}, {}, "/x"), ForgeDenied) is denied
