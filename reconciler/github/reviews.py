"""What was reviewed: the plans that merged pull requests showed, of all that was pushed and not applied."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

from reconciler.github.checks import shown
from reconciler.github.forge import Forge, ForgeError
from reconciler.github.history import Stretch, unapplied
from reconciler.github.run import PullRequest


@dataclass(frozen=True, slots=True)
class Reviewed:
    """One merged pull request, and the oldest commit of the branch that it brought.

    `fingerprints` is None where no plan of it can be read.
    """

    pull: PullRequest
    fingerprints: frozenset[str] | None
    commit: str = ""


@dataclass(frozen=True, slots=True)
class Reviews:
    """Everything that was reviewed and not applied yet, the newest first.

    `unread` says why GitHub did not tell; then nothing is known to be reviewed. `stretch` is None where
    not even that is known. `direct` are the commits that came by no pull request.
    """

    stretch: Stretch | None = None
    pulls: tuple[Reviewed, ...] = ()
    direct: tuple[str, ...] = ()
    unread: str = ""

    @property
    def fingerprints(self) -> frozenset[str]:
        """The changes that any of the plans showed; none where not all could be read."""
        if self.unread:
            return frozenset()
        return frozenset().union(*(each.fingerprints or () for each in self.pulls))

    @property
    def first(self) -> str | None:
        """The oldest commit that came with a plan; None where none did."""
        planned = {each.commit for each in self.pulls if each.fingerprints is not None}
        commits = self.stretch.commits if self.stretch else ()
        return next((each for each in reversed(commits) if each in planned), None)


def reviews(forge: Forge, branch: str, sha: str, label: str) -> Reviews:
    """Return what was reviewed of a commit and those before it, all of it or nothing.

    It takes two requests for each commit, one of them for the commits that a pull request brought
    together, and one or more for each pull request.
    """
    stretch = None
    try:
        stretch = unapplied(forge, sha, label)
        return _read(forge, branch, label, stretch)
    except ForgeError as why:
        return Reviews(stretch, unread=str(why))


def _read(forge: Forge, branch: str, label: str, stretch: Stretch) -> Reviews:
    pulls: dict[int, PullRequest] = {}
    brought: dict[int, str] = {}
    direct: list[str] = []
    for commit in stretch.commits:
        merged = tuple(_merged(forge, commit, branch))
        pulls |= {pull.number: pull for pull in merged}
        brought |= dict.fromkeys((pull.number for pull in merged), commit)
        if not merged:
            direct.append(commit)
    read = tuple(
        Reviewed(pull, shown(partial(forge.checks, pull.head), label, pull), brought[pull.number])
        for pull in pulls.values()
    )
    return Reviews(stretch, read, tuple(direct))


def _merged(forge: Forge, commit: str, branch: str) -> Iterator[PullRequest]:
    """Yield the pull requests that brought a commit to a branch, and not only to another."""
    return (pull for pull in forge.pulls_of(commit) if pull.merged and pull.onto == branch)
