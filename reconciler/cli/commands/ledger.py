"""certform ledger."""

import click

from providers.sops.binary import Sops
from reconciler.cli.app import Console
from reconciler.cli.survey import now
from reconciler.ledger.lock import Patience
from reconciler.ledger.recovery import Access, recover
from reconciler.repository import load


@click.group("ledger")
def command() -> None:
    """Look after the ledger."""


@command.command("recover")
@click.option("--accept", metavar="TIP", help="Go on from this tip (a full commit id).")
@click.pass_obj
def _recover(console: Console, accept: str | None) -> None:
    """Bring the ledger back to the newest tip that holds, and say what was done.

    Where tips have parted, for example after a forced push, nothing is done until one is chosen
    with --accept; the choice is recorded in the ledger.
    """
    access = Access(Sops(), now, Patience(tell=console.say))
    for sentence in recover(console.root, load(console.root).ledger, access, accept):
        console.write(sentence)
