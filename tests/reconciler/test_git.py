"""git as certform drives it: nothing that a repository or an outer git brings along takes effect."""

import os
import subprocess
from pathlib import Path

import pytest

from reconciler.git import Git, GitError, full


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    def run(*argv: str) -> None:
        subprocess.run(["git", *argv], cwd=tmp_path, check=True, capture_output=True)

    run("init", "--quiet", "--initial-branch=main")
    (tmp_path / "file").write_text("content\n")
    run("add", ".")
    run("-c", "user.name=T", "-c", "user.email=t@localhost", "commit", "--quiet", "-m", "begin")
    return tmp_path


def blob(repository: Path, content: bytes) -> str:
    return Git(repository).run("hash-object", "-w", "--stdin", stdin=content).decode().strip()


def test_a_revision_becomes_a_full_commit_id(repository: Path) -> None:
    git = Git(repository)
    head = git.run("rev-parse", "HEAD").decode().strip()
    assert git.commit("main") == git.commit("HEAD") == git.commit(head[:10]) == head


@pytest.mark.parametrize("revision", ["nowhere", "", "--all", "--git-dir=/", "HEAD:file", "-h"])
def test_what_names_no_commit_is_none(repository: Path, revision: str) -> None:
    assert Git(repository).commit(revision) is None


def test_many_blobs_come_from_one_process_in_order(repository: Path) -> None:
    contents = [b"", b"\n", b"a\0b", b"x" * 100_000, b"blob 3\n"]
    ids = [blob(repository, content) for content in contents]
    assert Git(repository).blobs(ids[::-1]) == contents[::-1]
    assert Git(repository).blobs([]) == []


def test_a_missing_or_other_object_is_an_error(repository: Path) -> None:
    git = Git(repository)
    with pytest.raises(GitError, match="no blob 0000"):
        git.blobs(["0" * 40])
    with pytest.raises(GitError, match="no blob"):
        git.blobs([str(git.commit("HEAD"))])


def test_contents_that_nobody_reads_to_the_end_leave_no_process(
    repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    git = Git(repository)
    started: list[int] = []
    start = Git._start

    def tell(self: Git, *argv: str) -> subprocess.Popen[bytes]:
        process = start(self, *argv)
        started.append(process.pid)  # the process itself is reaped when nobody refers to it
        return process

    ids = [blob(repository, content) for content in (b"x" * 1_000_000, b"y" * 1_000_000)]
    monkeypatch.setattr(Git, "_start", tell)
    contents = git.contents("blob", ids * 10)
    assert next(contents) == b"x" * 1_000_000
    del contents
    assert len(started) == 1
    with pytest.raises(ChildProcessError):
        os.waitpid(started[0], os.WNOHANG)


def test_what_stops_git_half_way_is_told(repository: Path) -> None:
    git = Git(repository)
    good, bad = blob(repository, b"good"), blob(repository, b"bad")
    damaged = git.common_directory() / "objects" / bad[:2] / bad[2:]
    damaged.chmod(0o644)
    damaged.write_bytes(b"no zlib stream")
    with pytest.raises(GitError, match=f"{bad}|corrupt"):
        git.blobs([good, bad])


@pytest.mark.parametrize("name", ["HEAD", "abc", "A" * 40, "0" * 41, "0" * 40 + "\n"])
def test_only_full_object_ids_pass(name: str) -> None:
    with pytest.raises(ValueError, match="not a full object id"):
        full(name)


def test_an_error_says_what_git_said_without_credentials(repository: Path) -> None:
    address = "https://user:pa55@localhost.invalid:1/x.git"
    with pytest.raises(GitError, match="git ls-remote failed") as failure:
        Git(repository).run("ls-remote", "--", address)
    assert "pa55" not in str(failure.value)
    assert failure.value.status == 128


def test_the_variables_of_an_outer_git_do_not_lead_elsewhere(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("GIT_DIR", "GIT_WORK_TREE", "GIT_OBJECT_DIRECTORY", "GIT_INDEX_FILE"):
        monkeypatch.setenv(name, str(tmp_path / "nowhere"))
    git = Git(repository)
    assert git.top_level() == repository
    assert git.common_directory() == repository / ".git"
    assert git.commit("HEAD")


def test_hooks_and_fsmonitor_do_not_run(repository: Path, tmp_path: Path) -> None:
    marker = tmp_path / "marker"
    script = repository / ".git" / "hooks" / "reference-transaction"
    script.write_text(f"#!/bin/sh\ntouch {marker}\n")
    script.chmod(0o755)
    subprocess.run(["git", "config", "core.fsmonitor", str(script)], cwd=repository, check=True)
    git = Git(repository)
    git.run("update-ref", "refs/heads/other", str(git.commit("HEAD")))
    git.run("status", "--porcelain")
    assert not marker.exists()
    subprocess.run(["git", "update-ref", "refs/heads/third", "HEAD"], cwd=repository, check=True)
    assert marker.exists()


def test_replaced_objects_are_not_believed(repository: Path) -> None:
    git = Git(repository)
    true, false = blob(repository, b"true"), blob(repository, b"false")
    subprocess.run(["git", "replace", true, false], cwd=repository, check=True)
    assert git.blobs([true]) == [b"true"]


@pytest.mark.parametrize("address", ["file:///tmp", "/tmp", "ext::true"])
def test_files_and_commands_are_no_remotes_unless_allowed(repository: Path, address: str) -> None:
    with pytest.raises(GitError, match="not allowed"):
        Git(repository).run("ls-remote", "--", address)


def test_a_directory_without_git_has_no_top_level(tmp_path_factory: pytest.TempPathFactory) -> None:
    assert Git(tmp_path_factory.mktemp("plain")).top_level() is None


def test_a_work_tree_shares_the_common_directory(
    repository: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    other = tmp_path_factory.mktemp("work") / "tree"
    subprocess.run(["git", "worktree", "add", "-q", other], cwd=repository, check=True)
    git = Git(other)
    assert git.top_level() == other
    assert git.common_directory().samefile(repository / ".git")
