"""certform log."""

import re
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import click

from reconciler.cli.app import Console
from reconciler.cli.options import Moment
from reconciler.diagnostics import error
from reconciler.errors import InvalidInput, LedgerRefused
from reconciler.ledger.history import Entry, log, trace, verify_history
from reconciler.ledger.layout import belongs_to
from reconciler.load.suggest import nearest
from reconciler.render.escape import inert, visible
from reconciler.repository import load
from reconciler.state import Desired
from schemas.project import LedgerSettings

_TOLD = ("Command", "Actor", "Documents")
_LONG_ID = re.compile(r"\b([0-9a-f]{12})[0-9a-f]{28,52}\b")


@click.command("log")
@click.argument("address", required=False)
@click.option(
    "--verify", is_flag=True, help="Check every commit of the ledger; exit 3 when one is bad."
)
@click.option("--since", type=Moment(), help="Show only what was recorded from then on.")
@click.option("-n", "number", type=click.IntRange(min=1), help="Show only so many.")
@click.pass_obj
def command(
    console: Console,
    address: str | None,
    since: datetime | None,
    number: int | None,
    *,
    verify: bool,
) -> None:
    """Show what was recorded, newest first; with ADDRESS, what was done to it.

    The ledger is a git branch: git log --patch certform/ledger shows it too.

    \b
    Examples:
      certform log -n 20
      certform log certificate/web --since 2026-11-01
      certform log --verify
    """
    desired = load(console.root)
    if verify:
        _verify(console.root, desired.ledger)
    entries = log(console.root, desired.ledger)
    if verify:
        console.say(f"All {len(entries)} commits are signed, linear and consistent.")
    told = (
        _history(console.root, desired, address) if address else ((e, e.summary) for e in entries)
    )
    recent = [line for line in told if since is None or line[0].at >= since]
    for entry, words in recent[:number]:
        console.write(_line(entry, words))


def _verify(root: Path, settings: LedgerSettings) -> None:
    if found := verify_history(root, settings):
        lines = "\n".join(f"{finding.tip[:12]} {finding.problem}" for finding in found)
        raise LedgerRefused(
            "the ledger's history is not sound", detail=lines, hint="certform ledger recover"
        )


def _history(root: Path, desired: Desired, address: str) -> Iterator[tuple[Entry, str]]:
    """Yield what was done to one address, under its earlier names too."""
    kind, _, name = address.partition("/")
    document = desired.certificates.get(name) if kind == "certificate" else None
    names = (address, *(f"certificate/{old}" for old in (document.formerly if document else ())))
    found = trace(root, desired.ledger, lambda path: any(belongs_to(a, path) for a in names))
    if not found:
        known = [f"certificate/{name}" for name in desired.certificates]
        hint = nearest(address, (*known, *(f"authority/{name}" for name in desired.authorities)))
        raise InvalidInput((error(f"the ledger holds nothing of {address}", hint=hint),))
    return ((entry, words) for entry, deeds in found for words in reversed(deeds))


def _line(entry: Entry, words: str) -> str:
    mark = "" if entry.signed else "  NOT SIGNED"
    told = entry.trailers
    details = (f"{name.lower()} {told[name]}" for name in _TOLD if name in told)
    author = _LONG_ID.sub(r"\1", ", ".join(details))
    by = f"  ({author})" if author else ""
    return inert(visible(f"{entry.at:%Y-%m-%d %H:%M:%SZ}  {entry.tip[:12]}  {words}{by}{mark}"))
