"""One document of others as it is read: what nobody asked for is told in the end."""

from collections.abc import Mapping
from typing import Protocol

from reconciler.importing.notes import (
    Fate,
    Note,
    Rule,
    Table,
    below,
    dotted,
    opened,
    pattern,
    rule_for,
)
from reconciler.load.yaml import Step, Value
from schemas.plan import Source

_MOST = 500
"""Fields of one document that are told one by one."""
_NOTHING: tuple[Value, ...] = (None, (), {})
UNKNOWN = "is no field that is known here: nothing was made of it"
UNUSED = "nothing that was imported needs it: nothing was made of it"
"""Said of a field that code reads where it is wanted, and that nobody wanted."""


class Words(Protocol):
    """A document with a place for each of its words."""

    @property
    def data(self) -> Mapping[str, Value]:
        """The document as it is written."""
        ...

    def at(self, *path: Step, key: bool = False) -> Source:
        """Return the place of the value at a path, or of the nearest one above it."""
        ...


class Survey:
    """Reads fields, notes what becomes of them, and accounts for the rest by a table."""

    def __init__(self, words: Words, table: Table) -> None:
        self._words = words
        self._table = table
        self._opened = opened(table)
        self._told: set[tuple[Step, ...]] = set()
        self._above: set[tuple[Step, ...]] = set()
        self._notes: list[Note] = []

    @property
    def words(self) -> Words:
        """The document itself."""
        return self._words

    def value(self, *path: Step) -> Value:
        """Return what stands at a path, None where nothing does."""
        node: Value = dict(self._words.data)
        for step in path:
            if isinstance(node, dict) and isinstance(step, str):
                node = node.get(step)
            elif isinstance(node, tuple) and isinstance(step, int) and step < len(node):
                node = node[step]
            else:
                return None
        return node

    def text(self, *path: Step) -> str | None:
        """Return the text at a path; None where there is none."""
        found = self.value(*path)
        return found if isinstance(found, str) and found else None

    def texts(self, *path: Step) -> tuple[str, ...]:
        """Return the texts of a list; what is no text in it is left out, and told in the end."""
        found = self.value(*path)
        return (
            tuple(item for item in found if isinstance(item, str))
            if isinstance(found, tuple)
            else ()
        )

    def mapping(self, *path: Step) -> dict[str, Value]:
        """Return the mapping at a path, an empty one where there is none."""
        found = self.value(*path)
        return found if isinstance(found, dict) else {}

    def carried(self, path: tuple[Step, ...], said: str) -> None:
        """Note that a field is carried over as it is, and where to."""
        self._note(path, Fate.CARRIED, said)

    def carry_once(self, path: tuple[Step, ...], said: str) -> None:
        """Note that a field is carried over, unless something was said of it already."""
        if path not in self._told:
            self.carried(path, said)

    def changed(self, path: tuple[Step, ...], said: str) -> None:
        """Note that a field became something else."""
        self._note(path, Fate.CHANGED, said)

    def left(self, path: tuple[Step, ...], said: str) -> None:
        """Note that a field could not be carried over, and what to do."""
        self._note(path, Fate.LEFT, said)

    def known(self, *path: Step) -> None:
        """Note that nothing needs to be said of a field: it says what is so in any case."""
        self._mark(path)

    def _note(self, path: tuple[Step, ...], fate: Fate, said: str) -> None:
        self._mark(path)
        if len(self._notes) < _MOST:
            self._notes.append(Note(self._words.at(*path, key=True), dotted(path), fate, said))

    def _mark(self, path: tuple[Step, ...]) -> None:
        self._told.add(path)
        self._above.update(path[:length] for length in range(len(path)))

    def notes(self) -> tuple[Note, ...]:
        """Return what became of every field of the document, those that nobody asked for included."""
        for key, value in self._words.data.items():
            self._account((key,), value)
        if len(self._notes) >= _MOST:
            said = "there is more in this document than is told: look through it by hand"
            return (*self._notes, Note(self._words.at(), "", Fate.LEFT, said))
        return tuple(self._notes)

    def _account(self, path: tuple[Step, ...], node: Value) -> None:
        if path in self._told:
            return
        inside = path in self._above or pattern(path) in self._opened
        if inside and isinstance(node, dict | tuple) and node:
            for step, value in below(node):
                self._account((*path, step), value)
            return
        self._judge(path, rule_for(path, self._table), node)

    def _judge(self, path: tuple[Step, ...], rule: Rule | None, node: Value) -> None:
        if (rule is not None and rule.silent) or node in _NOTHING or len(self._notes) >= _MOST:
            return
        self.left(path, rule.words or UNUSED if rule else UNKNOWN)
