"""Who runs this command, and on which documents: for the lock and the ledger's history."""

import os
from collections.abc import Mapping
from pathlib import Path, PurePosixPath

import click

from reconciler.git import Git
from reconciler.ledger.authorship import Author

_ACTORS = ("GITHUB_ACTOR", "GITLAB_USER_LOGIN", "BUILD_REQUESTEDFOR", "CIRCLE_USERNAME")
"""What CI systems call who made them run."""
_DOCUMENTS = frozenset({".yaml", ".yml", ".csv"})


def author(root: Path, revision: str | None) -> Author:
    """Return who writes from the documents below `root` at a commit, None for the working tree."""
    context = click.get_current_context(silent=True)
    git = Git(root)
    return Author(
        command=context.command_path if context else "certform",
        documents=revision or _working_tree(git),
        actor=_actor(git, os.environ),
    )


def _working_tree(git: Git) -> str:
    head = git.commit("HEAD")
    if head is None:
        return "not committed"
    options = ("--porcelain", "-z", "--no-renames", "--untracked-files=all", "--ignore-submodules")
    entries = git.run("status", *options, "--", ".", check=False).decode(errors="replace")
    changed = (PurePosixPath(entry[3:]) for entry in entries.split("\0"))
    if any(path.suffix in _DOCUMENTS for path in changed):
        return f"{head} with uncommitted changes"
    return head


def _actor(git: Git, environ: Mapping[str, str]) -> str:
    told = next((environ[name] for name in _ACTORS if environ.get(name)), None)
    if told is not None:
        return told
    name, mail = (
        git.run("config", "--get", key, check=False).decode(errors="replace").strip()
        for key in ("user.name", "user.email")
    )
    return f"{name} <{mail}>" if name and mail else name or mail
