"""Applies only what time has made due, for the nightly job. Nobody reviews that, so it tells no commit."""

from reconciler.cli.options import Choice
from reconciler.cli.running import Account, Limits, carry_out
from reconciler.cli.survey import session
from reconciler.github.annotations import annotated
from reconciler.github.bases import base_at, base_before
from reconciler.github.commits import head
from reconciler.github.forge import ForgeDenied, ForgeError
from reconciler.github.history import unapplied
from reconciler.github.job import Job
from reconciler.github.outcome import Outcome
from reconciler.github.preview import Reading
from reconciler.github.report import SUMMARY_LIMIT, report
from reconciler.github.telling import put_out, remarks
from reconciler.github.waiting import Waiting
from reconciler.repository import Base, examine


def run(job: Job) -> int:
    """Renew what is due as it was issued, whatever was edited since; return the exit code."""
    account, waiting = Account(), Waiting(job.console)
    put_out(job, Outcome(account))
    sha = head(job.console.root)
    label = job.inputs.label or Reading(examine(job.console.root, sha), None).project
    try:
        _renewed(job, sha, _base(job, sha, label), account, waiting)
    except (Exception, KeyboardInterrupt) as failure:
        _tell(job, Outcome(account, failure=failure), label, waiting)
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

    None where none were yet, or there is no token: then it is as the documents say. Where GitHub does not
    tell, they are those before the commit, as for an apply; raises `ForgeDenied` where it never would.
    """
    if job.forge is None:
        job.workflow.notice("which commit was applied last: not known, there is no token")
        return None
    try:
        last = unapplied(job.forge, sha, label).applied
    except ForgeDenied:
        raise
    except ForgeError as why:
        job.workflow.notice(f"which commit was applied last: not known, {why}")
        return base_before(job, sha)
    return base_at(job, last) if last else None


def _tell(job: Job, outcome: Outcome, label: str, waiting: Waiting) -> None:
    put_out(job, outcome)
    waited = [waiting.remark] if waiting.remark else []
    job.workflow.summary(report(outcome, label, SUMMARY_LIMIT, waited))
