"""Kinds that other packages add: written in place of ours, under a name that has a slash."""

import re
from collections.abc import Callable
from typing import Any

from schemas.base import Model

PLUGIN = r"^[a-z0-9-]+(\.[a-z0-9-]+)+/[a-z0-9]([a-z0-9-]*[a-z0-9])?$"
"""What a kind is called that another package adds: by a domain of its maker's."""


def plugged(
    data: Any, noun: str, example: str, make: Callable[[str, dict[str, Any]], Model]
) -> Any:
    """Take the one field whose name has a slash for a plug-in, made of its kind and its settings.

    `noun` is what such a kind is called; raises ValueError for what is none.
    """
    if not isinstance(data, dict):
        return data
    if isinstance(data.get("plugin"), dict):
        raise ValueError(f"`plugin` is not a field: write the {noun} itself")  # noqa: TRY004
    kind = next((key for key in data if isinstance(key, str) and "/" in key), None)
    if kind is None:
        return data
    if not re.fullmatch(PLUGIN, kind):
        raise ValueError(f"`{kind}` must be a {noun} such as {example}")
    if not isinstance(data[kind], dict):
        raise ValueError(f"`{kind}` must be a mapping")  # noqa: TRY004  pydantic takes no other
    rest = {key: value for key, value in data.items() if key != kind}
    return {**rest, "plugin": make(kind, data[kind])}


def write_schema(schema: dict[str, Any]) -> None:
    """Say in JSON Schema how a plug-in is written: under the name of its kind."""
    schema["patternProperties"] = {PLUGIN: {"type": "object"}}
    del schema["properties"]["plugin"]
