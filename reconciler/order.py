"""In which order changes are made: waves, each depending only on those before it."""

from collections.abc import Sequence
from graphlib import TopologicalSorter

from reconciler.address import place
from reconciler.diff.connections import is_connection
from schemas.plan import Action, Change

_RANK = {action: rank for rank, action in enumerate(Action)}
_PUBLISHED = "published"
"""The moment at which all lists and CAs are published that wait for no install."""


def waves(changes: Sequence[Change]) -> tuple[tuple[Change, ...], ...]:
    """Return the changes to make in waves, each after what it requires and follows, but for blocked ones.

    A target gives up nothing before it has what it gets, whether or not the one depends on the other. Whoever
    checks a certificate finds the list of a new CA and that CA before any place shows what hangs by it.
    Keys are given to others last, when this run needs them no longer.
    Raises `graphlib.CycleError` on a cycle, which no diff produces.
    """
    last = [step for step in changes if _is_last(step)]
    steps = {
        step.id: step
        for step in changes
        if step.action is not Action.BLOCKED and not _is_last(step)
    }
    sorter = TopologicalSorter({id_: _known(step, steps) for id_, step in steps.items()})
    for id_, step in steps.items():
        if step.action is Action.INSTALL:
            sorter.add(_arrivals(step), id_)
            if step.address.startswith("certificate/"):
                sorter.add(id_, _PUBLISHED)
        elif step.action is Action.REMOVE:
            sorter.add(id_, _arrivals(step))
        elif _needs_no_install(step, steps):
            sorter.add(_PUBLISHED, id_)
    sorter.prepare()
    ordered = []
    while sorter.is_active():
        ready = sorter.get_ready()
        sorter.done(*ready)
        if wave := [steps[id_] for id_ in ready if id_ in steps]:
            ordered.append(_sorted(wave))
    return (*ordered, _sorted(last)) if last else tuple(ordered)


def _is_last(step: Change) -> bool:
    """Whether a change gives keys to others; who is spoken to, and how CRLs are made, is settled before."""
    settled = is_connection(step) or step.address.startswith(("crl/", "ocsp/"))
    return step.action is Action.CONFIGURE and not settled


def _needs_no_install(step: Change, steps: dict[str, Change]) -> bool:
    """Whether a list or a CA is published that tells of no revocation: those come after what is installed."""
    known = (steps[id_] for id_ in _known(step, steps))
    public = step.action is Action.PUBLISH and step.address.startswith(("crl/", "ca/"))
    return public and not any(each.action is Action.REVOKE for each in known)


def _arrivals(step: Change) -> str:
    """The moment at which a target has everything it gets: one node, not an edge for every pair."""
    return f"arrivals:{place(step.address)}"


def _known(step: Change, steps: dict[str, Change]) -> list[str]:
    return [id_ for id_ in (*step.requires, *step.follows) if id_ in steps]


def _sorted(steps: Sequence[Change]) -> tuple[Change, ...]:
    return tuple(sorted(steps, key=lambda step: (_RANK[step.action], step.address)))
