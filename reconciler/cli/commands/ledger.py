"""certform ledger."""

import click

from providers.sops.binary import Sops
from reconciler.cli.app import Console
from reconciler.cli.authorship import author
from reconciler.cli.survey import now
from reconciler.ledger.journal import Access
from reconciler.ledger.lock import Patience
from reconciler.ledger.recovery import Decisions, recover
from reconciler.render.escape import visible
from reconciler.repository import examine, versioned


@click.group("ledger")
def command() -> None:
    """Look after the ledger."""


@command.command("recover")
@click.option("--accept", metavar="TIP", help="Go on from this tip (a full commit id).")
@click.option(
    "--accept-time", is_flag=True, help="Go on with this clock: the ledger's time was wrong."
)
@click.pass_obj
def _recover(console: Console, accept: str | None, *, accept_time: bool) -> None:
    """Bring the ledger back to the newest tip that holds, and say what was done.

    Where tips have parted, for example after a forced push, nothing is done until one is chosen
    with --accept. Where a wave was written by a clock that was ahead, nothing more is written until
    --accept-time. Either is recorded in the ledger.
    """
    desired = versioned(console.root, examine(console.root))
    patience = Patience(tell=lambda remark: console.say(visible(remark)))
    access = Access(Sops(), now, patience, author(console.root, desired))
    for sentence in recover(console.root, desired.ledger, access, Decisions(accept, accept_time)):
        console.write(visible(sentence))
