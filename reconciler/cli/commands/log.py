"""certform log."""

import re

import click

from reconciler.cli.app import Console
from reconciler.errors import LedgerRefused
from reconciler.ledger.history import Entry, log, verify_history
from reconciler.render.escape import visible
from reconciler.repository import load

_TOLD = ("Command", "Actor", "Documents")
_LONG_ID = re.compile(r"\b([0-9a-f]{12})[0-9a-f]{28,52}\b")


@click.command("log")
@click.option(
    "--verify", is_flag=True, help="Check every commit of the ledger; exit 3 when one is bad."
)
@click.option("-n", "number", type=click.IntRange(min=1), help="Show only so many.")
@click.pass_obj
def command(console: Console, number: int | None, *, verify: bool) -> None:
    """Show what was recorded, newest first.

    The ledger is a git branch: git log --patch certform/ledger shows it too.
    """
    settings = load(console.root).ledger
    if verify:
        found = verify_history(console.root, settings)
        if found:
            lines = "\n".join(f"{finding.tip[:12]} {finding.problem}" for finding in found)
            raise LedgerRefused(
                "the ledger's history is not sound", detail=lines, hint="certform ledger recover"
            )
    entries = log(console.root, settings)
    for entry in entries[:number]:
        console.write(_line(entry))
    if verify:
        console.say(f"All {len(entries)} commits are signed, linear and consistent.")


def _line(entry: Entry) -> str:
    mark = "" if entry.signed else "  NOT SIGNED"
    told = entry.trailers
    words = (f"{name.lower()} {told[name]}" for name in _TOLD if name in told)
    author = _LONG_ID.sub(r"\1", ", ".join(words))
    by = f"  ({author})" if author else ""
    return visible(f"{entry.at:%Y-%m-%d %H:%M:%SZ}  {entry.tip[:12]}  {entry.summary}{by}{mark}")
