"""What a target does with a batch of installs: writes, shows, activates and verifies them together."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from providers.abilities import Activator, Staged, Stager, Verifier
from providers.base import Installed, InstallRequest, Target
from providers.errors import ProviderError
from reconciler.apply.session import Session
from reconciler.ledger.records import Issuance
from schemas.plan import Change

Item = TypeVar("Item")
Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Task:
    """One install: `request` is what to write, None when the right thing is there and only unproven."""

    change: Change
    issuance: Issuance
    request: InstallRequest | None = None
    installed: Installed | None = None
    error: str = ""


def stands(task: Task) -> bool:
    """Whether something was written, and nothing has gone wrong with it since."""
    return task.installed is not None and not task.error


def write(target: Target, tasks: Sequence[Task]) -> list[Task]:
    """Write every install that takes a request, by stages where a target can."""
    if isinstance(target, Stager):
        return _stage(target, tasks)
    return [_write_one(target, task) for task in tasks]


def _write_one(target: Target, task: Task) -> Task:
    if task.request is None or task.error:
        return task
    try:
        return replace(task, installed=target.install(task.request))
    except ProviderError as why:
        return replace(task, error=str(why))


def _stage(target: Stager, tasks: Sequence[Task]) -> list[Task]:
    pending = [n for n, task in enumerate(tasks) if task.request is not None]
    done = list(tasks)
    staged: list[tuple[int, Staged]] = []
    requests = [task.request for task in tasks if task.request is not None]
    for n, result in zip(pending, _each(target.stage, requests), strict=True):
        if isinstance(result, ProviderError):
            done[n] = replace(done[n], error=str(result))
        else:
            staged.append((n, result))
    shown = _each(target.switch, [item for _, item in staged])
    for (n, _), shown_one in zip(staged, shown, strict=True):
        done[n] = _with(done[n], shown_one)
    return done


def _each(
    verb: Callable[[Sequence[Item]], Sequence[Result | ProviderError]], items: Sequence[Item]
) -> Sequence[Result | ProviderError]:
    """Return what a verb makes of its items; one that fails as a whole fails for each of them."""
    try:
        return verb(items)
    except ProviderError as why:
        return [why] * len(items)


def _with(task: Task, result: Installed | ProviderError) -> Task:
    if isinstance(result, ProviderError):
        return replace(task, error=str(result))
    return replace(task, installed=result)


def activate(target: Target, tasks: list[Task]) -> list[Task]:
    """Let the consumer read what was written; what it refuses fails all of it."""
    if not isinstance(target, Activator) or not any(stands(task) for task in tasks):
        return tasks
    try:
        target.activate()
    except ProviderError as why:
        return [replace(t, error=str(why)) if stands(t) else t for t in tasks]
    return tasks


def verify(session: Session, target: Target, tasks: list[Task]) -> list[Task]:
    """Prove what was written, one by one where a target can."""
    standing = [n for n, task in enumerate(tasks) if stands(task)]
    if not isinstance(target, Verifier) or not standing:
        return tasks
    results = _proofs(target, [i for n in standing if (i := tasks[n].installed)])
    done = list(tasks)
    for n, result in zip(standing, results, strict=True):
        session.stay_alive()
        if isinstance(result, ProviderError):
            done[n] = replace(done[n], error=str(result))
    return done


def _proofs(
    target: Verifier, installed: Sequence[Installed]
) -> Iterator[Installed | ProviderError]:
    """Yield what becomes of each; what fails as a whole fails for all that are left."""
    left = len(installed)
    try:
        for result in target.verify(installed):
            left -= 1
            yield result
    except ProviderError as why:
        yield from [why] * left
