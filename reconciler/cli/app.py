"""The command line: what every command shares, and the one place where errors become exit codes.

Commands are imported when they are called, so that `certform version` does not wait for a cloud.
"""

import gc
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from keyword import iskeyword
from pathlib import Path
from typing import Any

import click

from reconciler import __version__
from reconciler.cli.console import ColourOption, wants_colour

COMMANDS = {
    "init": "Make a repository: documents, an age key, the ledger.",
    "validate": "Check every document, offline.",
    "plan": "Show what apply would do.",
    "show": "Show a saved plan, or all about one address.",
    "apply": "Make the changes of a plan.",
    "renew": "Apply only what time has made due: the nightly job.",
    "drift": "Tell whether the world still agrees; exit 2 when not.",
    "inventory": "List every certificate, as a table, JSON, CSV or a page.",
    "forecast": "Tell what has to be issued, week by week, for a year or many.",
    "discover": "List the certificates that nobody manages; write documents that adopt them.",
    "import": "Read what certbot, lego or cert-manager declare; say what cannot be carried over.",
    "issuer": "Look after Issuers: make an account's key, seal what else is secret.",
    "log": "Show what was recorded, of all or of one address.",
    "revoke": "Write the document that revokes certificates, or a CA.",
    "graph": "Draw authorities, certificates and targets; tell what falls with one.",
    "ceremony": "Have an offline key sign: export, carry, sign, carry back, import.",
    "unlock": "Take a lock away from a run that is gone.",
    "ledger": "Look after the ledger.",
    "action": "Do what a step of a GitHub workflow asks for.",
    "serve": "Show what is published on this machine, for trying.",
    "schema": "Print the JSON Schema of the documents, or of one kind.",
    "doctor": "Check this machine and this repository.",
    "version": "Print the version.",
    "completion": "Print a completion script for your shell.",
}
"""Every command with its one line of help, in the order a newcomer meets them."""

EXIT_CODES = """\b
Exit codes: 0 nothing to do, or applied; 1 error; 2 changes pending (drift, and
plan --detailed-exitcode); 3 refused (stale or unreviewed plan, guard, ledger);
4 partly applied; 130 interrupted."""


class LazyGroup(click.Group):
    """A group whose commands are modules of `reconciler.cli.commands`."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the commands in their order."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import a command's module and return the command."""
        if cmd_name not in COMMANDS:
            return None
        end = "_" if iskeyword(cmd_name) else ""
        module = import_module(f"reconciler.cli.commands.{cmd_name}{end}")
        command: click.Command = module.command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Suggest the nearest command for one that does not exist."""
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            from difflib import get_close_matches  # noqa: PLC0415 - only on a mistake

            near = get_close_matches(args[0], COMMANDS, 1)
            hint = f" Did you mean {near[0]!r}?" if near else ""
            ctx.fail(f"No such command {args[0]!r}.{hint}")
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; the one place where its exceptions become words and an exit code."""
        try:
            return super().invoke(ctx)
        except (click.ClickException, click.exceptions.Exit, click.Abort, BrokenPipeError):
            raise
        except Exception as failure:  # noqa: BLE001 - the boundary
            from reconciler.cli.failures import report  # noqa: PLC0415 - only on a failure

            return report(failure, ctx.obj or Console(Path(), ColourOption.AUTO))

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands without importing one of them."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@dataclass(frozen=True, slots=True)
class Console:
    """Where output goes: data to stdout, everything else to stderr, each coloured or not."""

    root: Path
    colour: ColourOption

    @property
    def colour_out(self) -> bool:
        """Whether stdout is coloured."""
        return wants_colour(self.colour, os.environ, is_terminal=sys.stdout.isatty())

    @property
    def colour_err(self) -> bool:
        """Whether stderr is coloured."""
        return wants_colour(self.colour, os.environ, is_terminal=sys.stderr.isatty())

    def write(self, text: str) -> None:
        """Write data to stdout."""
        click.echo(text.rstrip("\n"), color=self.colour_out)

    def say(self, text: str) -> None:
        """Write a remark to stderr."""
        click.echo(text.rstrip("\n"), err=True, color=self.colour_err)


@click.group(
    cls=LazyGroup, epilog=EXIT_CODES, context_settings={"help_option_names": ["-h", "--help"]}
)
@click.option(
    "-C",
    "--chdir",
    "root",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    default=Path(),
    help="The repository to work in.",
)
@click.option(
    "--color",
    type=click.Choice([option.value for option in ColourOption]),
    default="auto",
    help="Colour output; NO_COLOR and FORCE_COLOR are honoured.",
)
@click.version_option(__version__, message="certform %(version)s", help="Print the version.")
@click.pass_context
def cli(ctx: click.Context, root: Path, color: str) -> None:
    """certform keeps certificates the way Terraform keeps infrastructure.

    Desired certificates and CA hierarchies are YAML in a git repository; certform plans the
    difference to what really exists, and applies it.

    \b
    Examples:
      certform init --template mtls orders payments
      certform plan --out plan.json
      certform apply plan.json
    """
    ctx.obj = Console(root.resolve(), ColourOption(color))


def run(argv: Sequence[str]) -> int:
    """Run one command and return its exit code."""
    # One command, then the process ends: a collector that walks tens of thousands of certificates
    # again and again would find nothing, and take a third of the time.
    gc.disable()
    try:
        result: Any = cli.main(args=list(argv), prog_name="certform", standalone_mode=False)
    except click.exceptions.Exit as end:
        return end.exit_code
    except click.Abort:
        click.echo("Interrupted.", err=True)
        return 130
    except click.ClickException as mistake:
        mistake.show()
        return 1
    except BrokenPipeError:
        sys.stderr.close()
        return 1
    return result if isinstance(result, int) else 0
