"""Who a run waits for, told to whoever waits for the run: in the log now and then, in the summary once."""

import time

from reconciler.cli.app import Console
from reconciler.ledger.holder import Holder
from reconciler.render.escape import code, inert, prose, visible

EVERY = 30.0
"""Seconds between two lines of the log."""


class Waiting:
    """Hears at every look who holds the ledger's lock. `remark` is Markdown, empty where nobody did."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._told: float | None = None
        self.remark = ""

    def __call__(self, holder: Holder | None, left: float) -> None:
        """Say who holds it, since when, what will happen, and what to do if that run is gone."""
        now = time.monotonic()
        if self._told is not None and now - self._told < EVERY:
            return
        self._told = now
        who = str(holder) if holder else "somebody else"
        what = f"for {left:.0f} seconds more at most, and goes on by itself once it is released."
        self._console.say(inert(visible(f"The ledger is locked by {who}. This run waits {what}")))
        if holder:
            self._console.say(f"If that run is gone: certform unlock {holder.id}")
        self.remark = f"This run had to wait for {prose(who)}, which held the ledger." + (
            f" Only if that run is gone: {code(f'certform unlock {holder.id}')}." if holder else ""
        )
