"""certform schema."""

from importlib.resources import files

import click

from reconciler.cli.app import Console


@click.command("schema")
@click.option("--plan", "plan", is_flag=True, help="The schema of saved plans instead.")
@click.pass_obj
def command(console: Console, *, plan: bool) -> None:
    """Print the JSON Schema of the documents, for an editor.

    \b
    Example, for the YAML language server:
      certform schema > .certform-v1.json
      # yaml-language-server: $schema=.certform-v1.json
    """
    name = "plan.v1.json" if plan else "v1.json"
    console.write(files("schemas").joinpath("json", name).read_text(encoding="utf-8"))
