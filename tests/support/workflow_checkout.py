"""actions/checkout, with the git commands that it really runs: one commit, shallow, with credentials or not.

As actions/checkout v7 does it, src/git-source-provider.ts and src/ref-helper.ts.
"""

import base64
import re
import subprocess
from pathlib import Path

from workflow_events import repository
from workflow_steps import Use

EVERY_BRANCH = "+refs/heads/*:refs/remotes/origin/*"
EVERY_TAG = "+refs/tags/*:refs/tags/*"


def check_out(use: Use) -> None:
    """Fetch what the inputs ask for into the workspace, and set the outputs `ref` and `commit`."""
    job = use.job
    if use.inputs.get("repository", repository(job.event)) != repository(job.event):
        use.fail("only the repository of the workflow can be checked out here")
        return
    root = job.workspace / use.inputs.get("path", "")
    ref, commit = _wanted(use.inputs.get("ref", ""), job.event.ref, job.event.sha)
    _prepare(root, job.machine.remote)
    if use.inputs.get("persist-credentials", "true") == "true":
        _remember(root, job.machine.server_url, use.inputs.get("token") or job.token)
    done = _fetch(root, ref, commit, int(use.inputs.get("fetch-depth") or 1), use.inputs)
    done = done or _switch(root, ref, commit)
    if done:
        use.fail(done)
        return
    use.output("ref", ref)
    use.output("commit", _git(root, "log", "-1", "--format=%H").stdout.strip())


def forget(use: Use) -> None:
    """Do what checkout does after the job: take the credentials out of the repository."""
    _git(
        use.job.workspace / use.inputs.get("path", ""),
        "config",
        "--local",
        "--remove-section",
        "http",
    )


def _wanted(asked: str, ref: str, sha: str) -> tuple[str, str]:
    if re.fullmatch(r"[0-9a-fA-F]{40}", asked):
        return "", asked
    return (asked, "") if asked else (ref, sha)


def _prepare(root: Path, remote: str) -> None:
    if (root / ".git").exists():
        _git(root, "clean", "-ffdx")
        _git(root, "reset", "--hard", "HEAD")
        return
    root.mkdir(parents=True, exist_ok=True)
    _git(root, "init", "--quiet", ".")
    _git(root, "remote", "add", "origin", remote)
    _git(root, "config", "--local", "gc.auto", "0")


def _remember(root: Path, server: str, token: str) -> None:
    basic = base64.b64encode(f"x-access-token:{token}".encode()).decode()
    _git(root, "config", "--local", f"http.{server}/.extraheader", f"AUTHORIZATION: basic {basic}")


def _fetch(root: Path, ref: str, commit: str, depth: int, inputs: "dict[str, str]") -> str:
    """Return why nothing was fetched, nothing if it was."""
    every = [EVERY_BRANCH, EVERY_TAG]
    if depth > 0:
        specs = [EVERY_TAG] if inputs.get("fetch-tags") == "true" else []
        specs.append(_spec(ref, commit))
    else:
        pull = ref.startswith("refs/pull/")
        specs = [*every, _spec(ref, commit)] if pull else every
    flags = [] if EVERY_TAG in specs else ["--no-tags"]
    if depth > 0:
        flags.append(f"--depth={depth}")
    fetch = ("-c", "protocol.version=2", "fetch", "--prune", "--no-recurse-submodules")
    done = _git(root, *fetch, *flags, "origin", *specs)
    return done.stderr if done.returncode else ""


def _spec(ref: str, commit: str) -> str:
    for prefix, place in (
        ("refs/heads/", "refs/remotes/origin/"),
        ("refs/pull/", "refs/remotes/pull/"),
    ):
        if ref.startswith(prefix):
            return f"+{commit or ref}:{place}{ref.removeprefix(prefix)}"
    if ref.startswith("refs/tags/"):
        return f"+{ref}:{ref}"
    if ref.startswith("refs/"):
        return commit or f"+{ref}:{ref}"
    return commit or f"+refs/heads/{ref}*:refs/remotes/origin/{ref}*"


def _switch(root: Path, ref: str, commit: str) -> str:
    branch = ref.removeprefix("refs/heads/")
    if ref.startswith("refs/pull/"):
        argv = [ref.replace("refs/pull/", "refs/remotes/pull/", 1)]
    elif ref.startswith("refs/heads/") or (ref and not ref.startswith("refs/")):
        argv = ["-B", branch, f"refs/remotes/origin/{branch}"]
    else:
        argv = [ref if ref.startswith("refs/tags/") else commit or ref]
    done = _git(root, "checkout", "--quiet", "--force", *argv)
    return done.stderr if done.returncode else ""


def _git(root: Path, *argv: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(["git", *argv], cwd=root, capture_output=True, text=True, check=False)
