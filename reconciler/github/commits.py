"""Commits of the repository that a job checked out: those it lacks are fetched, with the step's token."""

from base64 import b64encode
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from providers.secret import Secret
from reconciler.git import Git, GitError, full
from reconciler.github.run import Run

_REMOTE = "origin"
_FETCH = (
    "fetch",
    "--quiet",
    "--no-tags",
    "--no-recurse-submodules",
    "--no-write-fetch-head",
    "--no-prune",
    "--refmap=",
)
_HINT = (
    "actions/checkout makes the remote `origin`; with `persist-credentials: false` "
    "certform needs the input `token`"
)
_REACHING = MappingProxyType({"protocol.file.allow": "always"})
"""The remote of the checkout may be a folder; no other remote is ever asked."""
_NOTHING: Mapping[str, str] = MappingProxyType({})


def credentials(
    run: Run, token: Secret | None, standing: Mapping[str, str] = _NOTHING
) -> Mapping[str, str]:
    """Return the variables by which git, and git alone, shows the token to the run's own server.

    They come after those of `standing`, the environment they will be added to. What an earlier
    step has left in git's configuration for the same server is put aside: two such headers at once
    are refused. No variable without a token. https://git-scm.com/docs/git-config#ENVIRONMENT
    """
    if token is None:
        return _NOTHING
    given = standing.get("GIT_CONFIG_COUNT", "")
    count = int(given) if given.isdecimal() else 0
    key = f"http.{run.server_url}/.extraheader"
    said = {"GIT_CONFIG_COUNT": str(count + 2)}
    for place, value in enumerate(("", f"AUTHORIZATION: basic {basic(token)}"), count):
        said |= {f"GIT_CONFIG_KEY_{place}": key, f"GIT_CONFIG_VALUE_{place}": value}
    return said


def basic(token: Secret) -> str:
    """Return the token as git sends it, which is as secret as the token itself."""
    return b64encode(b"x-access-token:" + token.reveal()).decode()


def fetched(root: Path, sha: str, *, depth: int = 1) -> str:
    """Return a commit's id once the commit is in the repository, fetched from `origin` if it must be.

    A clone that is whole stays so; a shallow one gets `depth` commits of its history. Raises
    `GitError` when the commit is not to be had.
    """
    git = Git(root)
    if git.attempt("cat-file", "-e", f"{full(sha)}^{{commit}}").status == 0:
        return sha
    limit = (f"--depth={depth}",) if _is_shallow(git) else ()
    outcome = Git(root, _REACHING).attempt(*_FETCH, *limit, "--", _REMOTE, sha)
    if outcome.status != 0:
        raise GitError("fetch", outcome.status, outcome.stderr, hint=_HINT)
    return sha


def advertised(root: Path, ref: str) -> str | None:
    """Return the commit that a full ref of `origin` names; None without one. Raises `GitError`."""
    git = Git(root, _REACHING)
    outcome = git.attempt("ls-remote", "--quiet", "--", _REMOTE, ref)
    if outcome.status != 0:
        raise GitError("ls-remote", outcome.status, outcome.stderr, hint=_HINT)
    lines = (line.split("\t") for line in outcome.stdout.decode().splitlines())
    return next((full(sha) for sha, name in lines if name == ref), None)


def _is_shallow(git: Git) -> bool:
    return git.run("rev-parse", "--is-shallow-repository").strip() == b"true"


def head(root: Path) -> str:
    """Return the commit that is checked out; raises `GitError` where none is."""
    return Git(root).run("rev-parse", "--verify", "HEAD^{commit}").decode().strip()


def parents(root: Path, sha: str) -> tuple[str, ...]:
    """Return what a commit names as its parents, whether they are here or not."""
    header, _, _ = Git(root).run("cat-file", "commit", full(sha)).partition(b"\n\n")
    lines = (line.partition(b" ") for line in header.split(b"\n"))
    return tuple(value.decode() for name, _, value in lines if name == b"parent")
