"""A machine that runs jobs of workflow files: with real shells and git, without GitHub.

    with GitHub.running(tmp_path / "github") as github:
        machine = Machine.of(github, tmp_path / "machine", actions={"certform/certform": ROOT})
        done = machine.run(workflow_file, push(github, before))
        assert done["apply"].conclusion == "success", done["apply"].log

A process gets what a runner gives it, and of the tests' own environment nothing.
"""

import json
import os
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from github_emulator import ACTIONS, BOT, GitHub
from github_events import Event
from workflow_checkout import check_out
from workflow_events import RESTRICTED, context, permitted, repository, starts, untrusted
from workflow_expressions import Scope, condition, evaluated
from workflow_log import Masker
from workflow_steps import Frame, StandIn, StepResult, _text, loaded, run_steps, searched


@dataclass
class Machine:
    """Runs jobs. `token` makes what a job authenticates with, from the permissions it has.

    `environment` is what the machine itself has, over the tests' PATH and a home of its own.
    `actions` are what `uses` names, without its `@ref`: a folder with an action.yml, or a stand-in.
    `inputs` are given to every use of an action, over those of the workflow. `environments` are the
    secrets of deployment environments, on top of `secrets`. `prefix` is put before each shell:
    strace and its like.
    """

    folder: Path
    remote: str
    api_url: str = "http://127.0.0.1:9"
    server_url: str = "https://github.com"
    environment: Mapping[str, str] = field(default_factory=dict)
    actions: Mapping[str, Path | StandIn] = field(default_factory=dict)
    token: Callable[[Mapping[str, str]], str] = lambda _: f"ghs_{uuid.uuid4().hex}"
    secrets: Mapping[str, str] = field(default_factory=dict)
    environments: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    variables: Mapping[str, str] = field(default_factory=dict)
    inputs: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    prefix: Sequence[str] = ()
    runs: int = 0

    @property
    def system(self) -> dict[str, str]:
        """What is there before a runner adds to it: programs, and an empty home."""
        home = self.folder / "home"
        home.mkdir(parents=True, exist_ok=True)
        return {
            "PATH": os.environ["PATH"],
            "HOME": str(home),
            "LANG": "C.UTF-8",
            **self.environment,
        }

    @classmethod
    def of(cls, github: GitHub, folder: Path, **more: Any) -> "Machine":
        """Return a machine whose jobs work in an emulated repository; `more` are further fields."""

        def token(permissions: Mapping[str, str]) -> str:
            known = {key.replace("-", "_"): value for key, value in permissions.items()}
            return github.door.tokens.make(BOT, ACTIONS, known)

        return cls(
            folder,
            f"file://{github.bare.root}",
            api_url=github.api_url,
            server_url=github.state.server,
            token=token,
            **more,
        )

    def run(self, workflow: Path, event: Event) -> Mapping[str, "JobResult"]:
        """Run the jobs of a workflow in the order they need; asserts that the event starts it."""
        text = loaded(workflow)
        assert starts(text, event), f"{event.name} does not start {workflow.name}"
        self.runs += 1
        done: dict[str, JobResult] = {}
        waiting = dict(text["jobs"])
        while waiting:
            ready = [name for name, job in waiting.items() if not set(needs(job)) & set(waiting)]
            assert ready, f"jobs of {workflow.name} wait for each other"
            for name in ready:
                done[name] = Job(self, text, workflow, name, waiting.pop(name), event, done).run()
        return done

    def use(
        self, action: str, event: Event, env: Mapping[str, str] | None = None, **inputs: str
    ) -> "JobResult":
        """Run one action in a job of its own, after a checkout; `_` in inputs stands for `-`."""
        given = {key.replace("_", "-"): value for key, value in inputs.items()}
        steps = [{"uses": "actions/checkout@v7", "with": {"fetch-depth": "2"}}]
        steps.append({"id": "used", "uses": action, "with": given, "env": dict(env or {})})
        permissions = dict.fromkeys(("contents", "pull-requests", "checks", "issues"), "write")
        self.runs += 1
        text = {"name": "use", "permissions": permissions}
        return Job(self, text, Path("use.yaml"), "use", {"steps": steps}, event, {}).run()


