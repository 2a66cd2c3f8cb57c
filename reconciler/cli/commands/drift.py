"""certform drift."""

from pathlib import Path

import click

from reconciler.cli.advice import asked
from reconciler.cli.app import Console
from reconciler.cli.failures import tell_skipped
from reconciler.cli.options import ref_option
from reconciler.cli.survey import survey
from reconciler.drifting import Drift, drift
from reconciler.git import Git
from reconciler.outfile import READABLE, write_whole
from reconciler.planning import make_plan
from reconciler.render.drift import render_drift_json, render_drift_text
from reconciler.render.drift_markdown import render_drift_markdown
from reconciler.render.metrics import render_metrics
from reconciler.render.sarif import render_sarif
from reconciler.repository import examine


@click.command("drift", epilog="Changes nothing, opens no key, and needs read access only.")
@ref_option
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json", "markdown", "sarif"]),
    default="text",
    help="How to tell it.",
)
@click.option(
    "--metrics",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write metrics as well, for Prometheus' textfile collector.",
)
@click.pass_obj
def command(console: Console, ref: str | None, form: str, metrics: Path | None) -> int:
    """Tell whether the world still agrees with the documents.

    Exits 0 when it does, 2 when it does not, and 1 when nothing differs but something could not be
    checked. A renewal that is due is no drift; one that was missed is.

    \b
    Examples:
      certform drift
      certform drift --format sarif > drift.sarif
      certform drift --metrics /var/lib/node_exporter/certform.prom
    """
    read = examine(console.root, ref)
    tell_skipped(read.skipped, console)
    world = asked(console, survey(console, read).world)
    found = drift(world, make_plan(world))
    if metrics is not None:
        write_whole(metrics, render_metrics(found), READABLE)
    console.write(_rendered(found, form, console))
    return found.exit_code


def _rendered(found: Drift, form: str, console: Console) -> str:
    if form == "json":
        return render_drift_json(found)
    if form == "markdown":
        return render_drift_markdown(found)
    if form == "sarif":
        return render_sarif(found, _folder(console.root))
    return render_drift_text(found, colour=console.colour_out)


def _folder(root: Path) -> str:
    """Return the way from the repository's root to the Project, as SARIF's paths begin with it."""
    top = Git(root).top_level()
    below = root.resolve().relative_to(top.resolve()).as_posix() if top else "."
    return "" if below == "." else f"{below}/"
