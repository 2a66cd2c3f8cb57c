"""Who runs this command, and on which documents: for the lock and the ledger's history."""

import os
from collections.abc import Mapping
from pathlib import Path

import click

from reconciler.git import Git
from reconciler.ledger.authorship import Author
from reconciler.state import Desired

_ACTORS = ("GITHUB_ACTOR", "GITLAB_USER_LOGIN", "BUILD_REQUESTEDFOR", "CIRCLE_USERNAME")
"""What CI systems call who made them run."""


def author(root: Path, desired: Desired) -> Author:
    """Return who writes below `root`, and from which documents."""
    context = click.get_current_context(silent=True)
    return Author(
        command=context.command_path if context else "certform",
        documents=_documents(desired),
        actor=_actor(Git(root), os.environ),
    )


def _documents(desired: Desired) -> str:
    if desired.revision is None:
        return "not committed"
    return desired.revision + (" with uncommitted changes" if desired.uncommitted else "")


def _actor(git: Git, environ: Mapping[str, str]) -> str:
    told = next((environ[name] for name in _ACTORS if environ.get(name)), None)
    if told is not None:
        return told
    name, mail = (
        git.run("config", "--get", key, check=False).decode(errors="replace").strip()
        for key in ("user.name", "user.email")
    )
    return f"{name} <{mail}>" if name and mail else name or mail
