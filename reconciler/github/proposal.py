"""What a plan is made of: which commit's documents, proposed against which commit, for which pull request."""

from dataclasses import dataclass, replace

from reconciler.diagnostics import error
from reconciler.errors import InvalidInput
from reconciler.github.commits import advertised, fetched, head, parents
from reconciler.github.job import Job
from reconciler.github.run import PullRequest


@dataclass(frozen=True, slots=True)
class Proposal:
    """Documents at `revision`, proposed against `base`, None where they are proposed against nothing.

    `pull` is the pull request they come by; its `head` is the commit that the plan is shown on.
    """

    revision: str
    base: str | None = None
    pull: PullRequest | None = None

    @property
    def shown_on(self) -> str:
        """The commit whose check run the plan is."""
        return self.pull.head if self.pull else self.revision


def pull_of(job: Job) -> PullRequest | None:
    """Return the pull request of the event, or the one that a maintainer asked for by number.

    Raises `InvalidInput` for a number without a token and for what is merged, which nobody reviews any
    more, `ForgeError` when there is no such thing.
    """
    if job.run.pull is not None or not job.inputs.pull_request:
        return job.run.pull
    if job.forge is None:
        raise InvalidInput((error("the input `pull-request` needs the input `token`"),))
    pull = job.forge.pull(job.inputs.pull_request)
    if pull.merged:
        hint = "what is not applied yet is in the plan of every pull request that is open"
        raise InvalidInput((error(f"pull request {pull.number} is merged already", hint=hint),))
    return pull


def proposal(job: Job, pull: PullRequest | None) -> Proposal:
    """Return what is proposed, both commits at hand; raises `GitError` when one is not to be had.

    Of a pull request it is the merge that GitHub made or else its head, whatever else is checked out.
    """
    root = job.console.root
    at = head(root)
    if pull is None:
        return Proposal(at, fetched(root, job.run.queued_on) if job.run.queued_on else None)
    found = _tried(job, pull, at) or Proposal(pull.head, pull.base, pull)
    for commit in filter(None, (found.revision, found.base)):
        fetched(root, commit)
    return found


def _tried(job: Job, pull: PullRequest, at: str) -> Proposal | None:
    """Return the merge that GitHub made to try a pull request; None where it is not at hand.

    Its first parent is what it would be merged into, even when that has gone on since the event,
    its second the head that was merged.
    """
    ref = f"refs/pull/{pull.number}/merge"
    if job.run.pull is not None:
        merge = at if (at, ref) == (job.run.sha, job.run.ref) else None
    else:
        merge = advertised(job.console.root, ref)
    made = parents(job.console.root, fetched(job.console.root, merge)) if merge else ()
    if merge is None or len(made) != 2 or (job.run.pull is None and made[1] != pull.head):
        return None
    return Proposal(merge, made[0], replace(pull, head=made[1]))
