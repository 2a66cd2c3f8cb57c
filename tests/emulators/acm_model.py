"""The shapes of AWS's own service model, checked: lengths, patterns, words and members."""

import base64
import functools
import re
from collections.abc import Mapping
from typing import Any

from aws_errors import invalid
from botocore.loaders import Loader
from botocore.model import (
    ListShape,
    OperationModel,
    ServiceModel,
    Shape,
    StringShape,
    StructureShape,
)


@functools.cache
def operations() -> Mapping[str, OperationModel]:
    """Return ACM's operations by name, from the model that botocore ships."""
    model = ServiceModel(Loader().load_service_model("acm", "service-2"), "acm")
    return {name: model.operation_model(name) for name in model.operation_names}


def check(value: Any, shape: Shape, path: str = "") -> None:
    """Raise ValidationException unless a JSON value is of a shape."""
    if isinstance(shape, StructureShape):
        _check_structure(value, shape, path)
    elif isinstance(shape, ListShape):
        _check_size(len(value), shape, path)
        for number, item in enumerate(value, 1):
            check(item, shape.member, f"{path}.{number}.member")
    elif shape.type_name == "blob":
        _check_size(len(base64.b64decode(value)), shape, path)
    elif isinstance(shape, StringShape):
        _check_size(len(value), shape, path)
        _check_text(value, shape, path)
    elif shape.type_name in ("integer", "long"):
        _check_size(value, shape, path)


def _check_structure(value: Mapping[str, Any], shape: StructureShape, path: str) -> None:
    if unknown := value.keys() - shape.members.keys():
        raise invalid(f"unknown members at '{path}': {sorted(unknown)}")
    if missing := set(shape.required_members) - value.keys():
        raise invalid(f"Value null at '{path}' failed to satisfy constraint: {sorted(missing)}")
    if shape.is_tagged_union and len(value) != 1:
        raise invalid(f"exactly one member must be given at '{path}'")
    for name, item in value.items():
        check(item, shape.members[name], f"{path}.{name}" if path else name)


def _check_size(size: int, shape: Shape, path: str) -> None:
    if not shape.metadata.get("min", 0) <= size <= shape.metadata.get("max", size):
        raise invalid(
            f"1 validation error detected: Value at '{path}' failed to satisfy constraint:"
            " Member must have a permitted length or size"
        )


def _check_text(value: str, shape: StringShape, path: str) -> None:
    pattern = shape.metadata.get("pattern")
    if (shape.enum and value not in shape.enum) or (
        pattern and not re.fullmatch(_translated(pattern), value)
    ):
        raise invalid(
            f"1 validation error detected: Value '{value}' at '{path}' failed to satisfy constraint:"
            " Member must satisfy its pattern or enum"
        )


@functools.cache
def _translated(pattern: str) -> str:
    """Python's way to write a pattern with the Unicode classes that tags may be of."""
    return pattern.replace(r"\p{L}\p{Z}\p{N}_", r"\w \u00a0\u2028")
