"""What was made fits our words, or what does not is left out and said."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from reconciler.importing.notes import Fate, Note, dotted
from reconciler.importing.outcome import Draft
from reconciler.load.yaml import Step
from schemas.document import SPECS

_TOLD = 100
"""How many mistakes of one document are told at once."""
_ROUNDS = 6
"""How often a spec is looked at again after something was left out of it."""


def fit(draft: Draft) -> tuple[Draft | None, tuple[Note, ...]]:
    """Return a document without what its schema does not take; None where nothing valid is left."""
    spec, notes = _loose(draft.spec), list[Note]()
    for _ in range(_ROUNDS):
        try:
            SPECS[draft.kind].model_validate(_frozen(spec))
        except ValidationError as problem:
            errors = problem.errors(include_url=False)
            notes += [_note(draft, details) for details in errors[:_TOLD]]
            if not _prune(spec, [_path(details) for details in errors]):
                break
        else:
            return replace(draft, spec=_frozen(spec)), tuple(notes)
    place = draft.words.at()
    said = f"no {draft.kind} can be made of it: write one by hand"
    return None, (*notes, Note(place, draft.name, Fate.LEFT, said))


def _path(details: ErrorDetails) -> tuple[Step, ...]:
    return tuple(step for step in details["loc"] if step != "[key]")


def _note(draft: Draft, details: ErrorDetails) -> Note:
    path = _path(details)
    why = str(details["ctx"]["error"]) if details["type"] == "value_error" else details["msg"]
    shown = f'"{details["input"][:80]}" ' if isinstance(details["input"], str) else ""
    source = draft.words.at("spec", *path)
    return Note(source, dotted(("spec", *path)), Fate.LEFT, f"left out: {shown}{why}")


def _prune(spec: Any, paths: list[tuple[Step, ...]]) -> bool:
    """Take out what is wrong, the last item of a list first; tell whether anything was."""
    pruned = False
    for path in sorted(set(paths), key=lambda path: [str(step).zfill(9) for step in path])[::-1]:
        pruned = _take(spec, path) or pruned
    return pruned


def _take(node: Any, path: tuple[Step, ...]) -> bool:
    """Take out the node at a path, or the nearest one above it that is there."""
    parents: list[tuple[Any, Step]] = []
    for step in path:
        inside = isinstance(node, dict) and step in node
        if not inside and not (
            isinstance(node, list) and isinstance(step, int) and step < len(node)
        ):
            break
        parents.append((node, step))
        node = node[step]
    if not parents:
        return False
    holder, step = parents[-1]
    del holder[step]
    return True


def _loose(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _loose(item) for key, item in value.items()}
    return [_loose(item) for item in value] if isinstance(value, tuple | list) else value


def _frozen(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _frozen(item) for key, item in value.items()}
    return tuple(_frozen(item) for item in value) if isinstance(value, list) else value
