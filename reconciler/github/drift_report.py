"""What a job tells of drift beside the issue: where things are, and a remark for each document's line."""

from collections.abc import Iterator

from reconciler.diagnostics import Diagnostic, error, warning
from reconciler.drifting import Difference, Drift
from reconciler.github.job import Job
from reconciler.github.preview import Reading
from reconciler.render.drift import TITLES
from reconciler.render.drift_markdown import Setting
from reconciler.repository import Examination


def setting_of(job: Job, read: Examination) -> Setting:
    """Return where drift is told; without the input `label` it is the Project's name, invalid or not."""
    folder = job.folder.as_posix()
    return Setting(
        label=job.inputs.label or Reading(read, None).project,
        run_url=job.run.attempt_url,
        blob_url=job.run.blob_url,
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
