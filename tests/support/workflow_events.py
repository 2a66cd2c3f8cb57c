"""What an event means for a workflow: whether it starts it, what its token may do, what `github` says of it.

https://docs.github.com/actions/reference/workflows-and-actions/events-that-trigger-workflows
"""

from collections.abc import Mapping
from fnmatch import fnmatchcase
from typing import Any

from github_events import Event

DEPENDABOT = "dependabot[bot]"
EVERYTHING = (
    "actions",
    "attestations",
    "checks",
    "contents",
    "deployments",
    "discussions",
    "id-token",
    "issues",
    "packages",
    "pages",
    "pull-requests",
    "security-events",
    "statuses",
)
RESTRICTED: Mapping[str, str] = {"contents": "read", "packages": "read"}
"""What a token may do where a workflow does not say, in a repository made today."""
PULL_REQUEST_TYPES = ("opened", "synchronize", "reopened")
"""The activities that start a workflow which names none."""


def repository(event: Event) -> str:
    """Return the full name of the repository in which something happened."""
    return str(event.payload["repository"]["full_name"])


def untrusted(event: Event) -> bool:
    """Whether GitHub gives it a token that only reads, and no secrets."""
    if event.name != "pull_request":
        return False
    theirs = (event.payload["pull_request"]["head"].get("repo") or {}).get("full_name")
    return theirs != repository(event) or event.actor == DEPENDABOT


def permitted(event: Event, said: Mapping[str, str] | str) -> Mapping[str, str]:
    """Return what a token may do, of what a workflow asks for."""
    if isinstance(said, str):
        said = dict.fromkeys(EVERYTHING, said.removesuffix("-all"))
    granted = {key: value for key, value in said.items() if value != "none"}
    if untrusted(event):
        granted = {key: "read" for key in granted if key != "id-token"}
    return {"metadata": "read", **granted}


def context(event: Event) -> dict[str, str]:
    """Return what the context `github` says of an event."""
    name = repository(event)
    told = event.payload["repository"]
    return {
        "event_name": event.name,
        "ref": event.ref,
        "sha": event.sha,
        "actor": event.actor,
        "triggering_actor": event.actor,
        "head_ref": event.head_ref,
        "base_ref": event.base_ref,
        "ref_type": "tag" if event.ref.startswith("refs/tags/") else "branch",
        "ref_name": event.ref.partition("/")[2].partition("/")[2],
        "ref_protected": "false",
        "repository": name,
        "repository_id": str(told["id"]),
        "repository_owner": name.partition("/")[0],
        "repository_owner_id": "501",
        "actor_id": "601",
        "retention_days": "90",
    }


def starts(workflow: Mapping[str, Any], event: Event) -> bool:
    """Whether an event starts a workflow: by its name, activity, schedule and branch."""
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
