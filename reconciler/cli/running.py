"""Carrying a plan out under the lock: plan again, compare with what was reviewed, guard, ask, apply."""

import os
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
from reconciler.diagnostics import warning
from reconciler.diff import revocation_warnings
from reconciler.errors import Incomplete, Interrupted, ReconcilerError, Refused, Unsafe
from reconciler.events import Event, EventStatus
from reconciler.guard import guard
from reconciler.planning import compare, differences, make_plan, pending
from reconciler.render.events import (
    kinds_of,
    progress,
    render_apply_summary,
    render_progress,
)
from reconciler.render.text import render_text
from reconciler.selection import Selection
from schemas.plan import Action, Change, Plan, Reason

_TOLD = 50
"""How many lines of differences from the reviewed plan are shown."""
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
    show(
        (*choice.check(world.desired, plan.changes), *revocation_warnings(world, plan.changes)),
        console,
    )
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
            approved = _asked()
        session.interruption.check()
        if not approved:
            console.say("Not approved: nothing was applied. (--auto-approve does not ask.)")
            return 1
    return _ending(plan, _apply(console, session, steps))


def _ending(plan: Plan, code: int) -> int:
    """Return the exit code: what is blocked was meant and is not done; what only takes time is under way."""
    blocked = any(
        step.action is Action.BLOCKED and step.reason is not Reason.PENDING for step in plan.changes
    )
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
        lines = list(differences(saved, reviewed))
        if len(lines) > _TOLD:
            lines = [*lines[:_TOLD], f"and {len(lines) - _TOLD:,} lines more"]
        raise Refused(
            "nothing was applied: something was to be done that the plan does not show",
            detail="\n".join(lines),
            hint="plan again with --out, review that plan, and apply it",
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
        raise Unsafe(found)


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


def _asked() -> bool:
    try:
        answer = click.prompt(
            "\nDo you want to make these changes? Only 'yes' will be accepted",
            default="",
            show_default=False,
            err=True,
        )
    except click.Abort:
        return False
    return bool(answer == "yes")


def _apply(console: Console, session: Session, steps: Sequence[Change]) -> int:
    events: list[Event] = []
    kinds = kinds_of(steps)
    stream = _recorded(session, apply(session, steps), events)
    try:
        for line in progress(stream, kinds, colour=console.colour_err):
            console.say(line)
    except KeyboardInterrupt:
        raise Interrupted(f"interrupted: {render_progress(events, kinds)}", hint=AGAIN) from None
    except (ReconcilerError, ProviderError, OSError) as why:
        if not any(event.status is EventStatus.DONE for event in events):
            raise
        so_far = render_progress(events, kinds)
        raise Incomplete(f"stopped: {why}", detail=so_far, hint=AGAIN) from None
    if session.interruption.asked and sum(event.final for event in events) < len(steps):
        raise Interrupted(f"interrupted: {render_progress(events, kinds)}", hint=AGAIN)
    console.say(render_apply_summary(events, kinds, colour=console.colour_err))
    statuses = {event.status for event in events}
    return 4 if statuses & {EventStatus.FAILED, EventStatus.SKIPPED} else 0


def _recorded(session: Session, events: Iterable[Event], record: list[Event]) -> Iterator[Event]:
    """Pass events on until a signal comes: an event is only told when what it is about is durable."""
    for event in events:
        record.append(event)
        yield event
        if session.interruption.asked:
            return
