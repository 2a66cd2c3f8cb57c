"""What GitHub's pages hold, as far as certform reads and writes them.

https://docs.github.com/rest
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self

from reconciler.github.workflow import Annotation

GHOST = "ghost"
"""Who wrote what a deleted account wrote."""


@dataclass(frozen=True, slots=True)
class Comment:
    """One comment of a pull request or issue."""

    id: int
    author: str
    body: str
    url: str

    @classmethod
    def parsed(cls, data: Mapping[str, Any]) -> Self:
        """Return a comment as REST writes it; raises KeyError or TypeError for anything else."""
        return cls(data["id"], _author(data), data.get("body") or "", data["html_url"])


@dataclass(frozen=True, slots=True)
class Commit:
    """One commit of a branch; the first of its parents is what the branch was before."""

    sha: str
    parents: tuple[str, ...]

    @classmethod
    def parsed(cls, data: Mapping[str, Any]) -> Self:
        """Return a commit as REST writes it; raises KeyError or TypeError for anything else."""
        return cls(data["sha"], tuple(each["sha"] for each in data["parents"]))


@dataclass(frozen=True, slots=True)
class Check:
    """One check run. `app` made it, which nobody else can say of theirs; `text` is its output's.

    `ended` is None while it runs.
    """

    id: int
    name: str
    app: str
    external_id: str
    conclusion: str
    title: str
    text: str
    url: str
    ended: datetime | None = None

    @classmethod
    def parsed(cls, data: Mapping[str, Any]) -> Self:
        """Return a check run as REST writes it; raises KeyError or TypeError for anything else."""
        output, ended = data["output"], data.get("completed_at")
        return cls(
            id=data["id"],
            name=data["name"],
            app=(data["app"] or {}).get("slug") or "",
            external_id=data.get("external_id") or "",
            conclusion=data["conclusion"] or "",
            title=output["title"] or "",
            text=output["text"] or "",
            url=data["html_url"] or "",
            ended=datetime.fromisoformat(ended) if ended else None,
        )


@dataclass(frozen=True, slots=True)
class NewCheck:
    """A check run to make on a commit, completed at once.

    `conclusion` is success, failure, neutral or action_required. `summary` and `text` hold at most
    65,535 bytes of UTF-8 each; of annotations there may be any number.
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

    @classmethod
    def parsed(cls, data: Mapping[str, Any]) -> Self:
        """Return an issue as REST writes it; raises KeyError or TypeError for anything else."""
        return cls(
            number=data["number"],
            author=_author(data),
            title=data["title"],
            body=data.get("body") or "",
            open=data["state"] == "open",
            url=data["html_url"],
        )


def _author(data: Mapping[str, Any]) -> str:
    name: str = (data["user"] or {}).get("login") or GHOST
    return name
