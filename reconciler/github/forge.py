"""GitHub as certform uses it: comments, check runs, issues, and which pull request a commit came by."""

from collections.abc import Callable, Iterator, Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Any, Self, TypeVar
from urllib.parse import quote

from tenacity import Retrying, retry_if_exception_type, stop_after_attempt, wait_exponential

from providers.secret import Secret
from reconciler.github import limits
from reconciler.github.errors import ForgeDenied, ForgeError, ForgeIncomplete, ForgeUnsure
from reconciler.github.pages import Check, Comment, Commit, Issue, NewCheck
from reconciler.github.refusal import message
from reconciler.github.run import PullRequest, Run
from reconciler.github.workflow import cut

if TYPE_CHECKING:
    from reconciler.github.rest import Rest

__all__ = [
    "ACTIONS",
    "Check",
    "Comment",
    "Commit",
    "Forge",
    "ForgeDenied",
    "ForgeError",
    "Issue",
    "NewCheck",
]

T = TypeVar("T")
ACTIONS = "github-actions"
"""The app whose token a workflow gets."""
PAUSE = 1.0
"""Seconds after a lost answer before it is looked whether something was made; a copy may lag behind."""
_CHANGEABLE = frozenset({"title", "body", "state", "state_reason"})


class Forge:
    """One repository, by the REST and GraphQL addresses that the runner named.

    The token goes to these addresses alone. Every method raises `ForgeDenied` or `ForgeError`;
    what is worth repeating was repeated. https://docs.github.com/rest
    """

    def __init__(self, repository: str, rest: "Rest", graphql: "Rest") -> None:
        self._repository = f"/repos/{quote(repository)}"
        self._rest = rest
        self._graphql = graphql

    @classmethod
    def at(cls, run: Run, token: Secret) -> Self:
        """Return the repository of a run; asks nothing yet."""
        try:
            rest = import_module("reconciler.github.rest")
        except ModuleNotFoundError as missing:
            hint = "pip install 'certform[github]'"
            raise ForgeError(f"{missing.name} is not installed here: {hint}", hint=hint) from None
        patience = rest.Patience()
        return cls(
            run.repository,
            rest.Rest(run.api_url, token, patience),
            rest.Rest(run.graphql_url, token, patience),
        )

    def login(self) -> str:
        """Return whose token it is, `github-actions[bot]` where the token may not ask."""
        address, query = self._graphql.address, {"query": "query { viewer { login } }"}
        try:
            return _made(lambda: self._graphql.send("POST", address, _viewer, query))
        except ForgeDenied:
            return f"{ACTIONS}[bot]"

    def pull(self, number: int) -> PullRequest:
        """Return a pull request."""
        return self._rest.get(self._page(f"pulls/{number}"), PullRequest.parsed)

    def pulls_of(self, sha: str) -> tuple[PullRequest, ...]:
        """Return the pull requests a commit came by, or would come by."""
        return tuple(self._rest.each(self._page(f"commits/{quote(sha)}/pulls"), PullRequest.parsed))

    def commits(self, sha: str) -> Iterator[Commit]:
        """Yield a commit and what came before it, newest first, page by page as far as it is asked."""
        return self._rest.each(self._page("commits"), Commit.parsed, sha=sha)

    def tip(self, branch: str) -> str:
        """Return the commit a branch is at."""
        page = self._page(f"git/ref/heads/{quote(branch)}")
        return self._rest.get(page, lambda data: str(data["object"]["sha"]))

    def checks(self, sha: str, name: str) -> tuple[Check, ...]:
        """Return the completed check runs of a name on a commit, newest first."""
        page = self._page(f"commits/{quote(sha)}/check-runs")
        asked = {"check_name": name, "status": "completed", "filter": "all"}
        found = [
            each
            for each in self._rest.each(page, Check.parsed, "check_runs", **asked)
            if each.name == name and each.conclusion
        ]
        return tuple(sorted(found, key=lambda check: check.id, reverse=True))

    def create_check(self, check: NewCheck) -> Check:
        """Make a check run, its annotations in as many requests as they take.

        It may be there twice when GitHub's answer was lost, which changes nothing: the newest counts.
        The first request makes all of it but further annotations; `ForgeIncomplete` when these fail.
        """
        output, remarks = limits.output(check), limits.remarks(check.annotations)
        first, *further = limits.batches(remarks)
        data = {
            "name": check.name,
            "head_sha": check.sha,
            "status": "completed",
            "conclusion": check.conclusion,
            **({"external_id": check.external_id} if check.external_id else {}),
            **({"details_url": check.details_url} if check.details_url else {}),
            "output": {**output, "annotations": first},
        }
        made = _made(lambda: self._send("POST", "check-runs", Check.parsed, data))
        for number, batch in enumerate(further, 1):
            more = {"output": {**output, "annotations": batch}}
            try:
                made = self._send("PATCH", f"check-runs/{made.id}", Check.parsed, more)
            except ForgeError as why:
                lacking = len(remarks) - number * limits.MOST_ANNOTATIONS
                text = f"it is there, but for {lacking:,} of its annotations: {why}"
                raise ForgeIncomplete(text, hint=why.hint) from None
        return made

    def comments(self, number: int) -> Iterator[Comment]:
        """Yield every comment of a pull request or issue, oldest first."""
        return self._rest.each(self._page(f"issues/{number}/comments"), Comment.parsed)

    def comment(self, number: int, body: str) -> Comment:
        """Add a comment to a pull request or issue."""
        data = {"body": limits.body(body)}
        return _made(
            lambda: self._send("POST", f"issues/{number}/comments", Comment.parsed, data),
            lambda: (each for each in self.comments(number) if each.body == body),
        )

    def edit_comment(self, id_: int, body: str) -> Comment:
        """Replace a comment's text."""
        data = {"body": limits.body(body)}
        return self._send("PATCH", f"issues/comments/{id_}", Comment.parsed, data)

    def issues(self, label: str) -> Iterator[Issue]:
        """Yield every issue with a label, open or closed, newest first; pull requests are left out."""

        def parsed(data: Mapping[str, Any]) -> Issue | None:
            return None if "pull_request" in data else Issue.parsed(data)

        found = self._rest.each(self._page("issues"), parsed, labels=label, state="all")
        return (each for each in found if each)

    def open_issue(self, title: str, body: str, label: str) -> Issue:
        """Open an issue; the label is made if there is none."""
        short = cut(title)
        data = {"title": short, "body": limits.body(body), "labels": [label]}
        self._label(label)
        return _made(
            lambda: self._send("POST", "issues", Issue.parsed, data),
            lambda: (
                each for each in self.issues(label) if (each.title, each.body) == (short, body)
            ),
        )

    def edit_issue(self, number: int, changes: Mapping[str, str]) -> Issue:
        """Change `title`, `body`, `state` (open or closed), `state_reason` of an issue."""
        if unknown := set(changes) - _CHANGEABLE:
            raise ValueError(f"an issue's {', '.join(sorted(unknown))} cannot be changed")
        data = dict(changes)
        if "title" in data:
            data["title"] = cut(data["title"])
        if "body" in data:
            limits.body(data["body"])
        return self._send("PATCH", f"issues/{number}", Issue.parsed, data)

    def _label(self, name: str) -> None:
        """Make a label unless it is there."""

        def there() -> Iterator[Mapping[str, Any]]:
            try:
                yield self._rest.get(self._page(f"labels/{quote(name, safe='')}"), dict)
            except ForgeDenied:
                return

        if not list(there()):
            _made(lambda: self._send("POST", "labels", dict, {"name": name}), there)

    def _send(self, verb: str, page: str, read: Callable[[Any], T], data: Mapping[str, Any]) -> T:
        return self._rest.send(verb, self._page(page), read, data)

    def _page(self, name: str) -> str:
        return f"{self._repository}/{name}"


def _viewer(answer: Mapping[str, Any]) -> str:
    """Return the login of https://docs.github.com/graphql/reference/queries#viewer."""
    viewer = (answer.get("data") or {}).get("viewer")
    if viewer:
        return str(viewer["login"])
    kinds = {each.get("type") for each in answer["errors"]}
    if kinds & {"FORBIDDEN", "INSUFFICIENT_SCOPES"}:
        raise ForgeDenied("the token may not ask whose it is")
    raise ForgeError(f"GitHub does not say whose the token is: {message(answer)}")


def _made(make: Callable[[], T], found: Callable[[], Iterator[T]] = lambda: iter(())) -> T:
    """Make something; where it is not known whether it was made, look for it before it is made again."""
    again = Retrying(
        retry=retry_if_exception_type(ForgeUnsure),
        stop=stop_after_attempt(3),
        wait=wait_exponential(multiplier=PAUSE, max=4),
        reraise=True,
    )
    for attempt in again:
        with attempt:
            if attempt.retry_state.attempt_number > 1:
                for there in found():
                    return there
            return make()
    raise AssertionError("the last attempt returns or raises")
