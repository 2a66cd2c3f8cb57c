"""A branch as GitHub knows it: what came to it since the last commit that was applied."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from reconciler.errors import Refused
from reconciler.github.checks import apply_check_name
from reconciler.github.forge import ACTIONS, Forge
from reconciler.github.pages import Check

MOST = 100
"""How many commits of a branch are looked at; what lies beyond has to be reviewed again."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """The commits of a branch that were not applied, newest first, down to the one that was.

    `applied` is None where none was applied yet, or none within reach: then there is more `beyond`.
    """

    commits: tuple[str, ...]
    applied: str | None = None
    beyond: bool = False


def unapplied(forge: Forge, sha: str, label: str) -> Stretch:
    """Return a commit and those before it that were not applied; asks once for each. Raises `ForgeError`."""
    found: list[str] = []
    for each in first_parents(forge, sha):
        if len(found) == MOST:
            return Stretch(tuple(found), beyond=True)
        if is_applied(forge, each, label):
            return Stretch(tuple(found), each)
        found.append(each)
    return Stretch(tuple(found))


def overtaken(forge: Forge, branch: str, sha: str, label: str) -> str | None:
    """Return the newer commit of a branch that was applied; None where there is none.

    Raises `Refused` for a commit that is not of the branch any more, and `ForgeError`.
    """
    tip = forge.tip(branch)
    if tip == sha:
        return None
    newer: list[str] = []
    for each in islice(first_parents(forge, tip), MOST):
        if each == sha:
            return next((each for each in newer if is_applied(forge, each, label)), None)
        newer.append(each)
    raise Refused(
        f"nothing was applied: {sha[:12]} is not among the last {MOST} commits of {branch}",
        hint="start the workflow for the branch as it is now",
    )


def first_parents(forge: Forge, sha: str) -> Iterator[str]:
    """Yield a commit and what the branch was before it, newest first; raises `ForgeError`.

    GitHub lists by date, so that with clocks that differ a parent may come before its child.
    """
    pages, seen, wanted = forge.commits(sha), dict[str, tuple[str, ...]](), sha
    while True:
        while wanted not in seen:
            listed = next(pages, None)
            if listed is None:
                return
            seen[listed.sha] = listed.parents
        yield wanted
        if not seen[wanted]:
            return
        wanted = seen[wanted][0]


def is_applied(forge: Forge, sha: str, label: str) -> bool:
    """Whether a commit was applied with nothing left to do; raises `ForgeError`."""
    found = forge.checks(sha, apply_check_name(label))
    return any(_succeeded(check) for check in found)


def _succeeded(check: Check) -> bool:
    return check.app == ACTIONS and check.conclusion == "success"
