"""certform drift."""

import click

from reconciler.cli.app import Console
from reconciler.cli.failures import tell_skipped
from reconciler.cli.options import format_option, ref_option
from reconciler.cli.survey import survey
from reconciler.cli.view import render
from reconciler.planning import make_plan
from reconciler.repository import examine


@click.command("drift")
@ref_option
@format_option
@click.pass_obj
def command(console: Console, ref: str | None, form: str) -> int:
    """Tell whether the world still agrees with the documents; exit 2 when it does not.

    Changes nothing. What is only due for renewal is shown, but is no drift.
    """
    read = examine(console.root, ref)
    tell_skipped(read.skipped, console)
    plan = make_plan(survey(console, read).world)
    console.write(render(plan, form, colour=console.colour_out))
    return 2 if any(not step.due for step in plan.changes) else 0
