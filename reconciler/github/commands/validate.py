"""Checks every document of the commit at hand, offline: what a pull request needs no credential for."""

from collections.abc import Iterator
from dataclasses import replace

from reconciler.cli.failures import show, tell_skipped
from reconciler.cli.survey import now
from reconciler.diagnostics import has_errors, in_order
from reconciler.forewarning import foretold
from reconciler.github.annotations import annotated
from reconciler.github.job import Job
from reconciler.github.workflow import LARGEST_SUMMARY
from reconciler.render.diagnostics import render_diagnostics, tally
from reconciler.render.escape import fence
from reconciler.repository import Examination, examine


def run(job: Job) -> int:
    """Annotate every finding where it is, write them into the job's summary; 1 where one is an error."""
    found = examine(job.console.root, "HEAD")
    failed = found.desired is None or has_errors(found.diagnostics)
    if found.desired is not None:
        ahead = foretold(found.desired, now())
        found = replace(found, diagnostics=in_order((*found.diagnostics, *ahead)))
    with job.workflow.group("Findings"):
        show(found.diagnostics, job.console, found.sources)
        tell_skipped(found.skipped, job.console)
    job.workflow.annotate(annotated(found.diagnostics, job.folder))
    job.workflow.summary("\n".join(_summary(found, failed=failed)))
    if failed:
        job.workflow.output("failure-reason", "invalid")
    return 1 if failed else 0


def _summary(found: Examination, *, failed: bool) -> Iterator[str]:
    said = tally(found.diagnostics)
    yield f"### Certificates: {said or 'the documents are valid'}\n"
    if found.diagnostics:
        yield _findings(found)
    yield "Nothing can be planned until the errors are put right." if failed else ""


def _findings(found: Examination) -> str:
    """Return the findings as a terminal shows them; as many as a summary holds."""
    text = fence(render_diagnostics(found.diagnostics, found.sources.get, colour=False), "text")
    if len(text.encode()) < LARGEST_SUMMARY // 2:
        return text
    return f"There are too many to be shown here; the log has all {len(found.diagnostics):,}.\n"
