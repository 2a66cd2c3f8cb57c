"""certform renew."""

import click

from reconciler.cli.app import Console
from reconciler.cli.options import Choice, lock_timeout_option, mass_option
from reconciler.cli.running import Limits, carry_out
from reconciler.cli.survey import session


@click.command("renew")
@click.argument("addresses", nargs=-1, metavar="[ADDRESS]...")
@mass_option
@lock_timeout_option
@click.pass_obj
def command(
    console: Console, addresses: tuple[str, ...], lock_timeout: float, *, allow_mass_change: bool
) -> int:
    """Apply only what time has made due: renewals and their installs, CRLs about to go stale.

    Never asks, and never makes a change that an edit or a drift would need: for cron. A
    certificate whose document was edited since is renewed as it was issued.
    """
    choice = Choice(addresses, due_only=True)
    with session(console, lock_timeout=lock_timeout, pinned=True) as held:
        return carry_out(console, held, choice, Limits(ask=False, mass=allow_mass_change)).code
