"""certform plan."""

from contextlib import nullcontext
from datetime import datetime
from pathlib import Path

import click

from reconciler import planfile
from reconciler.cli.advice import planned
from reconciler.cli.app import Console
from reconciler.cli.failures import show, tell_skipped
from reconciler.cli.options import (
    Choice,
    Moment,
    base_option,
    format_option,
    offline_option,
    ref_option,
    selection_options,
)
from reconciler.cli.survey import now, survey
from reconciler.cli.view import render
from reconciler.diagnostics import Diagnostic
from reconciler.diff import World, plan_warnings
from reconciler.git import unconnected
from reconciler.guard import forewarned
from reconciler.lint import Linter
from reconciler.offline import Offline, remarks
from reconciler.planning import make_plan, pending
from reconciler.repository import examine, read_base
from reconciler.resolve.origins import Origins
from schemas.plan import Plan


@click.command("plan", epilog="Changes nothing, opens no key, and needs read access only.")
@click.argument("addresses", nargs=-1, metavar="[ADDRESS]...")
@selection_options
@ref_option
@base_option
@offline_option
@click.option("--at", type=Moment(), help="Show what will be due then.")
@click.option(
    "-o", "--out", type=click.Path(dir_okay=False, path_type=Path), help="Save the plan, for apply."
)
@format_option
@click.option("--detailed-exitcode", is_flag=True, help="Exit 2 when there are changes.")
@click.pass_obj
def command(
    console: Console,
    addresses: tuple[str, ...],
    selector: str | None,
    replace: tuple[str, ...],
    ref: str | None,
    base: str | None,
    at: datetime | None,
    out: Path | None,
    form: str,
    *,
    offline: bool,
    detailed_exitcode: bool,
) -> int:
    """Show what apply would do.

    \b
    Examples:
      certform plan
      certform plan --out plan.json && certform apply plan.json
      certform plan certificate/web --replace certificate/web
      certform plan --at 2027-03-01
      certform plan --offline --base origin/main
    """
    _refuse_past(at, out)
    choice = Choice(addresses, selector, replace)
    with unconnected() if offline else nullcontext():
        against = read_base(console.root, base) if base is not None else None
        read = examine(console.root, ref, against)
        world = survey(
            console,
            read,
            at=at,
            replace=frozenset(replace),
            base=against,
            offline=Offline() if offline else None,
        ).world
        world = world if offline or at else planned(console, world)
    linter = Linter(lambda: Origins(read.documents, dict(read.sources)))
    plan = make_plan(world, choice.selection(), looks_ahead=at is not None, lint=linter)
    missing = (*(against.remarks if against else ()), *(remarks(world) if offline else ()))
    unmet = (*choice.check(world.desired, plan.changes), *plan_warnings(world, plan.changes))
    show((*missing, *unmet, *linter.remarks), console, read.sources)
    tell_skipped(read.skipped, console)
    console.write(render(plan, form, colour=console.colour_out))
    show(_warned(world, plan), console)
    if out is not None:
        planfile.save(plan, out)
        console.say(f'Saved the plan. To apply exactly this:  certform apply "{out}"')
    return 2 if detailed_exitcode and pending(plan.changes) else 0


def _refuse_past(at: datetime | None, out: Path | None) -> None:
    if at is not None and (out is not None or at < now()):
        raise click.UsageError(
            "--at looks ahead: it takes no past date, and what it shows is not saved"
        )


def _warned(world: World, plan: Plan) -> tuple[Diagnostic, ...]:
    """Say already in the plan what apply will refuse; of a day to come nobody knows."""
    if plan.looks_ahead:
        return ()
    return forewarned(pending(plan.changes), world.desired.guard, world.ledger, world.now)
