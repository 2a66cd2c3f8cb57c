"""Looks every night whether the world still agrees with the documents, and tells of it in one issue."""

from collections.abc import Callable
from functools import partial

from reconciler.cli.advice import asked
from reconciler.cli.failures import tell_skipped
from reconciler.cli.survey import survey
from reconciler.diagnostics import error
from reconciler.drifting import Drift, drift
from reconciler.errors import InvalidInput
from reconciler.github.annotations import annotated
from reconciler.github.drift_issue import fail, keep
from reconciler.github.drift_report import findings, setting_of
from reconciler.github.errors import findings_of
from reconciler.github.inputs import OnDrift
from reconciler.github.job import Job
from reconciler.github.workflow import LARGEST_SUMMARY
from reconciler.outfile import READABLE, write_whole
from reconciler.planning import make_plan
from reconciler.render.drift import render_drift_text
from reconciler.render.drift_markdown import Setting, render_drift_markdown
from reconciler.render.metrics import render_metrics
from reconciler.render.sarif import render_sarif
from reconciler.repository import Examination, examine

LARGEST = LARGEST_SUMMARY // 4
"""Characters of the job's summary: at most four bytes each."""


def run(job: Job) -> int:
    """Look, and tell; 0 where nothing differs, or drift is only to be reported and was.

    1 when something could not be checked: a green job would read as clean. 2 for drift that is to
    fail the job, or that nobody could be told of. Raises what kept it from looking, once that is told.
    """
    if job.run.pull is not None:
        summary = "drift is of what was merged, not of a pull request"
        hint = "start it `on: schedule` and `workflow_dispatch`"
        raise InvalidInput((error(summary, hint=hint),))
    read = examine(job.console.root, "HEAD")
    setting = setting_of(job, read)
    try:
        found = _look(job, read)
    except Exception as failure:
        if job.inputs.issue and setting.label:
            why = findings_of(failure)
            job.attempt("the drift issue", partial(fail, diagnostics=why, setting=setting))
        raise
    code = _tell(job, found, setting)
    _write(job, "sarif-file", job.inputs.sarif_file, partial(_sarif, found, setting))
    _write(job, "metrics-file", job.inputs.metrics_file, partial(render_metrics, found))
    return code


def _look(job: Job, read: Examination) -> Drift:
    world = asked(job.console, survey(job.console, read).world)
    found = drift(world, make_plan(world))
    with job.workflow.group("Drift"):
        tell_skipped(read.skipped, job.console)
        job.console.write(render_drift_text(found, colour=job.console.colour_out))
    return found


def _sarif(found: Drift, setting: Setting) -> str:
    return render_sarif(found, setting.folder, setting.label)


def _write(job: Job, name: str, path: str, text: Callable[[], str]) -> None:
    """Write a file where an input asks for one."""
    if not path:
        return
    try:
        write_whole(job.place(path), text(), READABLE)
    except OSError as why:
        summary = f"the input `{name}`: {why.filename} cannot be written: {why.strerror}"
        raise InvalidInput((error(summary),)) from None


def _tell(job: Job, found: Drift, setting: Setting) -> int:
    job.workflow.annotate(annotated(findings(found), job.folder))
    job.workflow.summary(render_drift_markdown(found, setting, LARGEST))
    job.workflow.output("drift", len(found.differences))
    job.workflow.output("unknown", len(found.unchecked))
    job.workflow.output("digest", found.digest)
    told = not job.inputs.issue or _kept(job, found, setting)
    wanted = job.inputs.on_drift is OnDrift.FAIL
    fails = bool(found.differences) and (wanted or not told)
    if found.unchecked or fails:
        reason = "unknown" if found.unchecked else "drift" if wanted else "untold"
        job.workflow.output("failure-reason", reason)
    return 2 if fails else 1 if found.unchecked else 0


def _kept(job: Job, found: Drift, setting: Setting) -> bool:
    """Keep the issue, and return whether that could be done."""
    url = job.attempt("the drift issue", partial(keep, drift=found, setting=setting))
    if url:
        job.workflow.output("issue-url", url)
    return url is not None
