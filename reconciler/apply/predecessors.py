"""What an install takes the place of: put back where the new one fails, dropped where it works."""

from dataclasses import replace

from providers.abilities import Activator, Restorer
from providers.errors import ProviderError
from reconciler.apply.install_steps import Task, stands


def restore(target: Restorer, tasks: list[Task]) -> tuple[list[Task], bool]:
    """Undo each failed install, and let the consumer read again; whether all of that worked."""
    outcomes = [_restore_one(target, t) for t in tasks]
    done, sound = [task for task, _ in outcomes], all(fine for _, fine in outcomes)
    if isinstance(target, Activator):
        try:
            target.activate()
        except ProviderError as why:
            words = f"; and with that undone: {why}"
            return [replace(t, error=t.error + words) if t.error else t for t in done], False
    return done, sound


def _restore_one(target: Restorer, task: Task) -> tuple[Task, bool]:
    """Undo an install if it failed; whether nothing of it is left."""
    if task.installed is None or not task.error:
        return task, True
    try:
        before = target.restore(task.installed)
    except ProviderError as why:
        return replace(task, error=f"{task.error}; and it could not be put back: {why}"), False
    if before is None:
        words = "it is taken away again: nothing was there before"
    elif before.sha256 != task.installed.sha256:
        words = "the previous certificate is back"
    else:
        words = "it stays: there is no other to put back"
    return replace(task, error=f"{task.error} ({words})"), True


def settle(target: Restorer, tasks: list[Task]) -> list[Task]:
    """Drop the predecessors; while their keys lie about, nothing counts as done."""
    try:
        target.settle([t.installed for t in tasks if t.installed and not t.error])
    except ProviderError as why:
        words = f"it works, but its predecessor could not be deleted: {why}"
        return [replace(t, error=words) if stands(t) else t for t in tasks]
    return tasks
