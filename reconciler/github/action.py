"""The action's one entry: reads the step's environment, runs its command, tells what went wrong."""

import os
from collections.abc import Mapping
from dataclasses import replace
from importlib import import_module
from pathlib import Path, PurePosixPath
from typing import TextIO

from providers.errors import ProviderError
from reconciler.cli.app import Console
from reconciler.diagnostics import Diagnostic, error
from reconciler.errors import Incomplete, InvalidInput, Locked, ReconcilerError, Refused
from reconciler.github.annotations import annotated
from reconciler.github.commits import basic, credentials
from reconciler.github.inputs import PREFIX, Inputs
from reconciler.github.job import Job
from reconciler.github.run import Run
from reconciler.github.workflow import Workflow


def act(console: Console, environ: Mapping[str, str], out: TextIO) -> int:
    """Run the step's command and return its exit code; every failure is told where it is looked for.

    Raises what it met once that is told, so that it is in the log as well.
    """
    workflow = Workflow(environ, out)
    try:
        code = _acted(console, environ, workflow)
    except (ReconcilerError, ProviderError, OSError) as failure:
        folder = PurePosixPath(environ.get(f"{PREFIX}WORKING_DIRECTORY") or ".")
        workflow.annotate(annotated(_diagnostics(failure), folder))
        workflow.output("exit-code", getattr(failure, "exit_code", 1))
        workflow.output("failure-reason", reason_of(failure))
        raise
    workflow.output("exit-code", code)
    return code


def _acted(console: Console, environ: Mapping[str, str], workflow: Workflow) -> int:
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
    code: int = import_module(f"reconciler.github.commands.{inputs.command}").run(job)
    return code


def _root(workspace: Path, folder: str) -> Path:
    root = (workspace / folder).resolve()
    if not root.is_relative_to(workspace) or not root.is_dir():
        summary = f"the input `working-directory` is no folder of the repository: {folder}"
        raise InvalidInput((error(summary, hint="actions/checkout comes before certform"),))
    return root


def reason_of(failure: Exception) -> str:
    """Return the code of a failure for the output `failure-reason`, a stable word."""
    if isinstance(failure, InvalidInput):
        return "invalid"
    if isinstance(failure, Locked):
        return "locked"
    if isinstance(failure, Incomplete):
        return "partly-applied"
    return "refused" if isinstance(failure, Refused) else "error"


def _diagnostics(failure: Exception) -> tuple[Diagnostic, ...]:
    if isinstance(failure, ReconcilerError):
        return failure.diagnostics
    return (error(str(failure)),)
