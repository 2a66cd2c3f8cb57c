"""certform inventory."""

import shutil
import sys

import click

from reconciler.cli.app import Console
from reconciler.cli.failures import show
from reconciler.cli.options import Choice
from reconciler.cli.survey import survey
from reconciler.diff import diff
from reconciler.inventory import inventory
from reconciler.render.inventory import render_csv, render_json, render_table
from reconciler.repository import examine
from reconciler.selection import labelled


@click.command("inventory")
@click.option("--format", "form", type=click.Choice(["table", "json", "csv"]), default="table")
@click.option("-l", "--selector", metavar="KEY=VALUE,...", help="Only what has these labels.")
@click.option("--foreign", is_flag=True, help="List what is in our targets and not ours, too.")
@click.pass_obj
def command(console: Console, form: str, selector: str | None, *, foreign: bool) -> None:
    """List every certificate: where it is, how long it lives, whether anything is wrong."""
    world = survey(console, examine(console.root)).world
    choice = Choice(selector=selector)
    show(choice.check(world.desired), console)
    labels = choice.selection().labels
    rows = inventory(world, diff(world), foreign=foreign)
    if labels:
        rows = [row for row in rows if labelled(row.address, labels, world.desired)]
    if form == "json":
        console.write(render_json(rows))
    elif form == "csv":
        console.write(render_csv(rows))
    else:
        terminal = sys.stdout.isatty()
        width = shutil.get_terminal_size().columns if terminal else None
        console.write(render_table(rows, width=width))
