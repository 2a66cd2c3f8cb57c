"""certform graph."""

import click

from reconciler.cli.app import Console
from reconciler.cli.options import ref_option
from reconciler.render.graph import render_graph
from reconciler.repository import load


@click.command("graph")
@ref_option
@click.pass_obj
def command(console: Console, ref: str | None) -> None:
    """Draw which authority issues what, and where it goes."""
    console.write(render_graph(load(console.root, ref)))
