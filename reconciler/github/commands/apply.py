"""Applies what merged pull requests showed, and what time has made due; tells of it where it was reviewed."""

from dataclasses import replace

from reconciler.cli.options import Choice
from reconciler.cli.running import Account, Limits, carry_out
from reconciler.cli.survey import session
from reconciler.diagnostics import error
from reconciler.errors import InvalidInput
from reconciler.github.bases import base_at, base_before
from reconciler.github.commits import fetched
from reconciler.github.forge import ForgeError
from reconciler.github.history import overtaken
from reconciler.github.inputs import ApplyMode, Unreviewed
from reconciler.github.job import Job
from reconciler.github.leavings import leave
from reconciler.github.outcome import Outcome
from reconciler.github.preview import Reading
from reconciler.github.reviews import Reviews, reviews
from reconciler.github.telling import Telling, put_out
from reconciler.github.waiting import Waiting
from reconciler.repository import Base, examine
from reconciler.reviewing import Fingerprints, Review, Unrestricted

_UNREAD = "there is no token"


def run(job: Job) -> int:
    """Apply the commit that was pushed, and return the exit code: 3 where something was not reviewed.

    Raises what stopped it, once that is told.
    """
    account = Account()
    put_out(job, Outcome(account))
    sha = fetched(job.console.root, _pushed(job))
    label = job.inputs.label or Reading(examine(job.console.root, sha), None).project
    telling = Telling(job, label, Waiting(job.console))
    try:
        newer, base = _run(job, telling, account)
    except (Exception, KeyboardInterrupt) as failure:
        outcome = Outcome(account, telling.found, failure)
        telling.conclude(outcome)
        telling.record(outcome)
        telling.answer(outcome)
        raise
    if newer:
        return _late(job, telling, newer)
    outcome = Outcome(account, telling.found)
    telling.conclude(outcome)
    telling.answer(outcome)
    leave(job, outcome, base)
    return outcome.code


def _pushed(job: Job) -> str:
    """Return the commit to apply; raises `InvalidInput` where there is no branch it was pushed to."""
    if job.run.pull is not None or not job.run.branch:
        summary = f"apply runs for a branch, not for {job.run.ref}"
        hint = "start it `on: push` to the branch that pull requests are merged into"
        raise InvalidInput((error(summary, hint=hint),))
    return job.run.sha


def _run(job: Job, telling: Telling, account: Account) -> tuple[str | None, Base | None]:
    """Apply; return the newer commit that was applied already, and who could be spoken to at first."""
    if newer := _newer(job, telling):
        return newer, None
    telling.found = _reviews(job, telling.label)
    base = _base(job, telling.found)
    telling.begin()
    return _applied(job, telling, base, account), base


def _newer(job: Job, telling: Telling) -> str | None:
    """Return the newer commit that was applied already: a late job must not take the world back.

    Where GitHub does not tell, what was reviewed for this one is not known to be wanted any more.
    """
    if job.forge is None:
        return None
    try:
        return overtaken(job.forge, job.run.branch, job.run.sha, telling.label)
    except ForgeError as why:
        telling.found = replace(telling.found, unread=str(why))
        return None


def _late(job: Job, telling: Telling, newer: str) -> int:
    said = (
        f"{newer[:12]}, a newer commit of {job.run.branch}, was applied already: nothing is done."
    )
    telling.leave_to(newer)
    job.workflow.notice(said)
    job.workflow.summary(f"### Certificates: nothing to apply\n\n{said}")
    return 0


def _reviews(job: Job, label: str) -> Reviews:
    """Return what was reviewed; where GitHub does not tell, nothing was."""
    if job.forge is None:
        return Reviews(unread=_UNREAD)
    return reviews(job.forge, job.run.branch, job.run.sha, label)


def _base(job: Job, found: Reviews) -> Base | None:
    """Return the documents that say who may be spoken to, but for what was reviewed since.

    They are those that were applied last. Before anything was, they are those before the first plan that
    was reviewed, or before the commit: a repository that comes to this later goes on with what it has. So
    they are where nobody can tell what was applied.
    """
    if job.inputs.apply_mode is ApplyMode.ANY:
        return None
    last = found.stretch.applied if found.stretch else None
    return base_at(job, last) if last else base_before(job, found.first or job.run.sha)


def _applied(job: Job, telling: Telling, base: Base | None, account: Account) -> str | None:
    """Apply under the ledger's lock; return the newer commit that was applied while this run waited.

    How it ended is recorded before the lock is given back: whoever gets it next has to see that.
    """
    with session(
        job.console,
        ref=job.run.sha,
        base=base,
        approved=telling.found.fingerprints,
        lock_timeout=job.inputs.lock_timeout,
        waiting=telling.waiting,
    ) as held:
        if telling.waiting.remark:  # who held the lock may have applied some of it
            telling.found = _reviews(job, telling.label)
        if newer := _newer(job, telling):
            return newer
        limits = Limits(ask=False, mass=job.inputs.allow_mass_change)
        with job.workflow.group("Apply"):
            carry_out(job.console, held, Choice(), limits, _review(job, telling.found), account)
        telling.record(Outcome(account, telling.found))
    return None


def _review(job: Job, found: Reviews) -> Review:
    if job.inputs.apply_mode is ApplyMode.ANY:
        return Unrestricted()
    return Fingerprints(found.fingerprints, due=job.inputs.allow_unreviewed is Unreviewed.DUE)
