"""Runs the steps of a job, and those of a composite action, one after the other as a runner does.

As actions/runner does it, src/Runner.Worker/StepsRunner.cs and Handlers/. `uses` of an action that
is neither a composite one nor stood in for fails.
"""

import os
import re
import subprocess
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ruamel.yaml import YAML
from workflow_expressions import Exact, ExpressionError, Scope, condition, evaluated
from workflow_files import StepFiles
from workflow_log import Annotated, StepLog
from workflow_values import as_text, truth

if TYPE_CHECKING:
    from workflow_runner import Job

SHELLS = {
    "bash": ("bash", "--noprofile", "--norc", "-e", "-o", "pipefail"),
    "": ("bash", "-e"),
    "sh": ("sh", "-e"),
}
"""How a script is run; without `shell`, bash as its own default has it."""
LONGEST = 300
"""Seconds that one script may take."""
Step = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class StepResult:
    """What became of one step. `outcome` is before `continue-on-error`, `conclusion` after it."""

    name: str
    outcome: str
    conclusion: str
    outputs: Mapping[str, str] = field(default_factory=dict)
    log: str = ""
    summaries: Sequence[str] = ()
    annotations: Sequence[Annotated] = ()
    dropped: int = 0

    @property
    def summary(self) -> str:
        return "".join(self.summaries)


@dataclass
class Use:
    """One use of an action that is stood in for; `inputs` are what the step gives, as texts."""

    doing: "Doing"
    name: str
    inputs: dict[str, str]

    @property
    def job(self) -> "Job":
        return self.doing.frame.job

    @property
    def env(self) -> Mapping[str, str]:
        """The variables that the step sees, of those a workflow sets."""
        return {**self.job.env, **self.doing.own}

    def say(self, line: str) -> None:
        self.doing.log.receive(line)

    def output(self, name: str, value: str) -> None:
        self.doing.outputs[name] = value

    def export(self, name: str, value: str) -> None:
        """Set a variable of all later steps, as GITHUB_ENV does."""
        self.job.env[name] = value

    def fail(self, why: str) -> None:
        self.doing.log.annotate("error", why)
        self.doing.log.failed = True


StandIn = Callable[[Use], None]


@dataclass
class Frame:
    """Where steps run: the job, or one use of a composite action in it."""

    job: "Job"
    contexts: Mapping[str, Any]
    steps: dict[str, Any] = field(default_factory=dict)
    overrides: Mapping[str, str] = field(default_factory=dict)
    github: Mapping[str, str] = field(default_factory=dict)
    log: StepLog | None = None
    summaries: list[str] = field(default_factory=list)
    failed: bool = False

    def scope(self, env: Mapping[str, str]) -> Scope:
        contexts = {
            **self.contexts,
            "github": {**self.job.github, **self.github},
            "steps": self.steps,
            "env": Exact(env),
        }
        return Scope(contexts, self.status)

    @property
    def status(self) -> Mapping[str, Callable[[], bool]]:
        cancelled = self.job.cancelled
        return {
            "always": lambda: True,
            "cancelled": lambda: cancelled,
            "failure": lambda: self.failed and not cancelled,
            "success": lambda: not self.failed and not cancelled,
        }


def run_steps(frame: Frame, steps: Sequence[Step]) -> list[StepResult]:
    """Run steps in their order; the frame knows afterwards whether one of them failed."""
    results = []
    for number, step in enumerate(steps):
        result = _run(frame, step, number)
        results.append(result)
        if "id" in step:
            shown = {"outputs": dict(result.outputs), "outcome": result.outcome}
            frame.steps[step["id"]] = {**shown, "conclusion": result.conclusion}
        if result.conclusion == "failure":
            frame.failed = True
    return results


@dataclass
class Doing:
    """One step while it is done: where, with which variables of its own, and what comes of it."""

    frame: Frame
    log: StepLog
    own: Mapping[str, str] = field(default_factory=dict)
    outputs: dict[str, str] = field(default_factory=dict)
    summaries: list[str] = field(default_factory=list)

    @property
    def scope(self) -> Scope:
        return self.frame.scope({**self.frame.job.env, **self.frame.overrides, **self.own})


def _run(frame: Frame, step: Step, number: int) -> StepResult:
    log = frame.log or StepLog(frame.job.masker, frame.job.workspace)
    log.begin()
    doing = Doing(frame, log)
    before = len(log.lines)
    already, log.failed = log.failed, False
    try:
        outcome = _attempt(doing, step)
        shrugged = outcome == "failure" and _tolerated(doing, step)
    except ExpressionError as why:
        log.annotate("error", f"The template is not valid. {why}")
        outcome, shrugged = "failure", False
    log.failed = already
    frame.summaries.extend(doing.summaries)
    return StepResult(
        name=str(step.get("name") or step.get("id") or step.get("uses") or f"step {number + 1}"),
        outcome=outcome,
        conclusion="success" if shrugged else outcome,
        outputs=doing.outputs,
        log="\n".join(log.lines[before:]),
        summaries=doing.summaries,
        annotations=() if frame.log else log.annotations,
        dropped=0 if frame.log else log.dropped,
    )


