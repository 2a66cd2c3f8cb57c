"""certform inventory."""

import re
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

import click

from reconciler.cli.app import Console
from reconciler.cli.failures import show
from reconciler.cli.options import Choice, out_option, put_out
from reconciler.cli.survey import survey
from reconciler.diff import World
from reconciler.inventory import inventory
from reconciler.inventory_page import page
from reconciler.planning import make_plan
from reconciler.render.bundles import BundleRow, bundle_data, with_bundles
from reconciler.render.inventory import InventoryRow, render_csv, render_json, render_table
from reconciler.repository import examine
from reconciler.selection import Selection, labelled
from reconciler.trusting import bundle_rows
from schemas.plan import Plan

FORMS = ["table", "json", "csv", "html"]


class Address(click.ParamType[str]):
    """An address of the web, where files of the repository can be read."""

    name = "url"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return the address; fails with a usage error for anything that is none."""
        if not re.fullmatch(r"https?://[!-~]+", value):
            self.fail(f"{value!r} does not begin with https:// or http://", param, ctx)
        return value


@click.command("inventory")
@click.option("--format", "form", type=click.Choice(FORMS), default="table")
@click.option("-l", "--selector", metavar="KEY=VALUE,...", help="Only what has these labels.")
@click.option("--foreign", is_flag=True, help="List what is in our targets and not ours, too.")
@out_option
@click.option(
    "--blob-url",
    type=Address(),
    help="Where files can be read, for the links of the page: https://HOST/OWNER/NAME/blob/COMMIT.",
)
@click.pass_obj
def command(
    console: Console,
    form: str,
    selector: str | None,
    out: Path | None,
    blob_url: str | None,
    *,
    foreign: bool,
) -> None:
    """List every certificate and bundle: where it is, how long it lives, whether anything is wrong.

    \b
    Examples:
      certform inventory
      certform inventory --selector team=shop --format csv --out shop.csv
      certform inventory --format html --out inventory.html
    """
    if blob_url and form != "html":
        raise click.UsageError("--blob-url is for the links of --format html")
    world = survey(console, examine(console.root)).world
    choice = Choice(selector=selector)
    show(choice.check(world.desired), console)
    if form == "html":
        text = page(world, choice.selection(), foreign=foreign, blob_url=blob_url or "")
    else:
        text = _listed(world, choice.selection(), form, foreign=foreign, to_file=out is not None)
    put_out(console, text, out, "the inventory")


def _listed(world: World, selection: Selection, form: str, *, foreign: bool, to_file: bool) -> str:
    plan = make_plan(world)
    rows: Sequence[InventoryRow] = inventory(world, plan.changes, foreign=foreign)
    bundles = bundle_rows(world, plan.changes)
    if labels := selection.labels:
        rows = [row for row in rows if labelled(row.address, labels, world.desired)]
        bundles = [row for row in bundles if labelled(row.address, labels, world.desired)]
    return _rendered(rows, bundles, plan, form, to_file=to_file)


def _rendered(
    rows: Sequence[InventoryRow],
    bundles: Sequence[BundleRow],
    plan: Plan,
    form: str,
    *,
    to_file: bool,
) -> str:
    if form == "json":
        return render_json(rows, plan.targets, [bundle_data(row) for row in bundles])
    rows = with_bundles(rows, bundles, plan.created_at)
    if form == "csv":
        return render_csv(rows)
    terminal = sys.stdout.isatty() and not to_file
    return render_table(rows, width=shutil.get_terminal_size().columns if terminal else None)
