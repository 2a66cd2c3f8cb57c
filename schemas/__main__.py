"""`python -m schemas` writes the JSON Schemas under schemas/json, for editors and other programs."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from schemas.base import Model
from schemas.document import API_VERSION, SPECS, Metadata
from schemas.plan import Plan

_DRAFT = "https://json-schema.org/draft/2020-12/schema"
_BASE = "https://certform.dev/schemas"
_NOISE = ("title", "default", "anyOf")
_NULL = {"type": "null"}
_NAMING = ("properties", "$defs")
_FOLDER = Path(__file__).parent / "json"


def document_schema() -> dict[str, Any]:
    """Return the schema of a document of any kind: `kind` decides what `spec` holds."""
    models: dict[str, type[Model]] = {"Metadata": Metadata, **SPECS}
    references, whole = TypeAdapter.json_schemas(
        [(name, "validation", TypeAdapter(model)) for name, model in models.items()]
    )
    definitions = _each(whole["$defs"])
    properties = definitions["SetTemplate"]["properties"]
    properties["spec"] = _open(definitions["CertificateDraft"])
    properties["metadata"] = _open(definitions["Metadata"])
    return {
        "$schema": _DRAFT,
        "$id": f"{_BASE}/v1.json",
        "title": "certform document",
        "type": "object",
        "required": ["kind", "metadata", "spec"],
        "properties": {
            "apiVersion": {"const": API_VERSION},
            "kind": {"enum": list(SPECS)},
            "metadata": references["Metadata", "validation"],
            "spec": {"type": "object"},
        },
        "additionalProperties": False,
        "allOf": [_when(kind, references[kind, "validation"]) for kind in SPECS],
        "$defs": definitions,
    }


def plan_schema() -> dict[str, Any]:
    """Return the schema of a saved plan; a later minor version may add fields."""
    schema = _extensible(Plan.model_json_schema(mode="serialization"))
    return {**schema, "$schema": _DRAFT, "$id": f"{_BASE}/plan.v1.json", "title": "certform plan"}


def schemas() -> Mapping[Path, str]:
    """Return the text of every schema by the file it belongs in."""
    contents = {"v1.json": document_schema(), "plan.v1.json": plan_schema()}
    return {_FOLDER / name: json.dumps(each, indent=2) + "\n" for name, each in contents.items()}


def _when(kind: str, spec: Mapping[str, Any]) -> dict[str, Any]:
    condition = {"properties": {"kind": {"const": kind}}, "required": ["kind"]}
    return {"if": condition, "then": {"properties": {"spec": spec}}}


def _open(schema: Mapping[str, Any]) -> dict[str, Any]:
    """Return the field names of a schema; in a template any value may be a placeholder."""
    names = dict.fromkeys(schema["properties"], True)
    return {"type": "object", "additionalProperties": False, "properties": names}


def _tidied(schema: Any) -> Any:
    """Return a schema without generated titles and defaults, and without null for "left out"."""
    if isinstance(schema, list):
        return [_tidied(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    choices = [choice for choice in schema.get("anyOf", ()) if choice != _NULL]
    kept = {key: value for key, value in schema.items() if key not in _NOISE}
    if len(choices) == 1:
        return _tidied({**kept, **choices[0]})
    result = {key: (_each if key in _NAMING else _tidied)(value) for key, value in kept.items()}
    return {**result, "anyOf": _tidied(choices)} if choices else result


def _each(schemas: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _tidied(schema) for name, schema in schemas.items()}


def _extensible(schema: Any) -> Any:
    """Return a schema that lets fields be added, also without generated titles."""
    if isinstance(schema, list):
        return [_extensible(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    kept = {
        key: value
        for key, value in schema.items()
        if key not in ("title", "default") and (key, value) != ("additionalProperties", False)
    }
    return {key: _extensible(value) for key, value in kept.items()}


def main() -> None:
    """Write every schema."""
    _FOLDER.mkdir(exist_ok=True)
    for path, text in schemas().items():
        path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