def needs(job: Mapping[str, Any]) -> Sequence[str]:
    """Return the jobs that come before a job."""
    said = job.get("needs", ())
    return (said,) if isinstance(said, str) else tuple(said)


@dataclass(frozen=True, slots=True)
class JobResult:
    """What became of a job. `permissions` are those its token had."""

    name: str
    conclusion: str
    results: Sequence[StepResult] = ()
    outputs: Mapping[str, str] = field(default_factory=dict)
    permissions: Mapping[str, str] = field(default_factory=dict)
    concurrency: Mapping[str, Any] = field(default_factory=dict)
    workspace: Path = Path()
    token: str = ""

    def step(self, name: str) -> StepResult:
        """Return the step of a name; an action's name goes without its `@ref`."""
        found = [each for each in self.results if name in (each.name, each.name.partition("@")[0])]
        assert len(found) == 1, f"{name}: {[each.name for each in self.results]}"
        return found[0]

    @property
    def log(self) -> str:
        return "".join(f"--- {each.name}: {each.outcome}\n{each.log}\n" for each in self.results)

    @property
    def summary(self) -> str:
        return "".join(each.summary for each in self.results)


class Job:
    """One job while it runs; `env` and `path` are what steps added for the next ones."""

    def __init__(
        self, machine: Machine, workflow: Mapping[str, Any], file: Path, name: str,
        text: Mapping[str, Any], event: Event, before: Mapping[str, JobResult],
    ) -> None:  # fmt: skip
        assert "strategy" not in text, "a matrix is not known here"
        assert "container" not in text, "a container is not known here"
        self.machine, self.event, self.name, self.text = machine, event, name, text
        self.workflow, self.file, self.before = workflow, file, before
        self.masker, self.cancelled = Masker(), False
        self.env: dict[str, str] = {}
        self.path: list[str] = []
        base = machine.folder / f"run-{machine.runs}-{name}"
        short = repository(event).rpartition("/")[2]
        self.workspace = base / "work" / short / short
        self.temporary = base / "work" / "_temp"
        self.permissions = permitted(
            event, text.get("permissions", workflow.get("permissions", RESTRICTED))
        )
        self.token = ""

    def run(self) -> JobResult:
        """Run the job if its `if` says so."""
        if not self._wanted():
            return JobResult(self.name, "skipped")
        self._prepare()
        frame = Frame(self, self._contexts())
        for said in (self.workflow.get("env"), self.text.get("env")):
            fixed = {
                key: _text(value, frame.scope(self.env)) for key, value in (said or {}).items()
            }
            self.env.update(fixed)
        results = run_steps(frame, self.text["steps"])
        scope = frame.scope(self.env)
        outputs = {key: _text(value, scope) for key, value in self.text.get("outputs", {}).items()}
        return JobResult(
            self.name, "failure" if frame.failed else "success", results, outputs, self.permissions,
            self._concurrency(scope), self.workspace, self.token,
        )  # fmt: skip

    def _wanted(self) -> bool:
        results = [self.before[name].conclusion for name in needs(self.text)]
        failed = any(each in ("failure", "cancelled") for each in results)
        fine = all(each == "success" for each in results)
        status = {"always": lambda: True, "cancelled": lambda: False, "failure": lambda: failed}
        contexts = {key: self._contexts()[key] for key in ("needs", "vars", "inputs")}
        scope = Scope({**contexts, "github": self.github}, {**status, "success": lambda: fine})
        return condition(str(self.text.get("if", "success()")), scope)

    def _prepare(self) -> None:
        self.workspace.mkdir(parents=True)
        for folder in (self.temporary, self.machine.folder / "tools"):
            folder.mkdir(parents=True, exist_ok=True)
        self._payload.parent.mkdir(parents=True)
        self._payload.write_text(json.dumps(self.event.payload), encoding="utf-8")
        self.token = self.machine.token(self.permissions)
        for secret in (self.token, *self._secrets.values()):
            self.masker.add(secret)

    @property
    def _payload(self) -> Path:
        return self.temporary / "_github_workflow" / "event.json"

    @property
    def _secrets(self) -> Mapping[str, str]:
        if untrusted(self.event):
            return {"GITHUB_TOKEN": self.token}
        said = self.text.get("environment", "")
        place = said["name"] if isinstance(said, Mapping) else said
        return {
            **self.machine.secrets,
            **self.machine.environments.get(place, {}),
            "GITHUB_TOKEN": self.token,
        }

    def _contexts(self) -> dict[str, Any]:
        before = {
            name: {
                "result": self.before[name].conclusion,
                "outputs": dict(self.before[name].outputs),
            }
            for name in needs(self.text)
        }
        return {
            "secrets": self._secrets, "vars": self.machine.variables, "needs": before,
            "inputs": self.event.payload.get("inputs") or {}, "runner": self._runner,
            "job": {"status": "success", "check_run_id": 7001}, "strategy": {}, "matrix": {},
        }  # fmt: skip

    def _concurrency(self, scope: Scope) -> Mapping[str, Any]:
        said = self.text.get("concurrency", self.workflow.get("concurrency", {}))
        told = {"group": said} if isinstance(said, str) else said
        return {
            key: evaluated(value, scope) if isinstance(value, str) else value
            for key, value in told.items()
        }

    @property
    def _runner(self) -> dict[str, str]:
        return {
            "name": "loopback", "os": "Linux", "arch": "X64", "environment": "github-hosted",
            "temp": str(self.temporary), "tool_cache": str(self.machine.folder / "tools"),
            "workspace": str(self.workspace.parent),
        }  # fmt: skip

    @property
    def github(self) -> dict[str, Any]:
        """The context `github`."""
        name = self.workflow.get("name", self.file.name)
        path = f"{repository(self.event)}/.github/workflows/{self.file.name}@{self.event.ref}"
        return {
            **context(self.event), "event": self.event.payload, "event_path": str(self._payload),
            "job": self.name, "run_id": str(8000 + self.machine.runs), "run_number": str(self.machine.runs),
            "run_attempt": "1", "workflow": name, "workflow_ref": path, "workflow_sha": self.event.sha,
            "workspace": str(self.workspace), "token": self.token, "action": "__run",
            "server_url": self.machine.server_url, "api_url": self.machine.api_url,
            "graphql_url": f"{self.machine.api_url.removesuffix('/v3')}/graphql",
        }  # fmt: skip

    def process_environment(
        self, own: Mapping[str, str], github: Mapping[str, str], files: Mapping[str, str]
    ) -> dict[str, str]:
        """Return what a script finds in its environment."""
        known = {**self.github, **github}
        shown = {
            key: value
            for key, value in known.items()
            if isinstance(value, str) and key not in HIDDEN
        }
        env = {
            **self.machine.system,
            "CI": "true",
            "GITHUB_ACTIONS": "true",
            **self.env,
            **own,
        }
        return {
            **env,
            **{f"GITHUB_{key.upper()}": value for key, value in shown.items()},
            **{f"RUNNER_{key.upper()}": value for key, value in self._runner.items()},
            **files,
            "PATH": searched(self.path, env["PATH"]),
        }

    def action(self, name: str) -> Path | StandIn | None:
        """Return what `uses` means here; `./` is below the workspace."""
        if name.startswith("./"):
            return self.workspace / name
        known: Mapping[str, Path | StandIn] = {
            "actions/checkout": check_out,
            **self.machine.actions,
        }
        return known.get(name.partition("@")[0])


HIDDEN = frozenset({"token", "action_status"})
"""What the context `github` knows and the environment does not."""
