"""What was reviewed: the plans that merged pull requests showed, of all that was pushed and not applied."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

from reconciler.github.checks import shown
from reconciler.github.forge import Forge
from reconciler.github.history import Stretch, unapplied
from reconciler.github.run import PullRequest


@dataclass(frozen=True, slots=True)
class Reviewed:
    """One merged pull request; `fingerprints` is None where no plan of it can be read."""

    pull: PullRequest
    fingerprints: frozenset[str] | None


@dataclass(frozen=True, slots=True)
class Reviews:
    """Everything that was reviewed and not applied yet, the newest first.

    `unread` says why GitHub did not tell; then nothing is known to be reviewed. `direct` are the commits
    that came by no pull request.
    """

    stretch: Stretch
    pulls: tuple[Reviewed, ...] = ()
    direct: tuple[str, ...] = ()
    unread: str = ""

    @property
    def fingerprints(self) -> frozenset[str]:
        """The changes that any of the plans showed."""
        return frozenset().union(*(each.fingerprints or () for each in self.pulls))


def reviews(forge: Forge, branch: str, sha: str, label: str) -> Reviews:
    """Return what was reviewed of a commit and those before it; raises `ForgeError`.

    It takes two requests for each commit, one of them for the commits that a pull request brought
    together, and one or more for each pull request.
    """
    stretch = unapplied(forge, sha, label)
    pulls: dict[int, PullRequest] = {}
    direct: list[str] = []
    for commit in stretch.commits:
        merged = tuple(_merged(forge, commit, branch))
        pulls |= {pull.number: pull for pull in merged}
        if not merged:
            direct.append(commit)
    read = tuple(
        Reviewed(pull, shown(partial(forge.checks, pull.head), label, pull))
        for pull in pulls.values()
    )
    return Reviews(stretch, read, tuple(direct))


def _merged(forge: Forge, commit: str, branch: str) -> Iterator[PullRequest]:
    """Yield the pull requests that brought a commit to a branch, and not only to another."""
    return (pull for pull in forge.pulls_of(commit) if pull.merged and pull.onto == branch)
