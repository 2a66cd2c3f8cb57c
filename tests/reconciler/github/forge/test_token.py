"""The token goes to the addresses that the runner named and to no other, and is in nothing that is told."""

import logging
import re
import traceback
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from github_answers import json_text, said
from github_emulator import GitHub
from github_rig import forge_at, hasty, run_of
from github_state import Pull
from wire import Request, Response, Way, Wire

from providers.secret import Secret
from reconciler.github.forge import Forge, ForgeError, NewCheck
from reconciler.github.rest import Patience, Rest

REDIRECTS = [301, 302, 303, 307, 308]


@pytest.fixture
def github(tmp_path: Path) -> Iterator[GitHub]:
    with GitHub.running(tmp_path, enterprise=True) as github:
        github.commit({"certform.yaml": "kind: Project"})
        yield github


@pytest.fixture
def elsewhere() -> Iterator[Wire]:
    """Another server, which must never be asked for anything."""
    with Wire(lambda _: Response(200, b"[]"), lambda request: request.target).running() as wire:
        yield wire
    assert wire.asked == []


def calls(forge: Forge, pull: Pull) -> dict[str, Callable[[], object]]:
    """Return one call of each kind, by the operation that GitHub calls it."""
    check = NewCheck("plan", pull.head, "success", "t", "s")
    return {
        "graphql": forge.login,
        "pulls/get": lambda: forge.pull(pull.number),
        "issues/list-comments": lambda: list(forge.comments(pull.number)),
        "checks/list-for-ref": lambda: forge.checks(pull.head, "plan"),
        "checks/create": lambda: forge.create_check(check),
        "issues/create-comment": lambda: forge.comment(pull.number, "x"),
        "issues/update-comment": lambda: forge.edit_comment(1, "x"),
    }


@pytest.mark.parametrize("status", REDIRECTS)
def test_a_redirect_is_followed_nowhere(
    github: GitHub, pull: Pull, elsewhere: Wire, status: int
) -> None:
    forge = hasty(github)
    for operation, call in calls(forge, pull).items():
        github.wire.fail(
            operation, Way.REFUSED, said(status, "moved", Location=f"{elsewhere.url}/repos/x")
        )
        with pytest.raises(ForgeError, match="has moved"):
            call()
    assert set(github.wire.counts.values()) == {1}


@pytest.mark.parametrize("status", REDIRECTS)
def test_a_redirect_to_the_same_server_would_lose_what_was_asked(
    github: GitHub, pull: Pull, status: int
) -> None:
    location = f"{github.api_url}/repositories/1/commits"
    github.wire.fail("repos/list-commits", Way.REFUSED, said(status, "moved", Location=location))
    with pytest.raises(ForgeError, match="has moved"):
        list(hasty(github).commits(pull.head))
    assert github.wire.asked == ["repos/list-commits"]


@pytest.mark.parametrize(
    "address",
    [
        "{elsewhere}/api/v3/repos/acme/pki/issues/1/comments?page=2",
        "//127.0.0.1:{port}/api/v3/repos",
        "http://x@127.0.0.1:{port}/api/v3/repos",
        "http://127.0.0.1:{port}@127.0.0.1:{other}/api/v3/repos",
        "https://127.0.0.1:{port}/api/v3/repos",
        "http://localhost:{port}/api/v3/repos",
        "http://sub.127.0.0.1:{port}/api/v3/repos",
        "http://127.0.0.1/api/v3/repos",
        "http://127.0.0.1:{port}/api/v33/repos",
        "http://127.0.0.1:{port}/elsewhere",
        "/api/v3/repos?page=2",
        "file:///etc/passwd",
    ],
)
def test_a_next_page_elsewhere_is_not_asked_for(
    github: GitHub, pull: Pull, elsewhere: Wire, address: str
) -> None:
    named = {"elsewhere": elsewhere.url, "port": github.wire.port, "other": elsewhere.port}
    link = f'<{address.format(**named)}>; rel="next"'
    github.wire.fail("issues/list-comments", Way.REFUSED, json_text("[]", Link=link))
    with pytest.raises(ForgeError, match="next page is not below"):
        list(forge_at(github).comments(pull.number))
    assert github.wire.asked == ["issues/list-comments"]


