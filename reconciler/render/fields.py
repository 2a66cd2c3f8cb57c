"""Field-by-field lines of a change: values as they are written, differences as they are read."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from reconciler.render.escape import visible
from schemas.plan import FieldChange

LATER = "(known after apply)"
_LINE = 64
"""The longest list written in one line, in characters."""
_PLAIN = frozenset({"serial", "notAfter", "sha256"})
"""Fields whose values need no quotes: hex digits and moments."""


@dataclass(frozen=True, slots=True)
class Row:
    """One line below a change. Labels are aligned; without one, `text` stands alone."""

    sign: str
    text: str
    label: str = ""
    nested: bool = False


def flatten(values: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, Any]]:
    """Yield every field by its dotted path; what is empty says nothing and is left out."""
    for name, value in values.items():
        path = f"{above}{_spelling(name)}"
        if isinstance(value, Mapping):
            yield from flatten(value, f"{path}.")
        elif value is not None and value != []:
            yield path, value


def stated(sign: str, path: str, value: Any) -> Iterator[Row]:
    """Yield a field with one value; a long list has a line for every element."""
    text = shown(path, value)
    if not isinstance(value, list | tuple) or len(text) <= _LINE:
        yield Row(sign, text, visible(path))
        return
    yield Row(sign, "[", visible(path))
    for element in value:
        yield Row(sign, shown(path, element), nested=True)
    yield Row("", "]")


def differing(change: FieldChange) -> Iterator[Row]:
    """Yield a field with two values; a list as the elements that come and go."""
    before, after = change.before, change.after
    if isinstance(before, Mapping) or isinstance(after, Mapping):
        yield from _differing_maps(change.path, before or {}, after or {})
    elif before is None:
        yield from stated("+", change.path, after)
    elif after is None:
        yield from stated("-", change.path, before)
    elif isinstance(before, list | tuple) and isinstance(after, list | tuple):
        yield from _differing_lists(change.path, before, after)
    else:
        arrow = f"{shown(change.path, before)} -> {shown(change.path, after)}"
        yield Row("~", arrow, visible(change.path))


def shown(path: str, value: Any) -> str:
    """Return a value on one line, text in quotes unless the field makes them needless."""
    if isinstance(value, str) and path in _PLAIN:
        return visible(value)
    return visible(json.dumps(value, ensure_ascii=False, default=str))


def brief(change: FieldChange) -> str:
    """Return a difference in few words, for a table: what comes with a +, what goes with a -."""
    before, after = change.before, change.after
    if isinstance(before, list | tuple) and isinstance(after, list | tuple):
        parts = [f"+ {e}" for e in after if e not in before]
        parts += [f"- {e}" for e in before if e not in after]
        more = [f"{len(parts) - 3} more"] if len(parts) > 4 else []
        return f"{change.path}: {', '.join([*parts[: 3 if more else 4], *more])}"
    if before is None or after is None:
        return f"{change.path} {'added' if before is None else 'dropped'}"
    if isinstance(before, Mapping):
        return f"{change.path} changed"
    return f"{change.path}: {before} → {after}"


def _differing_maps(
    path: str, before: Mapping[str, Any], after: Mapping[str, Any]
) -> Iterator[Row]:
    old, new = dict(flatten(before, f"{path}.")), dict(flatten(after, f"{path}."))
    for name in dict.fromkeys((*old, *new)):
        if old.get(name) != new.get(name):
            yield from differing(FieldChange(path=name, before=old.get(name), after=new.get(name)))


def _differing_lists(path: str, before: Sequence[Any], after: Sequence[Any]) -> Iterator[Row]:
    yield Row("~", "[", visible(path))
    kept = [element for element in after if element in before]
    for element in kept[:3] if len(kept) > 5 else kept:
        yield Row("", shown(path, element), nested=True)
    if len(kept) > 5:
        yield Row("", f"# {len(kept) - 3} more that stay", nested=True)
    for sign, here, there in (("-", before, after), ("+", after, before)):
        for element in here:
            if element not in there:
                yield Row(sign, shown(path, element), nested=True)
    yield Row("", "]")


def _spelling(name: str) -> str:
    return "notAfter" if name == "not_after" else name
