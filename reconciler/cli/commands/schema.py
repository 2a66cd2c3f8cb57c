"""certform schema."""

import json
from collections.abc import Iterator
from importlib.resources import files
from typing import Any

import click

from reconciler.cli.app import Console
from reconciler.diagnostics import error
from reconciler.errors import InvalidInput
from reconciler.load.suggest import nearest


@click.command("schema")
@click.argument("kind", required=False)
@click.option("--plan", "plan", is_flag=True, help="The schema of saved plans instead.")
@click.pass_obj
def command(console: Console, kind: str | None, *, plan: bool) -> None:
    """Print the JSON Schema of the documents, for an editor, or of one KIND.

    \b
    Examples, the first for the YAML language server:
      certform schema > .certform-v1.json
      # yaml-language-server: $schema=.certform-v1.json
      certform schema Certificate
    """
    if plan and kind:
        raise click.UsageError("--plan is a schema of its own: leave KIND out")
    name = "plan.v1.json" if plan else "v1.json"
    text = files("schemas").joinpath("json", name).read_text(encoding="utf-8")
    if kind:
        schema = json.loads(text)
        kinds = {known.lower(): known for known in schema["properties"]["kind"]["enum"]}
        if kind.lower() not in kinds:
            hint = nearest(kind, kinds.values())
            raise InvalidInput((error(f'"{kind}" is not a kind', hint=hint),))
        text = json.dumps(_of_kind(schema, kinds[kind.lower()]), indent=2)
    console.write(text)


def _of_kind(schema: dict[str, Any], kind: str) -> dict[str, Any]:
    """Return the schema of documents narrowed to one kind, with the definitions that it needs."""
    spec = next(
        case["then"]["properties"]["spec"]
        for case in schema["allOf"]
        if case["if"]["properties"]["kind"]["const"] == kind
    )
    properties = {**schema["properties"], "kind": {"const": kind}, "spec": spec}
    needed: dict[str, Any] = {}
    waiting = list(_references(properties))
    while waiting:
        name = waiting.pop()
        if name not in needed:
            needed[name] = schema["$defs"][name]
            waiting.extend(_references(needed[name]))
    kept = {key: value for key, value in schema.items() if key not in ("allOf", "$id")}
    definitions = {name: needed[name] for name in sorted(needed)}
    return {**kept, "title": kind, "properties": properties, "$defs": definitions}


def _references(schema: Any) -> Iterator[str]:
    if isinstance(schema, dict):
        if isinstance(reference := schema.get("$ref"), str):
            yield reference.removeprefix("#/$defs/")
        schema = list(schema.values())
    if isinstance(schema, list):
        for part in schema:
            yield from _references(part)
