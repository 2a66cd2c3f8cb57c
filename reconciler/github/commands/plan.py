"""Plans what is proposed, and shows it where it is reviewed."""

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from reconciler import planfile
from reconciler.errors import ReconcilerError
from reconciler.github.errors import findings_of
from reconciler.github.job import Job
from reconciler.github.posting import Stage, publish, publish_failure
from reconciler.github.preview import Preview, Reading, log, preview, read
from reconciler.github.proposal import Proposal, proposal, pull_of
from reconciler.github.run import PullRequest
from reconciler.planning import pending
from reconciler.repository import examine
from schemas.plan import Plan


@dataclass(slots=True)
class Progress:
    """What is known so far. It is filled as the run goes on, so that a failure is told in the right place."""

    label: str
    pull: PullRequest | None = None
    proposal: Proposal | None = None


def run(job: Job) -> int:
    """Plan and tell of it; 0 also for a plan with changes, 2 where they are to fail the job.

    Raises what kept the plan from being made, once that is told in the plan's place.
    """
    progress = Progress(job.inputs.label, job.run.pull)
    try:
        found = _planned(job, progress)
    except Exception as failure:
        _tell(job, progress, failure)
        raise
    if progress.proposal is not None:
        publish(_stage(job, progress), progress.proposal, found)
    if not (job.inputs.fail_on_changes and pending(found.plan.changes)):
        return 0
    job.workflow.output("failure-reason", "changes")
    return 2


def _planned(job: Job, progress: Progress) -> Preview:
    progress.pull = pull_of(job)
    progress.proposal = proposal(job, progress.pull)
    reading = read(job, progress.proposal)
    progress.label = progress.label or reading.project
    found = preview(job, reading)
    log(job, reading, found)
    if job.inputs.plan_file:
        _save(job, found.plan, job.place(job.inputs.plan_file))
    return found


def _save(job: Job, plan: Plan, path: Path) -> None:
    planfile.save(plan, path)
    job.workflow.output("plan-file", str(path))


def _stage(job: Job, progress: Progress) -> Stage:
    return Stage.of(job, progress.label, progress.pull, progress.proposal)


def _tell(job: Job, progress: Progress, failure: Exception) -> None:
    """Show what failed in the plan's place; that it failed counts more than whether it can be shown."""
    progress.label = progress.label or _named(job)
    with suppress(ReconcilerError, OSError):
        publish_failure(_stage(job, progress), findings_of(failure))


def _named(job: Job) -> str:
    """Return the Project's name by what is checked out: what was proposed may not have been reached."""
    with suppress(ReconcilerError, OSError):
        return Reading(examine(job.console.root, "HEAD"), None).project
    return ""