@pytest.mark.parametrize(
    ("address", "following", "same"),
    [
        ("https://ghe.example/api/v3", "https://GHE.example:443/api/v3/x?page=2", True),
        ("https://ghe.example/api/v3/", "https://ghe.example/api/v3/x", True),
        ("https://api.github.com", "https://api.github.com/repositories/1/x?page=2", True),
        ("https://api.github.com", "https://github.com/x", False),
        ("https://api.github.com", "http://api.github.com/x", False),
        ("https://api.github.com", "https://api.github.com.evil.example/x", False),
        ("https://api.github.com", "https://api.github.com:8443/x", False),
        ("https://api.github.com", "https://api.github.com@evil.example/x", False),
        ("https://api.github.com", "https://evil@api.github.com/x", False),
        ("https://api.github.com", "https://api.github.com:port/x", False),
        ("https://ghe.example/api/v3", "https://ghe.example/login/oauth", False),
    ],
)
def test_a_page_is_below_an_address_or_it_is_not(address: str, following: str, same: bool) -> None:
    rest = Rest(address, Secret(b"x"), Patience())
    assert rest._is_below(following) is same


def test_pages_that_link_to_each_other_come_to_an_end(
    github: GitHub, pull: Pull, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("reconciler.github.rest._MOST_PAGES", 3)
    link = f'<{github.api_url}/repos/acme/pki/issues/1/comments>; rel="next"'
    answer = json_text("[]", Link=link)
    github.wire.fail("issues/list-comments", Way.REFUSED, answer, times=None)
    with pytest.raises(ForgeError, match="has no end"):
        list(forge_at(github).comments(pull.number))


def test_the_credentials_of_the_machine_are_not_sent_in_its_place(
    github: GitHub, pull: Pull, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login somebody password theirs\n")
    monkeypatch.setenv("NETRC", str(netrc))
    assert forge_at(github).pull(pull.number).number == pull.number


@pytest.mark.parametrize(
    "answer",
    [
        said(401, "Bad credentials: token {token}"),
        said(403, "not {token}"),
        said(404, "no {token}"),
        said(422, "wrong {token}"),
        said(500, "broken {token}"),
        said(429, "slower {token}", Retry_After="3600"),
        said(301, "moved {token}", Location="http://127.0.0.1:1/{token}"),
        Response(200, b"<p>{token}</p>", {"Content-Type": "text/{token}"}),
        json_text('["{token}'),
        json_text("[]", Link='<http://127.0.0.1:1/{token}>; rel="next"'),
    ],
)
def test_the_token_is_in_no_error_even_if_an_answer_quotes_it(
    github: GitHub, pull: Pull, answer: Response
) -> None:
    token = github.token()

    def quoting(text: str) -> str:
        return text.replace("{token}", token)

    told = Response(
        answer.status,
        quoting(answer.body.decode()).encode(),
        {name: quoting(value) for name, value in answer.headers.items()},
    )
    forge = hasty(github, token)
    github.wire.fail("*", Way.REFUSED, told, times=None)
    for call in calls(forge, pull).values():
        with suppress(ForgeError):
            call()
            continue
        with pytest.raises(ForgeError) as caught:
            call()
        assert token not in "".join(traceback.format_exception(caught.value))
        assert token not in f"{caught.value} {caught.value!r} {caught.value.diagnostics}"


def test_the_token_is_in_no_log_and_no_picture_of_the_forge(
    github: GitHub, pull: Pull, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    token = github.token()
    forge = hasty(github, token)
    for operation, call in calls(forge, pull).items():
        with suppress(ForgeError):
            call()
        github.wire.fail(operation, Way.DROPPED)
        with suppress(ForgeError):
            call()
    assert len(caplog.records) > 20
    seen = (caplog.text, *(str(vars(record)) for record in caplog.records))
    assert not [text for text in seen if token in text]
    assert token not in f"{forge!r} {vars(forge)}"


@pytest.mark.parametrize(
    "text", ["", "two words", "first\nsecond", "gh\x00", "ghs_é", "a\r\nX-Evil: b"]
)
def test_what_is_no_token_is_not_sent_and_not_shown(github: GitHub, text: str) -> None:
    with pytest.raises(ForgeError, match=re.escape("the input `token` is no token")) as caught:
        Forge.at(run_of(github), Secret(text.encode()))
    assert not text or text not in "".join(traceback.format_exception(caught.value))


def test_the_token_is_in_the_header_that_github_reads_and_nowhere_else(
    github: GitHub, pull: Pull
) -> None:
    requests: list[Request] = []
    served = github.wire.service

    def noted(request: Request) -> Response:
        requests.append(request)
        return served(request)

    github.wire.service = noted
    token = github.token()
    for call in calls(forge_at(github, token), pull).values():
        with suppress(ForgeError):
            call()
    for request in requests:
        others = {name: value for name, value in request.headers.items() if name != "authorization"}
        assert token in request.headers["authorization"]
        assert token not in f"{request.target} {others} {request.body!r}"
