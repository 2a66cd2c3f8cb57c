"""Documents of commits that say who may be spoken to."""

from reconciler.github.commits import fetched, parents
from reconciler.github.job import Job
from reconciler.repository import Base, nobody, read_base


def base_at(job: Job, sha: str) -> Base:
    """Return the documents of a commit; raises `GitError` where it is not to be had."""
    return read_base(job.console.root, fetched(job.console.root, sha))


def base_before(job: Job, sha: str) -> Base:
    """Return the documents that a branch had before a commit; before its first, they name nobody."""
    root = job.console.root
    before = next(iter(parents(root, fetched(root, sha))), None)
    return base_at(job, before) if before else nobody()
