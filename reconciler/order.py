"""In which order changes are made: waves, each depending only on those before it."""

from collections.abc import Sequence
from graphlib import TopologicalSorter

from schemas.plan import Action, Change

_APART = frozenset({Action.BLOCKED, Action.CONFIGURE})
_RANK = {action: rank for rank, action in enumerate(Action)}


def waves(changes: Sequence[Change]) -> tuple[tuple[Change, ...], ...]:
    """Return the changes to make in waves, each after everything it requires; blocked ones are left out.

    Keys are given to others in the last wave, when they have done what this run needs them for.
    Raises `graphlib.CycleError` on a cycle, which no diff produces.
    """
    steps = {step.id: step for step in changes if step.action not in _APART}
    sorter = TopologicalSorter({id_: _known(step, steps) for id_, step in steps.items()})
    sorter.prepare()
    ordered = []
    while sorter.is_active():
        ready = sorter.get_ready()
        sorter.done(*ready)
        ordered.append(_sorted([steps[id_] for id_ in ready]))
    last = [step for step in changes if step.action is Action.CONFIGURE]
    return (*ordered, _sorted(last)) if last else tuple(ordered)


def _known(step: Change, steps: dict[str, Change]) -> list[str]:
    return [id_ for id_ in step.requires if id_ in steps]


def _sorted(steps: Sequence[Change]) -> tuple[Change, ...]:
    return tuple(sorted(steps, key=lambda step: (_RANK[step.action], step.address)))