def _attempt(doing: Doing, step: Step) -> str:
    """Do a step if its `if` says so, and return the outcome."""
    asked = (step.get("env") or {}).items()
    own = {key: _text(value, doing.scope) for key, value in asked}
    doing.own = {**doing.frame.overrides, **own}
    if not condition(str(step.get("if", "success()")), doing.scope):
        return "skipped"
    if "uses" in step:
        return _use(doing, step)
    if code := _script(doing, step):
        doing.log.annotate("error", f"Process completed with exit code {code}.")
    return "failure" if code or doing.log.failed else "success"


def _tolerated(doing: Doing, step: Step) -> bool:
    said = step.get("continue-on-error", False)
    return truth(evaluated(said, doing.scope) if isinstance(said, str) else said)


def _text(value: Any, scope: Scope) -> str:
    return as_text(evaluated(value, scope)) if isinstance(value, str) else as_text(value)


def _script(doing: Doing, step: Step) -> int:
    """Run a script and take over what it wrote; return its exit code."""
    job, frame = doing.frame.job, doing.frame
    files = StepFiles(job.temporary / "_runner_file_commands")
    script = job.temporary / f"{uuid.uuid4()}.sh"
    script.write_text(_text(step["run"], doing.scope), encoding="utf-8")
    shell = SHELLS[step["shell"] if frame.log else step.get("shell", "")]
    where = job.workspace / _text(step.get("working-directory", ""), doing.scope)
    environment = job.process_environment(doing.own, frame.github, files.environment)
    code = _execute([*job.machine.prefix, *shell, str(script)], where, environment, doing.log)
    files.collect(doing.outputs, job.env, job.path, doing.log)
    if told := files.summary(job.masker, doing.log):
        doing.summaries.append(told)
    return code


def _execute(argv: Sequence[str], where: Path, environment: Mapping[str, str], log: StepLog) -> int:
    process = subprocess.Popen(
        argv,
        cwd=where,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    with process:
        try:
            told, _ = process.communicate(timeout=LONGEST)
        except subprocess.TimeoutExpired:
            process.kill()
            raise
    *lines, last = re.split(r"\r\n|\n|\r", told.decode("utf-8", "replace"))
    for line in [*lines, *([last] if last else [])]:
        log.receive(line)
    return process.returncode


def _use(doing: Doing, step: Step) -> str:
    name: str = step["uses"]
    given = {key: _text(value, doing.scope) for key, value in (step.get("with") or {}).items()}
    given.update(doing.frame.job.machine.inputs.get(name.partition("@")[0], {}))
    found = doing.frame.job.action(name)
    if isinstance(found, Path):
        return _composite(doing, found, name, given)
    if found is None:
        doing.log.annotate("error", f"there is no action {name}, and nothing stands in for it")
        return "failure"
    found(Use(doing, name, given))
    return "failure" if doing.log.failed else "success"


def _composite(doing: Doing, folder: Path, name: str, given: Mapping[str, str]) -> str:
    """Run the steps of a composite action; its outputs are read at the end, also of one that failed."""
    manifest = loaded(folder / "action.yml")
    if manifest["runs"]["using"] != "composite":
        doing.log.annotate("error", f"{name} is no composite action, and nothing stands in for it")
        return "failure"
    around = doing.frame.contexts
    shared = {key: around[key] for key in ("job", "runner", "strategy", "matrix")}
    inputs = _inputs(manifest.get("inputs") or {}, given, doing)
    owner, _, ref = name.partition("@")
    github = {
        "action_path": str(folder),
        "action_ref": ref,
        "action_repository": owner if ref else "",
    }
    inner = Frame(
        doing.frame.job,
        {**shared, "inputs": inputs},
        overrides=doing.own,
        github=github,
        log=doing.log,
    )
    run_steps(inner, manifest["runs"]["steps"])
    scope = inner.scope({**inner.job.env, **inner.overrides})
    for key, told in (manifest.get("outputs") or {}).items():
        doing.outputs[key] = _text(told["value"], scope)
    doing.summaries.extend(inner.summaries)
    return "failure" if inner.failed else "success"


def _inputs(
    declared: Mapping[str, Any], given: Mapping[str, str], doing: Doing
) -> Mapping[str, str]:
    """Return all inputs an action has: given, by default, or empty; a runner enforces no `required`."""
    contexts = doing.scope.contexts
    limited = Scope({key: contexts[key] for key in ("github", "job", "runner")}, {})
    lower = {key.lower(): value for key, value in given.items()}
    for key in lower.keys() - {each.lower() for each in declared}:
        words = ", ".join(f"'{each}'" for each in declared)
        doing.log.annotate("warning", f"Unexpected input(s) '{key}', valid inputs are [{words}]")
    found = {}
    for key, each in declared.items():
        default = (each or {}).get("default", "")
        found[key] = lower[key.lower()] if key.lower() in lower else _text(default, limited)
    return found


def loaded(path: Path) -> Any:
    """Return a YAML file as GitHub reads it: YAML 1.2, in which `on` is a word."""
    return YAML(typ="safe", pure=True).load(path.read_text(encoding="utf-8"))


def searched(path: Sequence[str], machine: str) -> str:
    return os.pathsep.join([*path, machine])
