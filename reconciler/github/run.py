"""The workflow run certform is a step of: where, on which commit, for which pull request.

https://docs.github.com/actions/reference/workflows-and-actions/variables
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Self

from reconciler.diagnostics import error
from reconciler.errors import InvalidInput

DEPENDABOT = "dependabot[bot]"
"""Runs that it starts get no secrets, whatever branch they are of."""


@dataclass(frozen=True, slots=True)
class PullRequest:
    """One pull request. `head` and `base` are commits, `onto` is the branch it would be merged into.

    `foreign` tells that its branch is of another repository, a fork. `merged_at` is None until it is merged.
    """

    number: int
    head: str
    base: str
    onto: str
    foreign: bool
    merged_at: datetime | None = None

    @property
    def merged(self) -> bool:
        """Whether it is merged."""
        return self.merged_at is not None

    @classmethod
    def parsed(cls, data: Mapping[str, Any]) -> Self:
        """Return a pull request as REST and events write it; raises KeyError or TypeError for anything else.

        https://docs.github.com/rest/pulls/pulls#get-a-pull-request
        """
        head, base, merged = data["head"], data["base"], data.get("merged_at")
        theirs = (head.get("repo") or {}).get("full_name")
        return cls(
            number=data["number"],
            head=head["sha"],
            base=base["sha"],
            onto=base["ref"],
            foreign=theirs != base["repo"]["full_name"],
            merged_at=datetime.fromisoformat(merged) if merged else None,
        )


@dataclass(frozen=True, slots=True)
class Run:
    """One attempt of one workflow run. `sha` is what was checked out, `ref` the full ref of it.

    On a pull request `sha` is the commit that would be merged, and `pull` says which one it is. `queued_on`
    is the commit that a merge queue would put it on, empty outside one.
    """

    event: str
    repository: str
    sha: str
    ref: str
    actor: str
    id: str
    attempt: str
    server_url: str
    api_url: str
    graphql_url: str
    pull: PullRequest | None = None
    queued_on: str = ""

    @classmethod
    def from_environment(cls, environ: Mapping[str, str]) -> Self:
        """Return what the runner says; raises `InvalidInput` outside a workflow run."""
        missing = [name for name in _REQUIRED if not environ.get(name)]
        if missing:
            hint = (
                "`certform action` is a step of a GitHub workflow; by hand use plan, apply, drift"
            )
            raise InvalidInput((error(f"{', '.join(missing)} is not set", hint=hint),))
        payload = _payload(environ.get("GITHUB_EVENT_PATH", ""))
        pull = payload.get("pull_request")
        return cls(
            event=environ["GITHUB_EVENT_NAME"],
            repository=environ["GITHUB_REPOSITORY"],
            sha=environ["GITHUB_SHA"],
            ref=environ["GITHUB_REF"],
            actor=environ.get("GITHUB_ACTOR", ""),
            id=environ["GITHUB_RUN_ID"],
            attempt=environ.get("GITHUB_RUN_ATTEMPT", "1"),
            server_url=environ.get("GITHUB_SERVER_URL", "https://github.com").rstrip("/"),
            api_url=environ.get("GITHUB_API_URL", "https://api.github.com").rstrip("/"),
            graphql_url=environ.get("GITHUB_GRAPHQL_URL", "https://api.github.com/graphql"),
            pull=PullRequest.parsed(pull) if pull else None,
            queued_on=(payload.get("merge_group") or {}).get("base_sha") or "",
        )

    @property
    def url(self) -> str:
        """The page of this run."""
        return f"{self.server_url}/{self.repository}/actions/runs/{self.id}"

    @property
    def attempt_url(self) -> str:
        """The page of this attempt of it, with its log and its job summary."""
        return f"{self.url}/attempts/{self.attempt}"

    @property
    def blob_url(self) -> str:
        """The address that files of the proposed, or the checked out, commit are below."""
        sha = self.pull.head if self.pull else self.sha
        return f"{self.server_url}/{self.repository}/blob/{sha}"

    @property
    def branch(self) -> str:
        """The branch that was pushed to, empty for a tag or a pull request."""
        prefix = "refs/heads/"
        return self.ref.removeprefix(prefix) if self.ref.startswith(prefix) else ""

    @property
    def untrusted(self) -> bool:
        """Whether what is proposed comes from outside: a fork, or a bot that updates dependencies."""
        return self.pull is not None and (self.pull.foreign or self.actor == DEPENDABOT)


_REQUIRED = (
    "GITHUB_EVENT_NAME",
    "GITHUB_REPOSITORY",
    "GITHUB_SHA",
    "GITHUB_REF",
    "GITHUB_RUN_ID",
)


def _payload(path: str) -> Mapping[str, Any]:
    if not path:
        return {}
    try:
        data = json.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        raise InvalidInput((error(f"the event at {path} cannot be read"),)) from None
    return data if isinstance(data, dict) else {}
