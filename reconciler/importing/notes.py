"""What became of every field of a document of others: each is carried over, changed on the way, or left."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from reconciler.load.yaml import Step, Value
from schemas.plan import Source


class Fate(StrEnum):
    """What became of a field."""

    CARRIED = "carried"
    CHANGED = "changed"
    LEFT = "left"


@dataclass(frozen=True, slots=True)
class Note:
    """One field: where it stands, what it is called there, what became of it and what to do."""

    source: Source
    field: str
    fate: Fate
    said: str


@dataclass(frozen=True, slots=True)
class Rule:
    """What is known of a field before a document is read: what is said of it, or why nothing is.

    A field without words is read by code, which says what became of it.
    """

    words: str = ""
    silent: bool = False


TAKEN = Rule()
"""For a field that code reads."""


def left(words: str) -> Rule:
    """Return the rule for a field that cannot be carried over."""
    return Rule(words)


def silent(why: str) -> Rule:
    """Return the rule for a field that has no meaning for us; `why` is for readers of the table."""
    return Rule(why, silent=True)


Table = Mapping[str, Rule]
"""Rules by dotted path, a star for every item of a list; a rule covers what is below its field."""


def dotted(path: Iterable[Step]) -> str:
    """Return a path as it is spoken: `spec.dnsNames[1]`."""
    steps = (f"[{step}]" if isinstance(step, int) else f".{step}" for step in path)
    return "".join(steps).removeprefix(".")


def rule_for(path: Iterable[Step], table: Table) -> Rule | None:
    """Return the rule of a field, or of the nearest one above it."""
    steps = tuple(path)
    for length in range(len(steps), 0, -1):
        if rule := table.get(pattern(steps[:length])):
            return rule
    return None


def opened(table: Table) -> frozenset[str]:
    """Return the fields, as a table has them, below which there are rules."""
    return frozenset(rule[: dot.start()] for rule in table for dot in re.finditer(r"\.", rule))


def pattern(path: Iterable[Step]) -> str:
    """Return how a table has a path."""
    return ".".join("*" if isinstance(step, int) else step for step in path)


def below(node: Value) -> Iterable[tuple[Step, Value]]:
    """Return the fields of a mapping or the items of a list; nothing for a text."""
    if isinstance(node, dict):
        return node.items()
    return enumerate(node) if isinstance(node, tuple) else ()
