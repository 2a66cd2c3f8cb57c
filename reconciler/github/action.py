"""The action's one entry: reads the step's environment, runs its command, tells what went wrong."""

import os
from collections.abc import Mapping
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import TextIO

from reconciler.cli.app import Console
from reconciler.diagnostics import error
from reconciler.errors import Incomplete, Interrupted, InvalidInput, Locked, Refused
from reconciler.github.annotations import ROOT, annotated
from reconciler.github.commits import basic, credentials
from reconciler.github.errors import findings_of
from reconciler.github.inputs import PREFIX, Inputs
from reconciler.github.job import Job
from reconciler.github.masking import mask
from reconciler.github.run import Run
from reconciler.github.workflow import Workflow


def act(console: Console, environ: Mapping[str, str], out: TextIO) -> int:
    """Run the step's command and return its exit code; every failure is told where it is looked for.

    Raises what it met once that is told, so that it is in the log as well.
    """
    workflow, folder = Workflow(environ, out), ROOT
    try:
        job = _job(console, environ, workflow)
        folder = job.folder
        code: int = import_module(f"reconciler.github.commands.{job.inputs.command}").run(job)
    except (Exception, KeyboardInterrupt) as failure:
        workflow.annotate(annotated(findings_of(failure), folder))
        workflow.output("exit-code", _exit_code(failure))
        workflow.output("failure-reason", reason_of(failure))
        raise
    workflow.output("exit-code", code)
    return code


def _job(console: Console, environ: Mapping[str, str], workflow: Workflow) -> Job:
    mask(workflow, environ)
    inputs = Inputs.from_environment(environ)
    workspace = Path(environ.get("GITHUB_WORKSPACE") or Path.cwd()).resolve()
    job = Job(
        console=replace(console, root=_root(workspace, inputs.working_directory)),
        run=Run.from_environment(environ),
        inputs=inputs,
        workflow=workflow,
        workspace=workspace,
    )
    if inputs.token:
        workflow.mask(basic(inputs.token))
    os.environ.update(credentials(job.run, inputs.token, os.environ))
    os.environ.pop(f"{PREFIX}TOKEN", None)  # no program that is started has to know it
    return job


def _root(workspace: Path, folder: str) -> Path:
    root = (workspace / folder).resolve()
    if not root.is_relative_to(workspace) or not root.is_dir():
        summary = f"the input `working-directory` is no folder of the repository: {folder}"
        raise InvalidInput((error(summary, hint="actions/checkout comes before certform"),))
    return root


def _exit_code(failure: BaseException) -> int:
    interrupted = isinstance(failure, KeyboardInterrupt)
    return Interrupted.exit_code if interrupted else getattr(failure, "exit_code", 1)


def reason_of(failure: BaseException) -> str:
    """Return the code of a failure for the output `failure-reason`, a stable word."""
    if isinstance(failure, InvalidInput):
        return "invalid"
    if isinstance(failure, Locked):
        return "locked"
    if isinstance(failure, Incomplete):
        return "partly-applied"
    if isinstance(failure, Interrupted | KeyboardInterrupt):
        return "interrupted"
    return "refused" if isinstance(failure, Refused) else "error"
