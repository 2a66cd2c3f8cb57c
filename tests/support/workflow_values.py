"""The values of GitHub's expressions: what counts as true, as equal, and what the functions make of them.

https://docs.github.com/actions/reference/workflows-and-actions/expressions
"""

import json
import math
import re
from collections.abc import Callable, Mapping
from typing import Any

Function = Callable[..., Any]


def truth(value: Any) -> bool:
    """Return whether a value counts as true."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return value != 0 and not math.isnan(value)
    return isinstance(value, Mapping | list) or bool(value)


def as_text(value: Any) -> str:
    """Return a value as it is put into a text."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return _shown(value)
    if isinstance(value, str):
        return value
    return "Object" if isinstance(value, Mapping) else "Array"


def _shown(value: float) -> str:
    if math.isnan(value) or math.isinf(value):
        return {math.inf: "Infinity", -math.inf: "-Infinity"}.get(value, "NaN")
    return "0" if value == 0 else f"{value:.15g}"


def as_number(value: Any) -> float:
    """Return a value as it is compared with a number."""
    if value is None:
        return 0
    if isinstance(value, bool | int | float):
        return float(value)
    if not isinstance(value, str):
        return math.nan
    return parsed_number(value.strip()) if value.strip() else 0


def parsed_number(text: str) -> float:
    try:
        if text[:2].lower() in ("0x", "0o"):
            return int(text, 0)
        return math.nan if "_" in text else float(text)
    except ValueError:
        return math.nan


def equal(left: Any, right: Any) -> bool:
    """Return whether two values are equal: texts in any case, others of two kinds as numbers."""
    if isinstance(left, str) and isinstance(right, str):
        return left.upper() == right.upper()
    if isinstance(left, Mapping | list) and isinstance(right, Mapping | list):
        return left is right
    return (left is None and right is None) or as_number(left) == as_number(right)


def _ordered(compare: Callable[[Any, Any], bool]) -> Callable[[Any, Any], bool]:
    def compared(left: Any, right: Any) -> bool:
        if isinstance(left, str) and isinstance(right, str):
            return compare(left.upper(), right.upper())
        return compare(as_number(left), as_number(right))

    return compared


COMPARISONS: Mapping[str, Callable[[Any, Any], bool]] = {
    "==": equal,
    "!=": lambda left, right: not equal(left, right),
    "<": _ordered(lambda left, right: left < right),
    "<=": _ordered(lambda left, right: left <= right),
    ">": _ordered(lambda left, right: left > right),
    ">=": _ordered(lambda left, right: left >= right),
}


def _contains(where: Any, what: Any) -> bool:
    if isinstance(where, list):
        return any(equal(each, what) for each in where)
    if isinstance(where, Mapping) or isinstance(what, Mapping | list):
        return False
    return as_text(what).lower() in as_text(where).lower()


def _format(template: Any, *values: Any) -> str:
    def filled(found: "re.Match[str]") -> str:
        if found[0] in ("{{", "}}"):
            return found[0][0]
        if found[1] is None or int(found[1]) >= len(values):
            raise ValueError(f"the format string is invalid: {template}")
        return as_text(values[int(found[1])])

    return re.sub(r"\{\{|\}\}|\{(\d+)\}|[{}]", filled, as_text(template))


def _join(values: Any, separator: Any = ",") -> str:
    if not isinstance(values, list):
        return as_text(values)
    return as_text(separator).join(as_text(each) for each in values)


def _case(*arms: Any) -> Any:
    for wanted, value in zip(arms[:-1:2], arms[1::2], strict=True):
        if wanted is True:
            return value
    return arms[-1]


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _plain(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_plain(each) for each in value]
    if not isinstance(value, float):
        return value
    return (int(value) if value.is_integer() else value) if math.isfinite(value) else None


FUNCTIONS: Mapping[str, Function] = {
    "contains": _contains,
    "startswith": lambda text, start: as_text(text).lower().startswith(as_text(start).lower()),
    "endswith": lambda text, end: as_text(text).lower().endswith(as_text(end).lower()),
    "format": _format,
    "join": _join,
    "case": _case,
    "tojson": lambda value: json.dumps(_plain(value), indent=2, ensure_ascii=False),
    "fromjson": lambda text: json.loads(as_text(text)),
}
