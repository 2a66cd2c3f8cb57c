"""Applies only what time has made due, for the nightly job. Nobody reviews that, so it tells no commit."""

import os

from reconciler.cli.options import Choice
from reconciler.cli.running import Account, Limits, carry_out
from reconciler.cli.survey import session
from reconciler.github.annotations import annotated
from reconciler.github.commits import fetched, head
from reconciler.github.history import unapplied
from reconciler.github.job import Job
from reconciler.github.masking import mask
from reconciler.github.outcome import Outcome, stopping
from reconciler.github.preview import Reading
from reconciler.github.report import SUMMARY_LIMIT, report
from reconciler.github.telling import put_out, remarks
from reconciler.github.waiting import Waiting
from reconciler.repository import Base, examine, read_base


def run(job: Job) -> int:
    """Renew what is due as it was issued, whatever was edited since; return the exit code."""
    mask(job.workflow, os.environ)
    sha = head(job.console.root)
    label = job.inputs.label or Reading(examine(job.console.root, sha), None).project
    account, waiting = Account(), Waiting(job.console)
    try:
        _renewed(job, sha, _base(job, sha, label), account, waiting)
    except Exception as failure:
        _tell(job, Outcome(account, failure=stopping(failure)), label, waiting)
        raise
    outcome = Outcome(account)
    _tell(job, outcome, label, waiting)
    job.workflow.annotate(annotated(remarks(outcome), job.folder))
    return outcome.code


def _renewed(job: Job, sha: str, base: Base | None, account: Account, waiting: Waiting) -> None:
    limits = Limits(ask=False, mass=job.inputs.allow_mass_change)
    with (
        session(
            job.console,
            ref=sha,
            pinned=True,
            base=base,
            lock_timeout=job.inputs.lock_timeout,
            waiting=waiting,
        ) as held,
        job.workflow.group("Renew"),
    ):
        carry_out(job.console, held, Choice(due_only=True), limits, account=account)


def _base(job: Job, sha: str, label: str) -> Base | None:
    """Return the documents that were applied last: who is spoken to is not changed at night.

    None, with a notice, where nobody can tell; then it is as the documents say.
    """
    last = job.attempt(
        "which commit was applied last", lambda forge: unapplied(forge, sha, label).applied
    )
    return read_base(job.console.root, fetched(job.console.root, last)) if last else None


def _tell(job: Job, outcome: Outcome, label: str, waiting: Waiting) -> None:
    put_out(job, outcome)
    waited = [waiting.remark] if waiting.remark else []
    job.workflow.summary(report(outcome, label, SUMMARY_LIMIT, waited))
