"""What apply reports, as lines: every change while they are few, counts when they are many."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence

import click

from reconciler.events import Event, EventStatus
from reconciler.render.escape import inert, visible, visible_lines
from schemas.plan import Action

SINGLY = 50
"""How many changes are reported one by one; a larger apply is reported by counts and failures."""
_STEPS = 20
"""How many times a count of many is told."""

_WORDS: Mapping[Action, tuple[str, str]] = {
    Action.ISSUE: ("Issuing", "issued"),
    Action.INSTALL: ("Installing", "installed"),
    Action.RELABEL: ("Relabelling", "relabelled"),
    Action.REMOVE: ("Removing", "removed"),
    Action.REVOKE: ("Revoking", "revoked"),
    Action.PUBLISH: ("Publishing", "published"),
    Action.CONFIGURE: ("Configuring", "configured"),
    Action.FORGET: ("Forgetting", "forgotten"),
    Action.BLOCKED: ("Waiting", "blocked"),
}
_COLOURS = {
    EventStatus.DONE: "green",
    EventStatus.FAILED: "bright_red",
    EventStatus.SKIPPED: "yellow",
}


def render_event(event: Event, *, colour: bool) -> str:
    """Return one event as a line; a message of several lines goes on below, indented."""
    first, *rest = (*visible_lines(event.message), "") if event.message else ("",)
    text = f"{visible(event.address)}: {_happening(event, first)}"
    if colour and event.status in _COLOURS:
        text = click.style(text, fg=_COLOURS[event.status])
    lines = (text, *(f"    | {line}" for line in rest if line))
    return "\n".join(map(inert, lines))


def progress(
    events: Iterable[Event], totals: Mapping[Action, int], *, colour: bool
) -> Iterator[str]:
    """Yield the lines to show while events arrive. `totals` says how many changes are to come."""
    if sum(totals.values()) <= SINGLY:
        yield from (render_event(event, colour=colour) for event in events)
        return
    done: Counter[Action] = Counter()
    for event in events:
        if event.status in (EventStatus.FAILED, EventStatus.WAITING):
            yield render_event(event, colour=colour)
        elif event.status is EventStatus.DONE:
            done[event.action] += 1
            if _worth_telling(done[event.action], totals.get(event.action, 0)):
                yield _counted(event.action, done[event.action], totals.get(event.action, 0))


def render_apply_summary(events: Iterable[Event], *, colour: bool) -> str:
    """Return what became of it all: what failed and why, then the counts, then what to do next."""
    last = {(event.address, event.action): event for event in events if event.final}
    by_status = Counter(event.status for event in last.values())
    failed = [event for event in last.values() if event.status is EventStatus.FAILED]
    if not by_status[EventStatus.FAILED] and not by_status[EventStatus.SKIPPED]:
        text = f"Apply complete: {_by_action(last.values())}."
        return click.style(text, fg="green", bold=True) if colour else text
    parts = [f"{by_status[EventStatus.DONE]:,} done", f"{by_status[EventStatus.FAILED]:,} failed"]
    if by_status[EventStatus.SKIPPED]:
        parts.append(f"{by_status[EventStatus.SKIPPED]:,} not started")
    text = f"Apply incomplete: {', '.join(parts)}. Run apply again: it goes on where it stopped."
    shown = click.style(text, fg="bright_red", bold=True) if colour else text
    return "\n".join([*(render_event(event, colour=colour) for event in failed), shown])


def render_progress(events: Sequence[Event], total: int) -> str:
    """Return how far an apply of `total` changes had come when it was stopped."""
    done = [event for event in events if event.status is EventStatus.DONE]
    if not done:
        return f"none of {total:,} changes was made"
    return f"{len(done):,} of {total:,} changes made ({_by_action(done)})"


def _happening(event: Event, message: str) -> str:
    doing, done = _WORDS[event.action]
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


def _counted(action: Action, number: int, total: int) -> str:
    return f"... {number:,} of {max(number, total):,} {_WORDS[action][1]}"


def _by_action(events: Iterable[Event]) -> str:
    numbers = Counter(event.action for event in events)
    parts = [
        f"{numbers[action]:,} {words[1]}" for action, words in _WORDS.items() if numbers[action]
    ]
    return ", ".join(parts) or "nothing to do"
