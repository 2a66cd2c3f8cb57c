"""What the emulated GitHub holds of one repository beside its git objects, and how it is written as JSON."""

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from github_bare import GitCommit

Json = dict[str, Any]
APPS = {"github-actions": 15368, "dependabot": 29110}
"""Ids of apps, as on github.com."""


def moment(seconds: float | None = None) -> str:
    """Return a time as GitHub writes it."""
    when = (
        dt.datetime.now(dt.UTC) if seconds is None else dt.datetime.fromtimestamp(seconds, dt.UTC)
    )
    return when.strftime("%Y-%m-%dT%H:%M:%SZ")


@dataclass(slots=True)
class Comment:
    id: int
    number: int
    author: str
    body: str
    created: str = field(default_factory=moment)
    edited: str = ""


@dataclass(slots=True)
class Check:
    """A check run; `given` is what its maker said of it."""

    id: int
    app: str
    given: Json
    annotations: list[Json] = field(default_factory=list)
    began: str = field(default_factory=moment)

    @property
    def name(self) -> str:
        return str(self.given["name"])

    @property
    def sha(self) -> str:
        return str(self.given["head_sha"])

    @property
    def status(self) -> str:
        return (
            "completed" if "conclusion" in self.given else str(self.given.get("status", "queued"))
        )

    @property
    def text(self) -> str:
        return str(self.given.get("output", {}).get("text") or "")


@dataclass(slots=True)
class Issue:
    number: int
    author: str
    title: str
    body: str
    labels: list[str]
    state: str = "open"
    state_reason: str | None = None
    created: str = field(default_factory=moment)


@dataclass(slots=True)
class Pull:
    """A pull request. `landed` are the commits by which it came into `onto`, `merge_commit` is the last."""

    number: int
    author: str
    title: str
    branch: str
    onto: str
    head: str
    base: str
    fork: str = ""
    state: str = "open"
    labels: list[str] = field(default_factory=list)
    merged_at: str = ""
    merge_commit: str = ""
    landed: tuple[str, ...] = ()
    created: str = field(default_factory=moment)


@dataclass(slots=True)
class State:
    """Everything of one repository, `name` being `owner/repository`."""

    name: str
    server: str = "https://github.example"
    private: bool = True
    default_branch: str = "main"
    pulls: dict[int, Pull] = field(default_factory=dict)
    issues: dict[int, Issue] = field(default_factory=dict)
    comments: dict[int, Comment] = field(default_factory=dict)
    checks: dict[int, Check] = field(default_factory=dict)
    labels: set[str] = field(default_factory=set)
    _numbers: Iterator[int] = field(default_factory=lambda: count(1))
    _ids: Iterator[int] = field(default_factory=lambda: count(1_000_001))

    def number(self) -> int:
        """Return the next number of a pull request or issue."""
        return next(self._numbers)

    def id(self) -> int:
        """Return the next id of anything else."""
        return next(self._ids)

    def page(self, rest: str) -> str:
        """Return the address of a page for people."""
        return f"{self.server}/{self.name}/{rest}"

    def repository(self, name: str = "") -> Json:
        """Return the repository, or a fork of it."""
        name = name or self.name
        owner, _, short = name.partition("/")
        return {
            "id": 4_000 + len(name),
            "name": short,
            "full_name": name,
            "owner": user(owner, "Organization"),
            "private": self.private,
            "fork": name != self.name,
            "html_url": f"{self.server}/{name}",
            "default_branch": self.default_branch,
            "visibility": "private" if self.private else "public",
        }

    def comment_json(self, comment: Comment) -> Json:
        kind = "pull" if comment.number in self.pulls else "issues"
        return {
            "id": comment.id,
            "user": user(comment.author),
            "body": comment.body,
            "created_at": comment.created,
            "updated_at": comment.edited or comment.created,
            "html_url": self.page(f"{kind}/{comment.number}#issuecomment-{comment.id}"),
            "author_association": "NONE",
        }

    def check_json(self, check: Check) -> Json:
        given, output = check.given, check.given.get("output", {})
        return {
            "id": check.id,
            "name": check.name,
            "head_sha": check.sha,
            "external_id": given.get("external_id", ""),
            "details_url": given.get("details_url", self.page(f"runs/{check.id}")),
            "html_url": self.page(f"runs/{check.id}"),
            "status": check.status,
            "conclusion": given.get("conclusion"),
            "started_at": given.get("started_at", check.began),
            "completed_at": check.began if check.status == "completed" else None,
            "output": {
                "title": output.get("title"),
                "summary": output.get("summary"),
                "text": output.get("text"),
                "annotations_count": len(check.annotations),
            },
            "app": {"id": APPS.get(check.app, 99_999), "slug": check.app, "name": check.app},
            "pull_requests": [],
        }

    def issue_json(self, issue: Issue) -> Json:
        return {
            "id": 7_000 + issue.number,
            "number": issue.number,
            "user": user(issue.author),
            "title": issue.title,
            "body": issue.body,
            "labels": [{"id": 1, "name": name, "color": "ededed"} for name in issue.labels],
            "state": issue.state,
            "state_reason": issue.state_reason,
            "created_at": issue.created,
            "updated_at": issue.created,
            "html_url": self.page(f"issues/{issue.number}"),
        }

    def pull_as_issue_json(self, pull: Pull) -> Json:
        """Return a pull request as lists of issues show it."""
        like = Issue(pull.number, pull.author, pull.title, "", pull.labels, pull.state)
        page = self.page(f"pull/{pull.number}")
        return {**self.issue_json(like), "html_url": page, "pull_request": {"html_url": page}}

    def pull_json(self, pull: Pull) -> Json:
        theirs = pull.fork or self.name
        return {
            "id": 8_000 + pull.number,
            "number": pull.number,
            "state": pull.state,
            "title": pull.title,
            "body": None,
            "user": user(pull.author),
            "html_url": self.page(f"pull/{pull.number}"),
            "created_at": pull.created,
            "updated_at": pull.created,
            "closed_at": pull.merged_at or None,
            "merged_at": pull.merged_at or None,
            "merge_commit_sha": pull.merge_commit or None,
            "head": self._side(theirs, pull.branch, pull.head),
            "base": self._side(self.name, pull.onto, pull.base),
        }

    def _side(self, repository: str, branch: str, sha: str) -> Json:
        owner = repository.partition("/")[0]
        return {
            "label": f"{owner}:{branch}",
            "ref": branch,
            "sha": sha,
            "user": user(owner, "Organization"),
            "repo": self.repository(repository),
        }

    def commit_json(self, commit: GitCommit) -> Json:
        person = {"name": commit.author, "email": commit.email, "date": moment(commit.date)}
        return {
            "sha": commit.sha,
            "html_url": self.page(f"commit/{commit.sha}"),
            "commit": {"author": person, "committer": person, "message": commit.message},
            "author": user(commit.author),
            "committer": user(commit.author),
            "parents": [{"sha": parent} for parent in commit.parents],
        }


def user(login: str, kind: str = "") -> Json:
    """Return an account."""
    bot = login.endswith("[bot]")
    return {"login": login, "id": 500 + len(login), "type": kind or ("Bot" if bot else "User")}


def labelled(labels: list[str], wanted: str) -> bool:
    """Whether something has all labels of a list with commas."""
    ours = {label.lower() for label in labels}
    return all(label.strip().lower() in ours for label in wanted.split(","))
