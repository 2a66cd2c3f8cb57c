"""What a job tells of drift beside the issue: where things are, and a remark for each document's line."""

from collections.abc import Iterator
from urllib.parse import quote

from reconciler.diagnostics import Diagnostic, error, warning
from reconciler.drifting import Difference, Drift
from reconciler.github.drift_issue import close
from reconciler.github.job import Job
from reconciler.github.preview import Reading
from reconciler.render.drift import TITLES
from reconciler.render.drift_markdown import Setting
from reconciler.repository import Examination
from schemas.plan import Plan


def setting_of(job: Job, read: Examination) -> Setting:
    """Return where drift is told; without the input `label` it is the Project's name, invalid or not."""
    return _setting(job, job.inputs.label or Reading(read, None).project)


def _setting(job: Job, label: str) -> Setting:
    folder = job.folder.as_posix()
    return Setting(
        label=label,
        run_url=f"{job.run.url}/attempts/{job.run.attempt}",
        blob_url=f"{job.run.server_url}/{job.run.repository}/blob/{quote(job.run.sha)}",
        folder="" if folder == "." else f"{folder}/",
    )


def findings(drift: Drift) -> tuple[Diagnostic, ...]:
    """Return a warning for each difference, and an error for each place that could not be checked."""
    return (*(_missing(drift)), *map(_difference, drift.differences))


def _missing(drift: Drift) -> Iterator[Diagnostic]:
    for each in drift.unchecked:
        yield error(f"{each.name} could not be checked", each.source, detail=each.detail)


def _difference(row: Difference) -> Diagnostic:
    expected = f"expected {row.expected}" if row.expected else ""
    found = f"found {row.found}" if row.found else ""
    detail = "\n".join(filter(None, (TITLES[row.kind], expected, found)))
    return warning(f"{row.address}: {row.reason}", row.source, detail=detail)


def settle(job: Job, plan: Plan) -> None:
    """Close the issue of a label after an apply, where a plan made afterwards has nothing left to do.

    Leaves it alone where something could not be looked at, or the plan is of a part.
    """
    unread = [each for each in plan.targets if each.status in ("unknown", "assumed")]
    if plan.changes or plan.selection or unread or not job.inputs.issue:
        return
    setting = _setting(job, job.inputs.label or plan.project)
    job.attempt("the drift issue", lambda forge: close(forge, setting))
