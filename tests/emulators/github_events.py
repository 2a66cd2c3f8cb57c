"""What a runner is told of an event: the payload on disk, and the variables of a step.

https://docs.github.com/webhooks/webhook-events-and-payloads,
https://docs.github.com/actions/reference/workflows-and-actions/variables
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from github_bare import GitCommit
from github_emulator import NOWHERE, GitHub
from github_state import Json, Pull, moment, user


@dataclass(frozen=True, slots=True)
class Event:
    """One event. `sha` is what actions/checkout checks out, `ref` its full ref."""

    name: str
    payload: Json = field(repr=False)
    sha: str
    ref: str
    actor: str
    head_ref: str = ""
    base_ref: str = ""

    def variables(
        self, github: GitHub, folder: Path, *, run_id: str = "4711", attempt: str = "1"
    ) -> dict[str, str]:
        """Return the runner's variables; the payload is written into `folder`."""
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"event-{run_id}-{attempt}.json"
        path.write_text(json.dumps(self.payload))
        return {
            "CI": "true",
            "GITHUB_ACTIONS": "true",
            "GITHUB_ACTOR": self.actor,
            "GITHUB_API_URL": github.api_url,
            "GITHUB_BASE_REF": self.base_ref,
            "GITHUB_EVENT_NAME": self.name,
            "GITHUB_EVENT_PATH": str(path),
            "GITHUB_GRAPHQL_URL": github.graphql_url,
            "GITHUB_HEAD_REF": self.head_ref,
            "GITHUB_REF": self.ref,
            "GITHUB_REF_NAME": self.ref.removeprefix("refs/heads/").removeprefix("refs/pull/"),
            "GITHUB_REPOSITORY": github.name,
            "GITHUB_REPOSITORY_OWNER": github.name.partition("/")[0],
            "GITHUB_RUN_ATTEMPT": attempt,
            "GITHUB_RUN_ID": run_id,
            "GITHUB_RUN_NUMBER": "1",
            "GITHUB_SERVER_URL": github.state.server,
            "GITHUB_SHA": self.sha,
        }


def pull_request(github: GitHub, pull: Pull, action: str = "opened", actor: str = "") -> Event:
    """Return `pull_request` (opened, synchronize, reopened); its commit is the merge that GitHub made.

    `actor` started the run: the author of the pull request unless it is said, or `dependabot[bot]`.
    """
    merge = github.merge_ref(pull)
    assert merge, f"{pull.number} has a conflict: no workflow runs"
    whole = {
        **github.state.pull_json(pull),
        "draft": False,
        "merged": False,
        "mergeable": None,
        "author_association": "CONTRIBUTOR",
    }
    actor = actor or pull.author
    payload: Json = {"action": action, "number": pull.number, "pull_request": whole}
    if action == "synchronize":
        payload |= {"before": github.bare.commits([pull.head])[0].parents[0], "after": pull.head}
    return Event(
        "pull_request",
        {**payload, **_where(github, actor)},
        sha=merge,
        ref=f"refs/pull/{pull.number}/merge",
        actor=actor,
        head_ref=pull.branch,
        base_ref=pull.onto,
    )


def push(
    github: GitHub, before: str, after: str = "", *, branch: str = "main", actor: str = "someone"
) -> Event:
    """Return `push` to a branch, from one commit (`NOWHERE`: a new branch) to another, or to its tip."""
    after = after or github.tip(branch)
    exclude = [f"^{before}"] if before != NOWHERE else []
    shas = github.bare.shas(after, *exclude)[:2048]
    commits = [_commit(github, each) for each in reversed(github.bare.commits(shas))]
    head = github.bare.commits([after])[0]
    payload = {
        "ref": f"refs/heads/{branch}",
        "before": before,
        "after": after,
        "created": before == NOWHERE,
        "deleted": False,
        "forced": before != NOWHERE and before not in github.bare.shas(after),
        "base_ref": None,
        "compare": github.state.page(f"compare/{before[:12]}...{after[:12]}"),
        "commits": commits,
        "head_commit": _commit(github, head),
        "pusher": {"name": actor, "email": f"{actor}@people.example"},
        **_where(github, actor),
    }
    return Event("push", payload, after, f"refs/heads/{branch}", actor)


def workflow_dispatch(
    github: GitHub,
    inputs: Mapping[str, str] | None = None,
    *,
    branch: str = "main",
    actor: str = "someone",
) -> Event:
    """Return `workflow_dispatch`: somebody pressed the button."""
    ref = f"refs/heads/{branch}"
    payload = {
        "inputs": dict(inputs or {}) or None,
        "ref": ref,
        "workflow": ".github/workflows/certform.yml",
        **_where(github, actor),
    }
    return Event("workflow_dispatch", payload, github.tip(branch), ref, actor)


def schedule(github: GitHub, cron: str = "17 3 * * *", actor: str = "someone") -> Event:
    """Return `schedule`: on the default branch, by whoever wrote the schedule; there is no sender."""
    branch = github.state.default_branch
    payload = {
        "schedule": cron,
        "workflow": ".github/workflows/certform.yml",
        "repository": github.state.repository(),
    }
    return Event("schedule", payload, github.tip(branch), f"refs/heads/{branch}", actor)


def merge_group(github: GitHub, pull: Pull, actor: str = "someone") -> Event:
    """Return `merge_group`: a queue's own branch, in which a pull request is merged already."""
    merge = github.merge_ref(pull)
    ref = f"refs/heads/gh-readonly-queue/{pull.onto}/pr-{pull.number}-{pull.base}"
    github.bare.update(ref, merge)
    group = {
        "head_sha": merge,
        "head_ref": ref,
        "base_sha": pull.base,
        "base_ref": f"refs/heads/{pull.onto}",
        "head_commit": _commit(github, github.bare.commits([merge])[0]),
    }
    payload = {"action": "checks_requested", "merge_group": group, **_where(github, actor)}
    return Event("merge_group", payload, merge, ref, actor)


def _where(github: GitHub, actor: str) -> Json:
    return {"repository": github.state.repository(), "sender": user(actor)}


def _commit(github: GitHub, commit: GitCommit) -> Json:
    person = {"name": commit.author, "email": commit.email}
    return {
        "id": commit.sha,
        "tree_id": github.bare.tree(commit.sha),
        "message": commit.message,
        "timestamp": moment(commit.date),
        "author": person,
        "committer": person,
    }
