"""What apply reports, as lines: every change while they are few, counts when they are many."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence

import click

from reconciler.events import Event, EventStatus
from reconciler.render.escape import inert, visible, visible_lines
from reconciler.render.vocabulary import COUNTED, Form, Kind, kind_of
from schemas.plan import Action, Change

SINGLY = 50
"""How many changes are reported one by one; a larger apply is reported by counts and failures."""
_NAMED = 20
"""How many failures the end names before the rest is a number."""
_STEPS = 20
"""How many times a count of many is told."""

_COLOURS = {
    EventStatus.DONE: "green",
    EventStatus.FAILED: "bright_red",
    EventStatus.POSTPONED: "yellow",
    EventStatus.SKIPPED: "yellow",
}


_INCOMPLETE = {
    EventStatus.FAILED: "failed",
    EventStatus.POSTPONED: "waiting",
    EventStatus.SKIPPED: "not started",
}
"""What is not done in the end, and what it is called."""
_TOLD = (EventStatus.FAILED, EventStatus.POSTPONED, EventStatus.WAITING)
"""What is told by itself, however many changes there are."""


Kinds = Mapping[tuple[str, Action], Kind]
"""What each change means to its reader, by its address and action."""


def kinds_of(changes: Iterable[Change]) -> Kinds:
    """Return the words that apply goes by: those of the plan."""
    return {(change.address, change.action): kind_of(change) for change in changes}


def render_event(event: Event, kind: Kind, *, colour: bool) -> str:
    """Return one event as a line; a message of several lines goes on below, indented."""
    first, *rest = (*visible_lines(event.message), "") if event.message else ("",)
    text = f"{visible(event.address)}: {_happening(event, kind.value, first)}"
    if colour and event.status in _COLOURS:
        text = click.style(text, fg=_COLOURS[event.status])
    lines = (text, *(f"    | {line}" for line in rest if line))
    return "\n".join(map(inert, lines))


def progress(events: Iterable[Event], kinds: Kinds, *, colour: bool) -> Iterator[str]:
    """Yield the lines to show while events arrive; `kinds` are those of the changes to come."""
    totals, done = Counter(kinds.values()), Counter[Kind]()
    for event in events:
        kind = kinds[event.address, event.action]
        finished = event.status is EventStatus.DONE
        done[kind] += finished
        told = event.status in _TOLD
        if len(kinds) <= SINGLY or told or (finished and event.message):
            yield render_event(event, kind, colour=colour)
        elif finished and _worth_telling(done[kind], totals[kind]):
            yield f"... {done[kind]:,} of {totals[kind]:,} {kind.value.done}"


def render_apply_summary(events: Iterable[Event], kinds: Kinds, *, colour: bool) -> str:
    """Return what became of it all: which failed (why was told), the counts, what to do next."""
    last = {(event.address, event.action): event for event in events if event.final}
    by_status = Counter(event.status for event in last.values())
    if not any(by_status[status] for status in _INCOMPLETE):
        text = f"Apply complete: {_by_kind(last.values(), kinds)}."
        return click.style(text, fg="green", bold=True) if colour else text
    words = {status: word for status, word in _INCOMPLETE.items() if by_status[status]}
    numbers = (f"{by_status[status]:,} {word}" for status, word in words.items())
    parts = (f"{by_status[EventStatus.DONE]:,} done", *numbers)
    text = f"Apply incomplete: {', '.join(parts)}. Run apply again: it goes on where it stopped."
    shown = click.style(text, fg="bright_red", bold=True) if colour else text
    failed = [e.address for e in last.values() if e.status is EventStatus.FAILED]
    return f"{inert(_failed(failed))}\n{shown}" if failed else shown


def _failed(addresses: Sequence[str]) -> str:
    named = ", ".join(map(visible, addresses[:_NAMED]))
    more = f" and {len(addresses) - _NAMED:,} more" if len(addresses) > _NAMED else ""
    return f"Failed: {named}{more}."


def render_progress(events: Sequence[Event], kinds: Kinds) -> str:
    """Return how far an apply had come when it was stopped."""
    done = [event for event in events if event.status is EventStatus.DONE]
    if not done:
        return f"none of {len(kinds):,} changes was made"
    return f"{len(done):,} of {len(kinds):,} changes made ({_by_kind(done, kinds)})"


def _happening(event: Event, form: Form, message: str) -> str:
    doing, done = form.doing, form.done
    after = f": {message}" if message else ""
    match event.status:
        case EventStatus.STARTED:
            return f"{doing}...{after and f' ({message})'}"
        case EventStatus.WAITING:
            return f"Still {doing.lower()}...{after and f' ({message})'} [{_spent(event)} elapsed]"
        case EventStatus.DONE:
            return f"{done.capitalize()} in {_spent(event)}{after and f' ({message})'}"
        case EventStatus.FAILED:
            return f"NOT {done} after {_spent(event)}{after}"
        case EventStatus.POSTPONED:
            return f"Not {done} yet{after}"
        case EventStatus.SKIPPED:
            return f"Not started{after}"


def _spent(event: Event) -> str:
    seconds = event.elapsed_seconds
    if seconds < 10:
        return f"{seconds:.1f}s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}m{rest:02}s" if minutes else f"{rest}s"


def _worth_telling(number: int, total: int) -> bool:
    return number == total or number % max(1, total // _STEPS) == 0


def _by_kind(events: Iterable[Event], kinds: Kinds) -> str:
    numbers = Counter(kinds[event.address, event.action] for event in events)
    told = [f"{numbers[kind]:,} {kind.value.done}" for kind in COUNTED if numbers[kind]]
    return ", ".join(told) or "nothing to do"
