"""A model's objections to a document, as findings in the user's own terms."""

from collections.abc import Iterator, Mapping
from typing import Any, get_args

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from reconciler.diagnostics import Diagnostic, error
from reconciler.load.documents import Place
from reconciler.load.suggest import nearest
from reconciler.load.yaml import Step
from schemas.base import Model
from schemas.pkcs11 import without_pin

_MOST = 50
_TYPES: Mapping[str, str] = {
    "string_type": "must be text",
    "string_sub_type": "must be text",
    "enum": "must be one word",
    "int_type": "must be a whole number",
    "bool_type": "must be true or false",
    "time_delta_type": "must be a duration such as 90d",
    "datetime_type": "must be a time such as 2026-11-23T02:41:00Z",
    "tuple_type": "must be a list",
    "list_type": "must be a list",
    "dict_type": "must be a mapping",
    "model_type": "must be a mapping",
    "model_attributes_type": "must be a mapping",
    "too_short": "must have at least one entry",
}
_KEPT = "plugin"
"""Where a model keeps a kind of another package: nobody writes it, so nobody is told of it."""


def worded(problem: ValidationError, model: type[Model], place: Place) -> Iterator[Diagnostic]:
    """Yield one finding per objection, each at the place of what is wrong."""
    for details in problem.errors(include_url=False)[:_MOST]:
        if details["type"] == "too_short" and details["input"]:
            continue  # what is in it is wrong, and told by itself: pydantic counts sound entries alone
        path = tuple(step for step in details["loc"] if step != "[key]")
        yield _finding(details, path, model, place)
    if problem.error_count() > _MOST:
        more = problem.error_count() - _MOST
        yield error(f"there are {more:,} more mistakes in this document", place.at())


def _finding(
    details: ErrorDetails, path: tuple[Step, ...], model: type[Model], place: Place
) -> Diagnostic:
    name = dotted(path)
    if details["type"] == "missing":
        return error(f"{name} is missing", place.at(*path))
    if details["type"] == "extra_forbidden":
        hint = nearest(str(path[-1]), _fields(model, path[:-1]))
        return error(f"{name} is not a field", place.at(*path, key=True), hint=hint)
    value, words = details["input"], _words(details)
    if isinstance(value, Mapping) and isinstance(called := value.get("name"), str):
        hint = f"write {path[-1]}: {called[:80]}"
        return error(f"{name} must be text, not a mapping", place.at(*path), hint=hint)
    if isinstance(value, str):
        hint = nearest(value, _choices(details)) if details["type"] == "enum" else ""
        return error(f'{name}: "{without_pin(value)[:80]}" {words}', place.at(*path), hint=hint)
    if value is None:
        return error(f"{name} has no value; it {words}", place.at(*path))
    return error(f"{name} {words}", place.at(*path))


def dotted(path: tuple[Step, ...]) -> str:
    """Return a path as it is spoken: `spec.targets[1].targetRef`."""
    steps = (f"[{step}]" if isinstance(step, int) else f".{step}" for step in path)
    return "".join(steps).removeprefix(".")


def _words(details: ErrorDetails) -> str:
    kind = details["type"]
    if kind == "value_error":
        return str(details["ctx"]["error"])
    if kind == "enum":
        return f"must be one of {', '.join(_choices(details))}"
    if kind == "greater_than_equal":
        return f"must be at least {details['ctx']['ge']}"
    if kind == "less_than_equal":
        return f"must be at most {details['ctx']['le']}"
    return _TYPES.get(kind, details["msg"])


def _choices(details: ErrorDetails) -> list[str]:
    expected = str(details["ctx"]["expected"]).replace(" or ", ", ")
    return [word.strip("'") for word in expected.split(", ")]


def _fields(model: type[Model], path: tuple[Step, ...]) -> tuple[str, ...]:
    for step in path:
        if isinstance(step, str):
            inner = _inner(model, step)
            if inner is None:
                return ()
            model = inner
    fields = model.model_fields.items()
    return tuple(f.alias or name for name, f in fields if name != _KEPT)


def _inner(model: type[Model], alias: str) -> type[Model] | None:
    fields = model.model_fields.items()
    annotation = next((f.annotation for name, f in fields if (f.alias or name) == alias), None)
    return _model_in(annotation)


def _model_in(annotation: Any) -> type[Model] | None:
    if isinstance(annotation, type) and issubclass(annotation, Model):
        return annotation
    return next(filter(None, map(_model_in, get_args(annotation))), None)
