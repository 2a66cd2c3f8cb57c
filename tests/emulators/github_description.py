"""GitHub's own description of its REST API, as far as it is served here.

It is github_api.json, which scripts/github-api makes. Requests are held to it, and answers are made whole
by it: what a test has no need of is there, and empty.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from jsonschema import Draft202012Validator

Json = Any
WITH_SLASHES = {"git/get-ref"}
"""Operations whose last part of the path may hold slashes."""
URL = "https://github.example/"
BEGINNING = "2026-01-01T00:00:00Z"


@dataclass(frozen=True)
class Operation:
    """One method of one path. `id` is GitHub's name for it, such as `issues/create-comment`."""

    id: str
    method: str
    path: re.Pattern[str]
    query: Mapping[str, Json]
    body: Json
    answers: Mapping[str, Json]


@dataclass(frozen=True)
class Description:
    operations: tuple[Operation, ...]
    components: Json

    def find(self, method: str, path: str) -> tuple[Operation, dict[str, str]] | None:
        """Return the operation of a request, and what its path says."""
        for each in self.operations:
            if each.method == method and (match := each.path.fullmatch(path)):
                return each, {name: unquote(value) for name, value in match.groupdict().items()}
        return None

    def complaints(
        self, operation: Operation, query: Mapping[str, str], body: Json
    ) -> Iterator[str]:
        """Yield what a request has that GitHub does not describe."""
        for name, value in query.items():
            if name not in operation.query:
                yield f"there is no parameter {name}"
            else:
                yield from self._errors(operation.query[name], _typed(operation.query[name], value))
        if operation.body is None:
            if body is not None:
                yield "there is no body"
            return
        yield from self._errors(operation.body, body)
        yield from _unknown(operation.body, body)

    def completed(self, operation: Operation, status: int, data: Json) -> Json:
        """Return an answer with all that GitHub's has."""
        return self._completed(operation.answers[str(status)], data)

    def answer_errors(self, operation: Operation, status: int, data: Json) -> list[str]:
        """Return what is wrong with an answer."""
        return list(self._errors(operation.answers[str(status)], data))

    def _errors(self, schema: Json, data: Json) -> Iterator[str]:
        validator = Draft202012Validator({**schema, "components": self.components})
        for error in validator.iter_errors(data):
            yield f"{'/'.join(map(str, error.absolute_path))}: {error.message[:300]}"

    def _resolved(self, schema: Json) -> Json:
        while "$ref" in schema:
            schema = self.components["schemas"][schema["$ref"].rpartition("/")[2]]
        return schema

    def _completed(self, schema: Json, data: Json) -> Json:
        schema = self._resolved(schema)
        if data is None:
            return None
        for part in schema.get("allOf", ()):
            data = self._completed(part, data)
        if choices := schema.get("anyOf", schema.get("oneOf")):
            return self._completed(self._fitting(choices, data), data)
        if isinstance(data, list):
            return [self._completed(schema.get("items", {}), each) for each in data]
        if not isinstance(data, dict):
            return data
        known = schema.get("properties", {})
        lacking = [name for name in schema.get("required", ()) if name not in data]
        return {
            **{name: self._default(known.get(name, {})) for name in lacking},
            **{name: self._completed(known.get(name, {}), each) for name, each in data.items()},
        }

    def _fitting(self, choices: list[Json], data: Json) -> Json:
        """Return the first of several schemas that may be meant."""
        resolved = [self._resolved(each) for each in choices]
        whole = [each for each in resolved if "properties" in each or "oneOf" in each]
        return whole[0] if whole and isinstance(data, dict) else resolved[0]

    def _default(self, schema: Json) -> Json:
        schema = self._resolved(schema)
        choices = schema.get("anyOf", schema.get("oneOf", ()))
        if {"type": "null"} in choices:
            return None
        if choices:
            return self._default(choices[0])
        if "enum" in schema:
            return schema["enum"][0]
        if schema.get("type") == "object" or "properties" in schema:
            return self._completed(schema, {})
        if schema.get("type") == "string":
            return {"uri": URL, "date-time": BEGINNING}.get(schema.get("format"), "")
        return {"integer": 0, "number": 0, "boolean": False, "array": []}.get(schema.get("type"))


@cache
def description() -> Description:
    """Return the description."""
    data = json.loads((Path(__file__).parent / "github_api.json").read_text())
    operations = tuple(
        Operation(id_, each["method"], _pattern(id_, each["path"]), *_rest(each))
        for id_, each in data["operations"].items()
    )
    return Description(operations, data["components"])


def _rest(data: Json) -> tuple[Json, Json, Json]:
    return data["query"], data["body"], data["answers"]


def _pattern(id_: str, path: str) -> re.Pattern[str]:
    text = re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", path)
    if id_ in WITH_SLASHES:
        text = text.removesuffix("[^/]+)") + ".+)"
    return re.compile(text)


def _typed(schema: Json, text: str) -> Json:
    """Return a parameter's value as JSON would say it."""
    if schema.get("type") == "integer" and text.isdecimal():
        return int(text)
    if schema.get("type") == "boolean" and text in ("true", "false"):
        return text == "true"
    return text


def _unknown(schema: Json, data: Json) -> Iterator[str]:
    """Yield the fields that are not described; GitHub would pass over them without a word."""
    known = schema.get("properties")
    if not known or not isinstance(data, dict):
        return
    for name, value in data.items():
        if name not in known:
            yield f"there is no field {name}"
        else:
            yield from _unknown(known[name], value)
