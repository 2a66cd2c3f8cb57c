"""GitHub as certform uses it: comments, check runs, issues, and which pull request a commit came by."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Self

from providers.secret import Secret
from reconciler.errors import ReconcilerError
from reconciler.github.run import PullRequest, Run
from reconciler.github.workflow import Annotation

ACTIONS = "github-actions"
"""The app whose token a workflow gets."""


class ForgeError(ReconcilerError):
    """GitHub did not do it, or cannot be reached; the text says why."""


class ForgeDenied(ForgeError):
    """The token may not do this: a fork's, or one that was given too few `permissions`."""


@dataclass(frozen=True, slots=True)
class Comment:
    """One comment of a pull request or issue."""

    id: int
    author: str
    body: str
    url: str


@dataclass(frozen=True, slots=True)
class Commit:
    """One commit of a branch; the first of its parents is what the branch was before."""

    sha: str
    parents: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Check:
    """One check run. `app` made it, which nobody else can say of theirs; `text` is its output's."""

    id: int
    name: str
    app: str
    external_id: str
    conclusion: str
    title: str
    text: str
    url: str


@dataclass(frozen=True, slots=True)
class NewCheck:
    """A check run to make on a commit, completed at once.

    `conclusion` is success, failure, neutral or action_required. `summary` and `text` hold at most
    65,535 characters each; of annotations there may be any number.
    """

    name: str
    sha: str
    conclusion: str
    title: str
    summary: str
    text: str = ""
    external_id: str = ""
    details_url: str = ""
    annotations: Sequence[Annotation] = ()


@dataclass(frozen=True, slots=True)
class Issue:
    """One issue."""

    number: int
    author: str
    title: str
    body: str
    open: bool
    url: str


class Forge:
    """One repository, by the REST and GraphQL addresses that the runner named.

    The token goes to these addresses alone. Every method raises `ForgeDenied` or `ForgeError`;
    what is worth repeating was repeated. https://docs.github.com/rest
    """

    @classmethod
    def at(cls, run: Run, token: Secret) -> Self:
        """Return the repository of a run; asks nothing yet."""
        raise NotImplementedError

    def login(self) -> str:
        """Return whose token it is, `github-actions[bot]` where the token may not ask."""
        raise NotImplementedError

    def pull(self, number: int) -> PullRequest:
        """Return a pull request."""
        raise NotImplementedError

    def pulls_of(self, sha: str) -> tuple[PullRequest, ...]:
        """Return the pull requests a commit came by, or would come by."""
        raise NotImplementedError

    def commits(self, sha: str) -> Iterator[Commit]:
        """Yield a commit and what came before it, newest first, page by page as far as it is asked."""
        raise NotImplementedError

    def tip(self, branch: str) -> str:
        """Return the commit a branch is at."""
        raise NotImplementedError

    def checks(self, sha: str, name: str) -> tuple[Check, ...]:
        """Return the completed check runs of a name on a commit, newest first."""
        raise NotImplementedError

    def create_check(self, check: NewCheck) -> Check:
        """Make a check run, its annotations in as many requests as they take."""
        raise NotImplementedError

    def comments(self, number: int) -> Iterator[Comment]:
        """Yield every comment of a pull request or issue, oldest first."""
        raise NotImplementedError

    def comment(self, number: int, body: str) -> Comment:
        """Add a comment to a pull request or issue."""
        raise NotImplementedError

    def edit_comment(self, id_: int, body: str) -> Comment:
        """Replace a comment's text."""
        raise NotImplementedError

    def issues(self, label: str) -> Iterator[Issue]:
        """Yield every issue with a label, open or closed, newest first; pull requests are left out."""
        raise NotImplementedError

    def open_issue(self, title: str, body: str, label: str) -> Issue:
        """Open an issue; the label is made if there is none."""
        raise NotImplementedError

    def edit_issue(self, number: int, changes: Mapping[str, str]) -> Issue:
        """Change `title`, `body`, `state` (open or closed), `state_reason` of an issue."""
        raise NotImplementedError
