"""certform version."""

import click

from reconciler import __version__
from reconciler.cli.app import Console


@click.command("version")
@click.pass_obj
def command(console: Console) -> None:
    """Print the version."""
    console.write(f"certform {__version__}")
