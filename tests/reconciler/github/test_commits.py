"""Commits a job lacks are fetched from the checkout's remote, with the step's token and nothing else."""

import subprocess
from base64 import b64encode
from dataclasses import replace
from pathlib import Path

import pytest
from actions_run import RUN
from wire import Request, Response, Wire

from providers.secret import Secret
from reconciler.git import Git, GitError
from reconciler.github.commits import advertised, basic, credentials, fetched, head, parents

TOKEN = Secret(b"ghs_sesame")


def git(root: Path, *argv: str) -> str:
    author = ("-c", "user.name=Ann", "-c", "user.email=ann@example.com")
    done = subprocess.run(["git", *author, *argv], cwd=root, check=True, capture_output=True)
    return done.stdout.decode().strip()


def committed(root: Path, name: str) -> str:
    (root / name).write_text(name)
    git(root, "add", name)
    git(root, "commit", "--quiet", "-m", name)
    return git(root, "rev-parse", "HEAD")


@pytest.fixture
def origin(tmp_path: Path) -> Path:
    root = tmp_path / "origin"
    root.mkdir()
    git(root, "init", "--quiet", "--initial-branch=main")
    for name in ("one", "two", "three"):
        committed(root, name)
    return root


def cloned(origin: Path, *options: str) -> Path:
    clone = origin.parent / "clone"
    git(origin.parent, "clone", "--quiet", *options, f"file://{origin}", str(clone))
    return clone


def test_a_commit_that_is_there_is_not_asked_for(origin: Path) -> None:
    clone = cloned(origin)
    origin.rename(origin.parent / "gone")
    assert fetched(clone, head(clone)) == head(clone)


def test_a_shallow_clone_gets_one_commit_more_and_stays_shallow(origin: Path) -> None:
    clone = cloned(origin, "--depth=1")
    (before,) = parents(clone, head(clone))
    assert git(clone, "rev-list", "--count", "HEAD") == "1"
    fetched(clone, before)
    assert git(clone, "ls-tree", "--name-only", before).split() == ["one", "two"]
    assert git(clone, "rev-list", "--count", before) == "1"


def test_a_shallow_clone_gets_as_much_history_as_is_asked_for(origin: Path) -> None:
    clone = cloned(origin, "--depth=1")
    (before,) = parents(clone, head(clone))
    fetched(clone, before, depth=2)
    assert git(clone, "rev-list", "--count", before) == "2"


def test_a_whole_clone_stays_whole_and_none_of_its_refs_moves(origin: Path) -> None:
    clone = cloned(origin)
    refs = git(clone, "for-each-ref")
    later = committed(origin, "four")
    fetched(clone, later)
    assert git(clone, "rev-list", "--count", later) == "4"
    assert git(clone, "rev-parse", "--is-shallow-repository") == "false"
    assert git(clone, "for-each-ref") == refs
    assert not (clone / ".git/FETCH_HEAD").exists()


def test_a_commit_that_is_nowhere_is_refused_with_what_may_be_missing(origin: Path) -> None:
    clone = cloned(origin)
    with pytest.raises(GitError) as refused:
        fetched(clone, "f" * 40)
    assert "persist-credentials" in refused.value.hint


@pytest.mark.parametrize("sha", ["main", "--upload-pack=touch pwned", "f" * 39, ""])
def test_only_a_full_id_is_ever_asked_for(origin: Path, sha: str) -> None:
    with pytest.raises(ValueError, match="not a full object id"):
        fetched(cloned(origin), sha)


def test_what_a_ref_of_the_remote_names_is_looked_up(origin: Path) -> None:
    clone = cloned(origin, "--depth=1")
    tip = git(origin, "rev-parse", "HEAD~1")
    git(origin, "update-ref", "refs/pull/7/merge", tip)
    assert advertised(clone, "refs/pull/7/merge") == tip
    assert advertised(clone, "refs/pull/8/merge") is None


def test_git_shows_the_token_to_the_runs_server_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[tuple[str, str | None]] = []

    def answer(request: Request) -> Response:
        seen.append((request.path, request.headers.get("authorization")))
        return Response(404)

    git(tmp_path, "init", "--quiet")
    with (
        Wire(answer, lambda request: request.path).running() as ours,
        Wire(answer, lambda request: request.path).running() as other,
    ):
        run = replace(RUN, server_url=ours.url)
        left = f"http.{ours.url}/.extraheader"
        git(tmp_path, "config", left, "AUTHORIZATION: basic left-by-checkout")
        monkeypatch.setenv("GIT_CONFIG_COUNT", "1")
        monkeypatch.setenv("GIT_CONFIG_KEY_0", "advice.detachedHead")
        monkeypatch.setenv("GIT_CONFIG_VALUE_0", "false")
        for name, value in credentials(run, TOKEN, {"GIT_CONFIG_COUNT": "1"}).items():
            monkeypatch.setenv(name, value)
        for url in (ours.url, other.url):
            Git(tmp_path).attempt("ls-remote", f"{url}/o/r")
        kept = Git(tmp_path).run("config", "--get", "advice.detachedHead")
    expected = f"basic {b64encode(b'x-access-token:ghs_sesame').decode()}"
    assert seen == [("/o/r/info/refs", expected), ("/o/r/info/refs", None)]
    assert kept == b"false\n"
    assert expected == f"basic {basic(TOKEN)}"


def test_without_a_token_git_is_told_nothing() -> None:
    assert credentials(RUN, None, {"GIT_CONFIG_COUNT": "nonsense"}) == {}
    assert credentials(RUN, TOKEN, {"GIT_CONFIG_COUNT": "nonsense"})["GIT_CONFIG_COUNT"] == "2"
