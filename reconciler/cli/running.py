"""Carrying a plan out under the lock: plan again, compare with what was reviewed, guard, ask, apply."""

import os
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import click

from providers.errors import ProviderError
from providers.sops.identity import held_recipients
from reconciler.access import shut_keys
from reconciler.apply import Session, apply
from reconciler.cli.app import Console
from reconciler.cli.failures import show
from reconciler.cli.options import Choice
from reconciler.diagnostics import error, warning
from reconciler.diff import revocation_warnings
from reconciler.errors import Incomplete, Interrupted, InvalidInput, ReconcilerError, Refused
from reconciler.events import Event, EventStatus
from reconciler.guard import guard
from reconciler.planning import compare, differences, make_plan, pending
from reconciler.render.events import progress, render_apply_summary, render_progress
from reconciler.render.text import render_text
from reconciler.selection import Selection
from schemas.plan import Action, Change, Plan

AGAIN = "what was done is recorded; the next run goes on from there"


@dataclass(frozen=True, slots=True)
class Limits:
    """Whether to ask first, and whether the guard's share may be passed."""

    ask: bool
    mass: bool


def carry_out(
    console: Console, session: Session, choice: Choice, limits: Limits, saved: Plan | None = None
) -> int:
    """Plan, check, ask and apply; return the exit code. Raises `Refused` with nothing done."""
    world = session.world
    selection = _selection_of(saved) if saved else choice.selection()
    plan = make_plan(world, selection)
    choice.check(world.desired, plan.changes)
    show(tuple(revocation_warnings(world, plan.changes)), console)
    console.write(render_text(plan, colour=console.colour_out))
    if saved is not None:
        _refuse_unreviewed(saved, plan)
    steps = pending(plan.changes)
    _refuse_unsafe(session, steps, limits)
    _refuse_shut(console, session, steps, limits)
    if not steps:
        return _ending(plan, 0)
    if limits.ask:
        with session.interruption.at_once():
            _ask()
    return _ending(plan, _apply(console, session, steps))


def _ending(plan: Plan, code: int) -> int:
    """Return the exit code: what is blocked was meant and is not done."""
    blocked = any(step.action is Action.BLOCKED for step in plan.changes)
    return 4 if blocked and code == 0 else code


def _selection_of(saved: Plan) -> Selection:
    """Choose what the saved plan was made for."""
    words = [word for word in saved.selection if word != "due"]
    addresses = tuple(word for word in words if "=" not in word)
    labels = dict(word.split("=", 1) for word in words if "=" in word)
    return Selection(addresses, labels or None, due_only="due" in saved.selection)


def _refuse_unreviewed(saved: Plan, plan: Plan) -> None:
    if (saved.project, saved.lineage) != (plan.project, plan.lineage):
        raise Refused("this plan was made for another repository")
    reviewed = compare(saved, plan)
    if reviewed.unreviewed:
        raise Refused(
            "nothing was applied: the documents or the world moved on since the plan was made",
            detail="\n".join(differences(saved, reviewed)),
            hint="make the plan again, review it, and apply that",
        )


def _refuse_unsafe(session: Session, steps: Sequence[Change], limits: Limits) -> None:
    found = guard(
        steps,
        session.world.desired.guard,
        session.world.ledger,
        session.world.now,
        mass=limits.mass,
    )
    if found:
        first, *others = found
        raise Refused(first.summary, detail="\n".join(d.summary for d in others), hint=first.hint)


def _refuse_shut(
    console: Console, session: Session, steps: Sequence[Change], limits: Limits
) -> None:
    """Refuse what needs keys that nobody here can open.

    Without the keyring nothing can be done. A run that asks nobody does what it can without a CA key.
    """
    shut = shut_keys(session.world, steps, held_recipients(os.environ))
    if not shut:
        return
    hint = "apply it where one of these is, or only the rest; certform doctor tells what is here"
    if limits.ask or shut[0].name is None:
        lines = (f"{key}; it is for {', '.join(key.recipients)}" for key in shut)
        raise Refused("nothing was applied: keys are missing", detail="\n".join(lines), hint=hint)
    show(tuple(warning(str(key), detail=", ".join(key.recipients)) for key in shut), console)


def _ask() -> None:
    try:
        answer = click.prompt(
            "\nDo you want to make these changes? Only 'yes' will be accepted",
            default="",
            show_default=False,
            err=True,
        )
    except click.Abort:
        answer = ""
    if answer != "yes":
        hint = "answer yes, or run with --auto-approve"
        raise InvalidInput((error("nothing was applied: it was not approved", hint=hint),))


def _apply(console: Console, session: Session, steps: Sequence[Change]) -> int:
    events: list[Event] = []
    totals = Counter(step.action for step in steps)
    stream = _recorded(session, apply(session, steps), events)
    try:
        for line in progress(stream, totals, colour=console.colour_err):
            console.say(line)
    except KeyboardInterrupt:
        raise Interrupted(
            f"interrupted: {render_progress(events, len(steps))}", hint=AGAIN
        ) from None
    except (ReconcilerError, ProviderError, OSError) as why:
        if not any(event.status is EventStatus.DONE for event in events):
            raise
        so_far = render_progress(events, len(steps))
        raise Incomplete(f"stopped: {why}", detail=so_far, hint=AGAIN) from None
    if session.interruption.asked and sum(event.final for event in events) < len(steps):
        raise Interrupted(f"interrupted: {render_progress(events, len(steps))}", hint=AGAIN)
    console.say(render_apply_summary(events, colour=console.colour_err))
    statuses = {event.status for event in events}
    return 4 if statuses & {EventStatus.FAILED, EventStatus.SKIPPED} else 0


def _recorded(session: Session, events: Iterable[Event], record: list[Event]) -> Iterator[Event]:
    """Pass events on until a signal comes: an event is only told when what it is about is durable."""
    for event in events:
        record.append(event)
        yield event
        if session.interruption.asked:
            return
