"""Carrying a plan out under the lock: plan again, compare with what was reviewed, guard, ask, apply."""

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace

import click

from providers.errors import ProviderError
from providers.sops.identity import held_recipients
from reconciler.access import shut_keys
from reconciler.apply import Session, apply
from reconciler.cli.advice import asked_by, recorded
from reconciler.cli.app import Console
from reconciler.cli.failures import show
from reconciler.cli.options import Choice
from reconciler.diagnostics import warning
from reconciler.diff import plan_warnings
from reconciler.errors import Incomplete, Interrupted, ReconcilerError, Refused, Unsafe
from reconciler.events import Event, EventStatus
from reconciler.guard import guard
from reconciler.lint import Linter
from reconciler.planning import make_plan, pending
from reconciler.render.events import (
    kinds_of,
    progress,
    render_apply_summary,
    render_progress,
)
from reconciler.render.text import render_text
from reconciler.reviewing import Review, Unrestricted, Verdict
from schemas.plan import Change, Plan

AGAIN = "what was done is recorded; the next run goes on from there"


@dataclass(frozen=True, slots=True)
class Limits:
    """Whether to ask first, and whether the guard's share may be passed."""

    ask: bool
    mass: bool


@dataclass(slots=True)
class Account:
    """What a run has come to. It is filled as the run goes on, so it can be told however that ends."""

    plan: Plan | None = None
    verdict: Verdict | None = None
    events: list[Event] = field(default_factory=list)
    code: int = 0


def carry_out(
    console: Console,
    session: Session,
    choice: Choice,
    limits: Limits,
    review: Review | None = None,
    account: Account | None = None,
) -> Account:
    """Plan, check, ask, apply what the review allows, and return what came of it.

    Raises `Refused` with nothing done; whoever has to tell of that, too, gives the account to fill.
    """
    approved, told = review or Unrestricted(), account or Account()
    advising, world = asked_by(console, session), session.world
    linter = Linter()
    plan = told.plan = make_plan(world, approved.selection(choice.selection()), lint=linter)
    if linter.refused:
        session.world = replace(world, refused=linter.refused)
    show(
        (
            *choice.check(world.desired, plan.changes),
            *plan_warnings(world, plan.changes),
            *linter.remarks,
        ),
        console,
    )
    console.write(render_text(plan, colour=console.colour_out))
    verdict = told.verdict = approved.judge(plan)
    show(verdict.diagnostics, console)
    steps = pending(verdict.allowed)
    _refuse_unsafe(session, steps, limits, reviewed=limits.ask or approved.reviewed)
    _refuse_shut(console, session, steps, limits)
    if steps and limits.ask and not _approved(console, session):
        told.code = 1
        return told
    recorded(session, advising)
    failed = bool(steps) and _apply(console, session, steps, told.events)
    told.code = _code(verdict, failed=failed)
    return told


def _code(verdict: Verdict, *, failed: bool) -> int:
    """Return the exit code: what is blocked was meant and is not done; what only takes time is under way."""
    if verdict.refused and not failed:
        return Refused.exit_code
    return Incomplete.exit_code if failed or verdict.stuck else 0


def _approved(console: Console, session: Session) -> bool:
    with session.interruption.at_once():
        approved = _asked()
    session.interruption.check()
    if not approved:
        console.say("Not approved: nothing was applied. (--auto-approve does not ask.)")
    return approved


def _refuse_unsafe(
    session: Session, steps: Sequence[Change], limits: Limits, *, reviewed: bool
) -> None:
    """Refuse what the guard finds; whoever is asked, or has approved a plan, reviews what is done."""
    found = guard(
        steps,
        session.world.desired.guard,
        session.world.ledger,
        session.world.now,
        mass=limits.mass,
        reviewed=reviewed,
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


def _apply(
    console: Console, session: Session, steps: Sequence[Change], events: list[Event]
) -> bool:
    """Make changes, recording what happens; return whether any failed, or was not begun for that."""
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
    return bool(statuses & {EventStatus.FAILED, EventStatus.SKIPPED, EventStatus.POSTPONED})


def _recorded(session: Session, events: Iterable[Event], record: list[Event]) -> Iterator[Event]:
    """Pass events on until a signal comes: an event is only told when what it is about is durable."""
    for event in events:
        record.append(event)
        yield event
        if session.interruption.asked:
            return
