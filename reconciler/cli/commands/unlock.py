"""certform unlock."""

import click

from reconciler.cli.app import Console
from reconciler.ledger.lock import unlock
from reconciler.ledger.store import open_store
from reconciler.render.escape import visible
from reconciler.repository import load


@click.command("unlock")
@click.argument("lock_id", metavar="ID")
@click.pass_obj
def command(console: Console, lock_id: str) -> None:
    """Take a lock away from a run that is gone; its ID stands in the message that named it.

    A run that is still alive notices, and writes nothing more.
    """
    holder = unlock(open_store(console.root, load(console.root).ledger), lock_id)
    console.say(visible(f"The lock of {holder} is gone."))
