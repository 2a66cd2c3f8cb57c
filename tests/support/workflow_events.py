"""What starts a workflow: the events of GitHub, as the context `github` and the payload tell of them.

https://docs.github.com/actions/reference/workflows-and-actions/events-that-trigger-workflows
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any

DEPENDABOT = "dependabot[bot]"
EVERYTHING = (
    "actions", "attestations", "checks", "contents", "deployments", "discussions", "id-token", "issues",
    "packages", "pages", "pull-requests", "repository-projects", "security-events", "statuses",
)  # fmt: skip
PULL_REQUEST_TYPES = ("opened", "synchronize", "reopened")
"""The activities that start a workflow which names none."""


@dataclass(frozen=True)
class Event:
    """One event. `sha` is what is checked out: of a pull request, the commit that would be merged."""

    name: str
    repository: str
    ref: str
    sha: str
    payload: Mapping[str, Any] = field(default_factory=dict)
    actor: str = "mona"
    head_ref: str = ""
    base_ref: str = ""

    @property
    def untrusted(self) -> bool:
        """Whether GitHub gives it a token that only reads, and no secrets."""
        if self.name != "pull_request":
            return False
        theirs = (self.payload["pull_request"]["head"].get("repo") or {}).get("full_name")
        return theirs != self.repository or self.actor == DEPENDABOT

    def permitted(self, said: Mapping[str, str] | str) -> Mapping[str, str]:
        """Return what a token may do, of what a workflow asks for."""
        if isinstance(said, str):
            said = dict.fromkeys(EVERYTHING, said.removesuffix("-all"))
        granted = {key: value for key, value in said.items() if value != "none"}
        if not self.untrusted:
            return {"metadata": "read", **granted}
        lowered = {key: "read" for key in granted if key != "id-token"}
        return {"metadata": "read", **lowered}

    @property
    def context(self) -> dict[str, str]:
        """What the context `github` says of it."""
        kind = "tag" if self.ref.startswith("refs/tags/") else "branch"
        owner, _, _ = self.repository.partition("/")
        return {
            "event_name": self.name, "ref": self.ref, "sha": self.sha, "actor": self.actor,
            "triggering_actor": self.actor, "head_ref": self.head_ref, "base_ref": self.base_ref,
            "ref_type": kind, "ref_name": self.ref.partition("/")[2].partition("/")[2],
            "repository": self.repository, "repository_owner": owner, "repository_id": "1001",
            "repository_owner_id": "501", "actor_id": "601", "retention_days": "90", "ref_protected": "false",
        }  # fmt: skip


def repository_data(name: str, default_branch: str = "main") -> dict[str, Any]:
    """Return a repository as payloads describe it, as far as anybody here asks."""
    owner, _, short = name.partition("/")
    told = {"id": 1001, "name": short, "full_name": name, "default_branch": default_branch}
    return {**told, "owner": {"login": owner}, "private": True, "fork": False}


def pushed(repository: str, branch: str, before: str, after: str, actor: str = "mona") -> Event:
    """Return a push to a branch."""
    ref = f"refs/heads/{branch}"
    payload = {
        "ref": ref,
        "before": before,
        "after": after,
        "repository": repository_data(repository),
    }
    return Event("push", repository, ref, after, payload, actor)


def proposed(
    repository: str,
    pull: Mapping[str, Any],
    merge: str,
    action: str = "opened",
    actor: str = "mona",
) -> Event:
    """Return a pull request's event; `pull` is as REST writes it, `merge` the commit of refs/pull/N/merge."""
    number = pull["number"]
    payload = {"action": action, "number": number, "pull_request": dict(pull)}
    return Event(
        "pull_request", repository, f"refs/pull/{number}/merge", merge,
        {**payload, "repository": repository_data(repository), "sender": {"login": actor}}, actor,
        head_ref=pull["head"].get("ref", ""), base_ref=pull["base"]["ref"],
    )  # fmt: skip


def scheduled(repository: str, sha: str, cron: str = "17 3 * * *", branch: str = "main") -> Event:
    """Return what a schedule starts, which is on the default branch."""
    payload = {"schedule": cron, "repository": repository_data(repository)}
    return Event("schedule", repository, f"refs/heads/{branch}", sha, payload)


def dispatched(repository: str, sha: str, branch: str = "main", **inputs: str) -> Event:
    """Return what somebody starts by hand; `_` in inputs stands for `-`."""
    given = {key.replace("_", "-"): value for key, value in inputs.items()}
    ref = f"refs/heads/{branch}"
    payload = {"inputs": given, "ref": ref, "repository": repository_data(repository)}
    return Event("workflow_dispatch", repository, ref, sha, payload)


def starts(workflow: Mapping[str, Any], event: Event) -> bool:
    """Whether an event starts a workflow: by its name, activity and branch."""
    said = workflow["on"]
    known = {said: None} if isinstance(said, str) else said
    if event.name not in known:
        return False
    wanted = (known[event.name] if isinstance(known, Mapping) else None) or {}
    if event.name == "schedule":
        return any(each["cron"] == event.payload["schedule"] for each in wanted)
    unknown = set(wanted) - {"branches", "types", "inputs"}
    assert not unknown, f"filters of {event.name} that are not known here: {unknown}"
    types = wanted.get("types", PULL_REQUEST_TYPES)
    if event.name == "pull_request" and event.payload["action"] not in types:
        return False
    branch = event.base_ref or event.ref.removeprefix("refs/heads/")
    return "branches" not in wanted or any(fnmatchcase(branch, each) for each in wanted["branches"])
