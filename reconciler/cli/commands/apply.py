"""certform apply."""

from pathlib import Path

import click

from reconciler import planfile
from reconciler.cli.app import Console
from reconciler.cli.options import (
    Choice,
    lock_timeout_option,
    mass_option,
    ref_option,
    selection_options,
)
from reconciler.cli.running import Limits, carry_out
from reconciler.cli.survey import session
from reconciler.diagnostics import error
from reconciler.diff.connections import connection_changes
from reconciler.errors import InvalidInput
from reconciler.repository import Base, load, read_base
from reconciler.reviewing import SavedPlan, compare
from schemas.plan import Plan, Reason


@click.command("apply")
@click.argument("what", nargs=-1, metavar="[PLAN | ADDRESS...]")
@selection_options
@ref_option
@click.option("--auto-approve", is_flag=True, help="Do not ask.")
@mass_option
@lock_timeout_option
@click.pass_obj
def command(
    console: Console,
    what: tuple[str, ...],
    selector: str | None,
    replace: tuple[str, ...],
    ref: str | None,
    lock_timeout: float,
    *,
    auto_approve: bool,
    allow_mass_change: bool,
) -> int:
    """Make the changes of a plan.

    With a saved PLAN, exactly its changes are made, and those that time alone has added; if
    anything else would have to be done by now, nothing is (exit 3).

    \b
    Examples:
      certform apply
      certform apply plan.json
      certform apply certificate/web --auto-approve
    """
    saved = planfile.load(Path(what[0])) if len(what) == 1 and _is_file(what[0]) else None
    if saved and saved.looks_ahead:
        hint = "make one without --at"
        raise InvalidInput(
            (error(f"{what[0]} shows a day to come, not what is due now", hint=hint),)
        )
    choice = Choice(() if saved else what, selector, replace)
    limits = Limits(ask=not auto_approve and saved is None, mass=allow_mass_change)
    replaced = frozenset(replace) | (_replaced(saved) if saved else frozenset())
    base = read_base(console.root, saved.base) if saved and saved.base else None
    with session(
        console,
        ref=ref,
        replace=replaced,
        lock_timeout=lock_timeout,
        base=base,
        approved=_approved(console, ref, saved, base) if saved and base else (),
    ) as held:
        review = SavedPlan(saved) if saved else None
        return carry_out(console, held, choice, limits, review).code


def _is_file(text: str) -> bool:
    """Whether an argument means a saved plan, which is a file; an address never ends in .json."""
    return Path(text).is_file() or text.endswith(".json")


def _approved(console: Console, ref: str | None, saved: Plan, base: Base) -> frozenset[str]:
    """Return the changes of who is spoken to that a saved plan shows: a file may have been edited by hand."""
    wanted = tuple(connection_changes(load(console.root, ref), base.desired))
    shown = compare(saved, saved.model_copy(update={"changes": wanted})).allowed
    return frozenset(step.fingerprint for step in shown)


def _replaced(saved: Plan) -> frozenset[str]:
    """What a saved plan was asked to replace, so that it is planned again the same way."""
    return frozenset(step.address for step in saved.changes if step.reason is Reason.REQUESTED)
