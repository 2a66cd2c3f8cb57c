"""certform show."""

from pathlib import Path

import click

from reconciler import planfile
from reconciler.cli.app import Console
from reconciler.cli.options import format_option
from reconciler.cli.survey import survey
from reconciler.cli.view import render
from reconciler.diagnostics import Diagnostic, error
from reconciler.errors import InvalidInput
from reconciler.explain import Explanation, explain
from reconciler.load.suggest import nearest
from reconciler.render.blocks import subject_of
from reconciler.render.bundles import BundleRow, render_bundle, render_bundle_json
from reconciler.render.escape import fence
from reconciler.render.explanation import render_explanation, render_json
from reconciler.repository import examine
from reconciler.resolve.origins import Origins
from reconciler.state import Desired
from reconciler.trusting import bundle_named


@click.command("show")
@click.argument("what", metavar="PLAN|ADDRESS")
@click.option("--resolved", is_flag=True, help="Tell the file and line each value comes from.")
@format_option
@click.pass_obj
def command(console: Console, what: str, form: str, *, resolved: bool) -> None:
    """Show a saved plan, or all about one certificate, authority or bundle.

    A word with a slash that is no file is taken for an address.

    \b
    Examples:
      certform show plan.json --format markdown
      certform show certificate/web --resolved
    """
    if Path(what).is_file() or "/" not in what or what.endswith(".json"):
        plan = planfile.load(Path(what))
        console.write(render(plan, form, colour=console.colour_out))
        return
    read = examine(console.root)
    world = survey(console, read).world
    if bundle := bundle_named(world, subject_of(what)):
        console.write(_BUNDLE[form](bundle))
        return
    origins = Origins(read.documents, dict(read.sources)) if resolved else None
    about = explain(world, subject_of(what), origins)
    if about is None:
        raise InvalidInput((_unknown(what, world.desired),))
    console.write(_RENDERINGS[form](about))


def _unknown(address: str, desired: Desired) -> Diagnostic:
    known = [certificate.address for certificate in desired.certificates.values()]
    known += [authority.address for authority in desired.authorities.values()]
    known += [bundle.address for bundle in desired.bundles.values()]
    forms = "show takes a saved plan, certificate/NAME, authority/NAME or bundle/NAME"
    hint = nearest(address, known) or forms
    return error(f"there is no {address} to show", hint=hint)


def _in_markdown(about: Explanation) -> str:
    return fence(render_explanation(about).rstrip("\n"), "text")


def _bundle_in_markdown(bundle: BundleRow) -> str:
    return fence(render_bundle(bundle).rstrip("\n"), "text")


_BUNDLE = {"text": render_bundle, "json": render_bundle_json, "markdown": _bundle_in_markdown}
_RENDERINGS = {"text": render_explanation, "json": render_json, "markdown": _in_markdown}
