"""certform show."""

from collections.abc import Iterable
from pathlib import Path

import click

from reconciler import planfile
from reconciler.cli.app import Console
from reconciler.cli.options import format_option
from reconciler.cli.survey import survey
from reconciler.cli.view import render
from reconciler.diagnostics import Diagnostic, error
from reconciler.errors import InvalidInput
from reconciler.explain import explain
from reconciler.load.suggest import nearest
from reconciler.repository import examine
from reconciler.resolve.origins import Origins


@click.command("show")
@click.argument("what", metavar="PLAN|ADDRESS")
@click.option("--resolved", is_flag=True, help="Tell the file and line each value comes from.")
@format_option
@click.pass_obj
def command(console: Console, what: str, form: str, *, resolved: bool) -> None:
    """Show a saved plan, or all about one certificate or authority.

    \b
    Examples:
      certform show plan.json --format markdown
      certform show certificate/web --resolved
    """
    if not what.startswith(("certificate/", "authority/")):
        plan = planfile.load(Path(what))
        console.write(render(plan, form, colour=console.colour_out))
        return
    world = survey(console).world
    text = explain(world, what, _origins(console) if resolved else None)
    if text is None:
        known = [c.address for c in world.desired.certificates.values()]
        known += [a.address for a in world.desired.authorities.values()]
        raise InvalidInput((_unknown(what, known),))
    console.write(text)


def _origins(console: Console) -> Origins:
    found = examine(console.root)
    return Origins(found.documents, dict(found.sources))


def _unknown(address: str, known: Iterable[str]) -> Diagnostic:
    return error(f"there is no {address}", hint=nearest(address, known))
