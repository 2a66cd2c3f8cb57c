"""Files that an apply leaves for the steps after it: the plan it made, and the inventory as it is then."""

from providers.errors import ProviderError
from reconciler import planfile
from reconciler.cli.survey import survey
from reconciler.errors import ReconcilerError
from reconciler.github.job import Job
from reconciler.github.outcome import Outcome
from reconciler.inventory_page import page
from reconciler.outfile import write_whole
from reconciler.repository import Base, examine


def leave(job: Job, outcome: Outcome, base: Base | None) -> None:
    """Write what was asked for; what cannot be written is a notice, since the work itself is done by now.

    Where not everything was applied, only who is named in `base` is spoken to for the inventory.
    """
    try:
        if job.inputs.plan_file and outcome.account.plan:
            path = job.place(job.inputs.plan_file)
            planfile.save(outcome.account.plan, path)
            job.workflow.output("plan-file", str(path))
        if job.inputs.inventory_file:
            read = examine(job.console.root, job.run.sha)
            world = survey(job.console, read, base=None if outcome.applied else base).world
            path = job.place(job.inputs.inventory_file)
            write_whole(path, page(world, blob_url=_blobs(job)))
    except (ReconcilerError, ProviderError, OSError) as why:
        job.workflow.notice(f"a file that was asked for: left out, {why}")


def _blobs(job: Job) -> str:
    folder = job.folder.as_posix()
    return job.run.blob_url if folder == "." else f"{job.run.blob_url}/{folder}"
