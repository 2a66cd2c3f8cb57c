"""certform completion."""

import os
from pathlib import PurePath

import click
from click.shell_completion import get_completion_class

from reconciler.cli.app import Console

SHELLS = ("bash", "zsh", "fish", "powershell")


@click.command("completion")
@click.argument("shell", type=click.Choice(SHELLS), required=False)
@click.pass_context
def command(ctx: click.Context, shell: str | None) -> None:
    """Print a script that completes commands and options, for your shell where none is named.

    \b
    Examples:
      eval "$(certform completion bash)"
      certform completion fish > ~/.config/fish/completions/certform.fish
    """
    console: Console = ctx.obj
    name = shell or _own_shell()
    complete = get_completion_class(name)
    if complete is None:
        raise click.UsageError(f"this installation of click does not know {name}")
    group = ctx.find_root().command
    console.write(complete(group, {}, "certform", "_CERTFORM_COMPLETE").source())


def _own_shell() -> str:
    name = PurePath(os.environ.get("SHELL", "")).name
    if name not in SHELLS:
        said = f"$SHELL is {name}" if name else "$SHELL is not set"
        raise click.UsageError(f"{said}: name one of {', '.join(SHELLS)}")
    return name
