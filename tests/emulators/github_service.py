"""The operations of the emulated GitHub, each a function from what is asked to what is answered."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from github_bare import Bare
from github_state import Check, Comment, Issue, Json, Pull, State, labelled, moment
from github_tokens import Token

LONGEST_BODY = 65_536
LARGEST_OUTPUT = 65_535


class Refusal(Exception):
    """An answer that is an error; `errors` are GitHub's details."""

    def __init__(self, status: int, message: str, errors: Sequence[Any] = ()) -> None:
        super().__init__(message)
        self.status = status
        self.errors = errors


@dataclass(frozen=True, slots=True)
class Ask:
    """One request that was let in."""

    state: State
    bare: Bare
    token: Token
    path: Mapping[str, str]
    query: Mapping[str, str]
    body: Json

    def number(self) -> int:
        """Return the issue or pull request that is named; raises where there is none."""
        text = self.path.get("issue_number") or self.path["pull_number"]
        number = int(text) if text.isdecimal() else 0
        if number not in self.state.issues and number not in self.state.pulls:
            raise Refusal(404, "Not Found")
        return number

    def commit(self, name: str) -> str:
        """Return the commit of a name or a branch; raises where there is none."""
        found = self.bare.tip(name) or self.bare.tip(f"refs/heads/{name}")
        if not found:
            raise Refusal(422, f"No commit found for SHA: {name}")
        return found


@dataclass(frozen=True, slots=True)
class Listing:
    """All of a list, of which one page is answered; `key` is what holds it, `show` writes some of it."""

    items: Sequence[Any]
    show: Callable[[Sequence[Any]], list[Json]]
    key: str = ""


def each(show: Callable[[Any], Json]) -> Callable[[Sequence[Any]], list[Json]]:
    """Write one after the other."""
    return lambda items: list(map(show, items))


Answer = Json | Listing
Serve = Callable[[Ask], Answer]


def get_pull(ask: Ask) -> Answer:
    pull = ask.state.pulls.get(ask.number())
    if pull is None:
        raise Refusal(404, "Not Found")
    return {**ask.state.pull_json(pull), "merged": bool(pull.merged_at), "mergeable": True}


def list_pulls_of(ask: Ask) -> Answer:
    """A commit of the default branch came by merged ones; any other may be in open ones as well."""
    sha = ask.commit(ask.path["commit_sha"])
    default = ask.bare.contains(sha, f"refs/heads/{ask.state.default_branch}")

    def came_by(pull: Pull) -> bool:
        if pull.merged_at:
            return sha in pull.landed
        return not default and sha in ask.bare.shas(pull.head, f"^{pull.base}")

    found = [pull for pull in ask.state.pulls.values() if came_by(pull)]
    return Listing(found, each(ask.state.pull_json))


def list_commits(ask: Ask) -> Answer:
    start = ask.commit(ask.query.get("sha", ask.state.default_branch))
    shas = ask.bare.shas(start)
    return Listing(shas, lambda some: list(map(ask.state.commit_json, ask.bare.commits(some))))


def get_ref(ask: Ask) -> Answer:
    ref = f"refs/{ask.path['ref']}"
    sha = ask.bare.tip(ref)
    if not sha:
        raise Refusal(404, "Not Found")
    return {"ref": ref, "object": {"type": "commit", "sha": sha}}


def list_checks(ask: Ask) -> Answer:
    sha = ask.commit(ask.path["ref"])
    found = [check for check in ask.state.checks.values() if check.sha == sha]
    found.sort(key=lambda check: check.id, reverse=True)
    if ask.query.get("filter", "latest") == "latest":
        found = list({(c.app, c.name): c for c in reversed(found)}.values())[::-1]
    if name := ask.query.get("check_name"):
        found = [check for check in found if check.name == name]
    if status := ask.query.get("status"):
        found = [check for check in found if check.status == status]
    return Listing(found, each(ask.state.check_json), "check_runs")


def create_check(ask: Ask) -> Answer:
    _by_an_app(ask)
    if not ask.bare.has(ask.body["head_sha"]):
        raise Refusal(422, f"No commit found for SHA: {ask.body['head_sha']}")
    output = _output(ask.body)
    check = Check(
        ask.state.id(), ask.token.app, dict(ask.body), list(output.get("annotations", ()))
    )
    ask.state.checks[check.id] = check
    return ask.state.check_json(check)


def update_check(ask: Ask) -> Answer:
    _by_an_app(ask)
    check = ask.state.checks.get(int(ask.path["check_run_id"]))
    if check is None:
        raise Refusal(404, "Not Found")
    if check.app != ask.token.app:
        raise Refusal(403, "Invalid app_id; a check run is modified by the app that created it.")
    output = _output(ask.body)
    check.annotations += output.get("annotations", ())
    check.given = {**check.given, **ask.body}  # an output is replaced whole, annotations are added
    return ask.state.check_json(check)


