"""Applies what merged pull requests showed, and what time has made due; tells of it where it was reviewed."""

import os

from reconciler.cli.options import Choice
from reconciler.cli.running import Account, Limits, carry_out
from reconciler.cli.survey import session
from reconciler.diagnostics import error
from reconciler.errors import InvalidInput
from reconciler.github.commits import fetched, parents
from reconciler.github.forge import ForgeError
from reconciler.github.history import Stretch, overtaken
from reconciler.github.inputs import ApplyMode, Unreviewed
from reconciler.github.job import Job
from reconciler.github.leavings import leave
from reconciler.github.masking import mask
from reconciler.github.outcome import Outcome, stopping
from reconciler.github.preview import Reading
from reconciler.github.reviews import Reviews, reviews
from reconciler.github.telling import Telling
from reconciler.github.waiting import Waiting
from reconciler.repository import Base, examine, read_base
from reconciler.reviewing import Fingerprints, Review, Unrestricted

_UNREAD = "there is no token"


def run(job: Job) -> int:
    """Apply the commit that was pushed, and return the exit code: 3 where something was not reviewed.

    Raises what stopped it, once that is told.
    """
    mask(job.workflow, os.environ)
    sha = fetched(job.console.root, _pushed(job))
    label = job.inputs.label or Reading(examine(job.console.root, sha), None).project
    if newer := _newer(job, label):
        return _late(job, newer)
    telling = Telling(job, label, _reviews(job, label), Waiting(job.console))
    base, account = _base(job, telling.found), Account()
    telling.begin()
    try:
        newer = _applied(job, telling, base, account)
    except Exception as failure:
        outcome = Outcome(account, telling.found, stopping(failure))
        telling.conclude(outcome)
        telling.record(outcome)
        telling.answer(outcome)
        raise
    if newer:
        return _late(job, newer)
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


def _newer(job: Job, label: str) -> str | None:
    """Return the newer commit that was applied already: a late job must not take the world back."""
    if job.forge is None:
        return None
    try:
        return overtaken(job.forge, job.run.branch, job.run.sha, label)
    except ForgeError as why:
        job.workflow.notice(f"whether a newer commit was applied: not known, {why}")
        return None


def _late(job: Job, newer: str) -> int:
    said = (
        f"{newer[:12]}, a newer commit of {job.run.branch}, was applied already: nothing is done."
    )
    job.workflow.notice(said)
    job.workflow.summary(f"### Certificates: nothing to apply\n\n{said}")
    return 0


def _reviews(job: Job, label: str) -> Reviews:
    """Return what was reviewed; where GitHub does not tell, nothing was."""
    if job.forge is None:
        return Reviews(Stretch(()), unread=_UNREAD)
    try:
        return reviews(job.forge, job.run.branch, job.run.sha, label)
    except ForgeError as why:
        return Reviews(Stretch(()), unread=str(why))


def _applied(job: Job, telling: Telling, base: Base | None, account: Account) -> str | None:
    """Apply under the ledger's lock; return the newer commit that was applied while this run waited.

    How it ended is recorded before the lock is given back: whoever gets it next has to see that.
    """
    review = _review(job, telling.found)
    with session(
        job.console,
        ref=job.run.sha,
        base=base,
        approved=telling.found.fingerprints,
        lock_timeout=job.inputs.lock_timeout,
        waiting=telling.waiting,
    ) as held:
        if newer := _newer(job, telling.label):
            return newer
        limits = Limits(ask=False, mass=job.inputs.allow_mass_change)
        with job.workflow.group("Apply"):
            carry_out(job.console, held, Choice(), limits, review, account)
        telling.record(Outcome(account, telling.found))
    return None


def _review(job: Job, found: Reviews) -> Review:
    if job.inputs.apply_mode is ApplyMode.ANY:
        return Unrestricted()
    return Fingerprints(found.fingerprints, due=job.inputs.allow_unreviewed is Unreviewed.DUE)


def _base(job: Job, found: Reviews) -> Base | None:
    """Return the documents that say who may be spoken to, but for what was reviewed since.

    None on the first apply of a branch. Where nobody can tell what was applied last, those before the commit.
    """
    root = job.console.root
    if job.inputs.apply_mode is ApplyMode.ANY:
        return None
    before = found.stretch.applied
    if found.unread:
        before = next(iter(parents(root, job.run.sha)), None)
    return read_base(root, fetched(root, before)) if before else None
