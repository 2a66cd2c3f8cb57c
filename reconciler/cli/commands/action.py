"""certform action."""

import os
import sys

import click

from reconciler.cli.app import Console
from reconciler.github.action import act


@click.command("action", epilog="docs/github-actions.md")
@click.pass_obj
def command(console: Console) -> int:
    """Do what a step of a GitHub workflow asks for: plan, apply, renew, drift or validate.

    Everything it needs to know is in the environment that action.yml sets. By hand, use these
    commands themselves.
    """
    return act(console, os.environ, sys.stdout)