def _by_an_app(ask: Ask) -> None:
    if not ask.token.app:
        raise Refusal(403, "You must authenticate via a GitHub App.")


def _output(body: Json) -> Json:
    """What GitHub says is measured in bytes: https://github.com/github/docs/issues/35252."""
    output: Json = body.get("output", {})
    for field in ("summary", "text"):
        if len((output.get(field) or "").encode()) > LARGEST_OUTPUT:
            said = f"{field} exceeds a maximum bytesize of {LARGEST_OUTPUT}"
            raise _invalid("CheckRun", "custom", field, said)
    return output


def list_comments(ask: Ask) -> Answer:
    number = ask.number()
    found = [comment for comment in ask.state.comments.values() if comment.number == number]
    return Listing(found, each(ask.state.comment_json))


def create_comment(ask: Ask) -> Answer:
    _check_body(ask.body["body"], "IssueComment")
    comment = Comment(ask.state.id(), ask.number(), ask.token.login, ask.body["body"])
    ask.state.comments[comment.id] = comment
    return ask.state.comment_json(comment)


def update_comment(ask: Ask) -> Answer:
    """Who may write may edit what others wrote, too; the author stays."""
    comment = ask.state.comments.get(int(ask.path["comment_id"]))
    if comment is None:
        raise Refusal(404, "Not Found")
    _check_body(ask.body["body"], "IssueComment")
    comment.body, comment.edited = ask.body["body"], moment()
    return ask.state.comment_json(comment)


def list_issues(ask: Ask) -> Answer:
    wanted, labels = ask.query.get("state", "open"), ask.query.get("labels")
    every: list[Issue | Pull] = [*ask.state.issues.values(), *ask.state.pulls.values()]
    found = [
        it
        for it in sorted(every, key=lambda it: it.number, reverse=True)
        if wanted in ("all", it.state) and (not labels or labelled(it.labels, labels))
    ]

    def show(it: Issue | Pull) -> Json:
        if isinstance(it, Pull):
            return ask.state.pull_as_issue_json(it)
        return ask.state.issue_json(it)

    return Listing(found, each(show))


def create_issue(ask: Ask) -> Answer:
    body = ask.body.get("body") or ""
    _check_body(body, "Issue")
    labels = list(ask.body.get("labels", ()))
    ask.state.labels |= set(labels)  # what is not there is made
    issue = Issue(ask.state.number(), ask.token.login, ask.body["title"], body, labels)
    ask.state.issues[issue.number] = issue
    return ask.state.issue_json(issue)


def update_issue(ask: Ask) -> Answer:
    issue = ask.state.issues.get(ask.number())
    if issue is None:
        raise Refusal(404, "Not Found")
    _check_body(ask.body.get("body") or "", "Issue")
    for field in ("title", "body", "labels"):
        if field in ask.body:
            setattr(issue, field, ask.body[field])
    if ask.body.get("state", issue.state) != issue.state:
        issue.state = ask.body["state"]
        usual = "completed" if issue.state == "closed" else "reopened"
        issue.state_reason = ask.body.get("state_reason") or usual
    return ask.state.issue_json(issue)


def get_label(ask: Ask) -> Answer:
    if ask.path["name"].lower() not in {label.lower() for label in ask.state.labels}:
        raise Refusal(404, "Not Found")
    return {"name": ask.path["name"], "color": "ededed"}


def create_label(ask: Ask) -> Answer:
    name = ask.body["name"]
    if name.lower() in {label.lower() for label in ask.state.labels}:
        raise _invalid("Label", "already_exists", "name", "")
    ask.state.labels.add(name)
    return {"name": name, "color": "ededed"}


def _check_body(text: str, resource: str) -> None:
    if len(text) > LONGEST_BODY:
        said = f"Body is too long (maximum is {LONGEST_BODY} characters)"
        raise _invalid(resource, "unprocessable", "data", said)


def _invalid(resource: str, code: str, field: str, message: str) -> Refusal:
    detail = {"resource": resource, "code": code, "field": field}
    return Refusal(
        422, "Validation Failed", [{**detail, **({"message": message} if message else {})}]
    )


SERVE: Mapping[str, tuple[int, Serve]] = {
    "checks/create": (201, create_check),
    "checks/list-for-ref": (200, list_checks),
    "checks/update": (200, update_check),
    "git/get-ref": (200, get_ref),
    "issues/create": (201, create_issue),
    "issues/create-comment": (201, create_comment),
    "issues/create-label": (201, create_label),
    "issues/get-label": (200, get_label),
    "issues/list-comments": (200, list_comments),
    "issues/list-for-repo": (200, list_issues),
    "issues/update": (200, update_issue),
    "issues/update-comment": (200, update_comment),
    "pulls/get": (200, get_pull),
    "repos/list-commits": (200, list_commits),
    "repos/list-pull-requests-associated-with-commit": (200, list_pulls_of),
}
