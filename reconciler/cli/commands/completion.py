"""certform completion."""

import click
from click.shell_completion import get_completion_class

from reconciler.cli.app import Console

SHELLS = ("bash", "zsh", "fish", "powershell")


@click.command("completion")
@click.argument("shell", type=click.Choice(SHELLS))
@click.pass_context
def command(ctx: click.Context, shell: str) -> None:
    """Print a script that completes commands and options.

    \b
    Examples:
      eval "$(certform completion bash)"
      certform completion fish > ~/.config/fish/completions/certform.fish
    """
    console: Console = ctx.obj
    complete = get_completion_class(shell)
    if complete is None:
        raise click.UsageError(f"this installation of click does not know {shell}")
    group = ctx.find_root().command
    console.write(complete(group, {}, "certform", "_CERTFORM_COMPLETE").source())
