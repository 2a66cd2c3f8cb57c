"""YAML as data: mappings, lists and source text, with the place of each and nothing clever.

libyaml's events are read, not its values: what a scalar means is for the field that takes it. It is
PyYAML's libyaml (0.2.5 or newer), because older ones refuse a URI in a flow list. The places of all nodes
lie in one array in the order they are written, so they cost eight bytes each.
"""

import re
from array import array
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from yaml.cyaml import CParser  # type: ignore[import-untyped,unused-ignore]
from yaml.error import (  # type: ignore[import-untyped,unused-ignore]
    MarkedYAMLError,
    YAMLError,
)
from yaml.events import (  # type: ignore[import-untyped,unused-ignore]
    AliasEvent,
    DocumentStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
)
from yaml.reader import ReaderError  # type: ignore[import-untyped,unused-ignore]

Value: TypeAlias = "dict[str, Value] | tuple[Value, ...] | str | None"
Step: TypeAlias = str | int

MAX_DEPTH = 32
_TOO_DEEP = f"nests deeper than {MAX_DEPTH} levels"
_NULLS = frozenset({"", "~", "null", "Null", "NULL"})
_INVISIBLE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]")
_UNREADABLE = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_COLUMN_BITS = 24
_MAX_REFUSALS = 50
_QUOTE = 'a value that starts with * must be quoted, as in "*.example.com"'


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a document cannot be read; line and column count from one."""

    line: int
    column: int
    summary: str
    hint: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Tree:
    """One document. `marks` are the places of its nodes, keys included, in the order written."""

    data: Value
    marks: "array[int]"
    refusals: tuple[Refusal, ...] = ()
    _starts: dict[int, Mapping[Step, int]] = field(default_factory=dict, repr=False)
    """Where the values of a node begin, by its `id`: looked up once, however many of them are asked for."""

    def __reduce__(self) -> tuple[Any, ...]:
        """Come out of another process in a third of the time that a dataclass takes by itself."""
        return Tree, (self.data, self.marks, self.refusals)

    def locate(self, path: tuple[Step, ...], *, key: bool = False) -> tuple[int, int]:
        """Return line and column of the node at a path, or of the nearest one above it.

        A mapping or list inside a mapping is found at its key; so is a scalar when `key` is set.
        """
        node, index, found = self.data, 0, 0
        for step in path:
            if isinstance(node, dict) and isinstance(step, str) and step in node:
                index += 1 + self._start(node, step)
                node = node[step]
                found = index + (isinstance(node, str) and not key)
                index += 1
            elif isinstance(node, tuple) and isinstance(step, int) and step < len(node):
                index += 1 + self._start(node, step)
                node, found = node[step], index
            else:
                break
        return self._place(found)

    def _start(self, node: "dict[str, Value] | tuple[Value, ...]", step: Step) -> int:
        known = self._starts.get(id(node))
        if known is None:
            known = self._starts[id(node)] = dict(_starts(node))
        return known[step]

    def locate_items(self, path: tuple[str, ...]) -> Iterator[tuple[int, int]]:
        """Yield line and column of every item of the list at a path, in one pass over it."""
        node, index = self.data, 0
        for step in path:
            if not isinstance(node, dict):
                return
            index += 2 + _size_before(node, step)
            node = node[step]
        for item in node if isinstance(node, tuple) else ():
            yield self._place(index + 1)
            index += _size(item)

    def items(self, path: tuple[str, ...]) -> "Iterator[Tree]":
        """Yield every item of the list at a path as a document of its own, in one pass over it."""
        node, index = self.data, 0
        for step in path:
            if not isinstance(node, dict) or step not in node:
                return
            index += 2 + _size_before(node, step)
            node = node[step]
        for item in node if isinstance(node, tuple) else ():
            size = _size(item)
            yield Tree(item, self.marks[index + 1 : index + 1 + size])
            index += size

    def _place(self, index: int) -> tuple[int, int]:
        mark = self.marks[index]
        return (mark >> _COLUMN_BITS) + 1, (mark & ((1 << _COLUMN_BITS) - 1)) + 1


def _size(node: Value) -> int:
    if isinstance(node, dict):
        return 1 + sum(1 + _size(value) for value in node.values())
    return 1 + sum(map(_size, node)) if isinstance(node, tuple) else 1


def _starts(node: "dict[str, Value] | tuple[Value, ...]") -> Iterator[tuple[Step, int]]:
    at = 0
    if isinstance(node, dict):
        for key, value in node.items():
            yield key, at
            at += 1 + _size(value)
    else:
        for index, item in enumerate(node):
            yield index, at
            at += _size(item)


def _size_before(node: dict[str, Value], step: str) -> int:
    keys = list(node)
    return sum(1 + _size(node[key]) for key in keys[: keys.index(step)])


class _TooDeepError(Exception):
    """The document nests deeper than any of ours, and the rest of the file is not read.

    libyaml 0.2.5's time grows with the square of the depth: 100,000 brackets cost half a minute.
    """

    def __init__(self, refusal: Refusal) -> None:
        self.refusal = refusal


class _Builder:
    """Turns the events of one document into a Tree."""

    __slots__ = ("_mark", "_next", "marks", "refusals")

    def __init__(self, next_event: Callable[[], Any]) -> None:
        self._next = next_event
        self.marks = array("Q")
        self._mark = self.marks.append
        self.refusals: list[Refusal] = []

    def build(self, event: Any, depth: int) -> Value:
        """Return the node an event begins."""
        start = event.start_mark
        self._mark(start.line << _COLUMN_BITS | start.column)
        kind = type(event)
        if kind is AliasEvent or event.anchor is not None or event.tag is not None:
            self._refuse_cleverness(event)
        if kind is ScalarEvent:
            value: str = event.value
            if not value.isprintable() and _INVISIBLE.search(value):
                self._refuse(event, "holds a control or direction character")
            return value if value not in _NULLS or event.style else None
        if kind is AliasEvent:
            return None
        if depth == MAX_DEPTH:
            raise _TooDeepError(Refusal(start.line + 1, start.column + 1, _TOO_DEEP))
        return self._mapping(depth + 1) if kind is MappingStartEvent else self._list(depth + 1)

    def _list(self, depth: int) -> tuple[Value, ...]:
        items = []
        while type(event := self._next()) is not SequenceEndEvent:
            items.append(self.build(event, depth))
        return tuple(items)

    def _mapping(self, depth: int) -> dict[str, Value]:
        result: dict[str, Value] = {}
        build, next_event = self.build, self._next
        while type(event := next_event()) is not MappingEndEvent:
            key = build(event, depth)
            if not isinstance(key, str) or key in result or key == "<<":
                self._refuse_key(event, key)
                key = ""
            result[key] = build(next_event(), depth)
        return result

    def _refuse_key(self, event: Any, key: Value) -> None:
        if key == "<<":
            self._refuse(event, "merge keys are not read", "write the fields out, or use a Profile")
        elif isinstance(key, str):
            self._refuse(event, f'"{key}" is written twice', "keep one of the two")
        elif type(event) is not AliasEvent:
            self._refuse(event, "a key must be text")

    def _refuse_cleverness(self, event: Any) -> None:
        if type(event) is AliasEvent:
            self._refuse(event, f"*{event.anchor} is an alias, and aliases are not read", _QUOTE)
        elif event.anchor is not None:
            self._refuse(event, f"&{event.anchor} is an anchor, and anchors are not read")
        else:
            self._refuse(event, f"{event.tag} is a tag, and tags are not read", "leave the tag out")

    def _refuse(self, event: Any, summary: str, hint: str = "") -> None:
        if len(self.refusals) < _MAX_REFUSALS:
            mark = event.start_mark
            self.refusals.append(Refusal(mark.line + 1, mark.column + 1, summary, hint))


def parse(text: str) -> tuple[tuple[Tree, ...], Refusal | None]:
    """Return the documents of a file, and the syntax error that ended it early if there is one."""
    trees: list[Tree] = []
    try:
        next_event = CParser(text).get_event
        while (event := next_event()) is not None:
            if type(event) is DocumentStartEvent:
                trees.append(_document(next_event))
    except ReaderError:
        return tuple(trees), _unreadable(text)
    except MarkedYAMLError as error:
        return tuple(trees), _broken(text, error)
    except _TooDeepError as error:
        return tuple(trees), error.refusal
    except YAMLError as error:
        return tuple(trees), Refusal(1, 1, f"is not YAML: {type(error).__name__}")
    return tuple(trees), None


def _document(next_event: Callable[[], Any]) -> Tree:
    builder = _Builder(next_event)
    data = builder.build(next_event(), 0)
    return Tree(data, builder.marks, tuple(builder.refusals))


def _unreadable(text: str) -> Refusal:
    found = _UNREADABLE.search(text)
    at = found.start() if found else 0
    line, column = text.count("\n", 0, at) + 1, at - text.rfind("\n", 0, at)
    return Refusal(line, column, f"the character U+{ord(text[at]):04X} is not allowed in YAML")


def _broken(text: str, error: MarkedYAMLError) -> Refusal:
    mark = error.problem_mark or error.context_mark
    line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
    lines = text.rstrip().split("\n")
    if line > len(lines):  # libyaml points behind the end, where there is nothing to show
        line, column = len(lines), len(lines[-1]) + 1
    if "maximum nesting depth" in (error.problem or ""):  # libyaml 0.2.6 has a limit of its own
        return Refusal(line, column, _TOO_DEEP)
    hint = _QUOTE if error.context == "while scanning an alias" else ""
    shown = lines[line - 1]
    if "\t" in shown[: len(shown) - len(shown.lstrip())]:
        hint = "indent with spaces: YAML takes no tabs"
    words = ", ".join(part for part in (error.context, error.problem) if part)
    return Refusal(line, column, f"is not YAML: {words}", hint)
