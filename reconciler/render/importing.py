"""What became of what others declared, line by line: as text, as JSON or in Markdown."""

import json
from collections.abc import Iterator, Sequence
from typing import Any

from reconciler.importing.notes import Fate, Note
from reconciler.importing.outcome import Outcome
from reconciler.render.escape import code, inert, prose, visible
from reconciler.render.summary import count

FORMAT_VERSION = "1.0"
_PLURALS = {
    "Issuer": "Issuers",
    "Authority": "Authorities",
    "Target": "Targets",
    "Certificate": "Certificates",
}
_TITLES = {
    Fate.CARRIED: "Carried over",
    Fate.CHANGED: "Changed on the way",
    Fate.LEFT: "Left, and for you to do",
}


def ordered(notes: Sequence[Note], fate: Fate) -> list[Note]:
    """Return the notes of one kind by file and line."""
    mine = [note for note in notes if note.fate is fate]
    return sorted(mine, key=lambda n: (n.source.file, n.source.line, n.source.column))


def summary(outcome: Outcome) -> str:
    """Return one line of what came of it."""
    numbers = {fate: sum(n.fate is fate for n in outcome.notes) for fate in Fate}
    made = {kind: sum(draft.kind == kind for draft in outcome.drafts) for kind in _PLURALS}
    names = (count(number, kind, _PLURALS[kind]) for kind, number in made.items() if number)
    told = ", ".join(names) or "nothing"
    read = count(outcome.documents, "document")
    broken = f"; {count(len(outcome.broken), 'file')} could not be read" if outcome.broken else ""
    fates = (
        f"{count(numbers[Fate.CARRIED], 'field')} carried over, {numbers[Fate.CHANGED]:,} changed,"
        f" {numbers[Fate.LEFT]:,} left"
    )
    return f"{read} of {outcome.source}: {told}; {fates}{broken}."


def render_text(outcome: Outcome) -> str:
    """Return the report for a terminal."""
    return "\n".join(inert(line) for line in _lines(outcome)) + "\n"


def _lines(outcome: Outcome) -> Iterator[str]:
    for fate, title in _TITLES.items():
        if notes := ordered(outcome.notes, fate):
            yield f"{title}:"
            for note in notes:
                yield f"  {_told(note)}"
            yield ""
    yield summary(outcome)


def _told(note: Note) -> str:
    where = f"{note.source.file}:{note.source.line}"
    return visible(f"{where} {note.field}: {note.said}" if note.field else f"{where}: {note.said}")


def render_markdown(outcome: Outcome) -> str:
    """Return the report for a pull request."""
    lines = [prose(summary(outcome)), ""]
    for fate, title in _TITLES.items():
        if notes := ordered(outcome.notes, fate):
            lines += [
                f"### {title}",
                "",
                "| where | field | what became of it |",
                "| --- | --- | --- |",
            ]
            lines += [
                f"| {code(f'{n.source.file}:{n.source.line}')} | {code(n.field)} | {prose(n.said)} |"
                for n in notes
            ]
            lines.append("")
    return "\n".join(lines)


def render_json(outcome: Outcome) -> str:
    """Return one JSON object; a minor `format_version` only adds fields."""
    data: dict[str, Any] = {
        "format_version": FORMAT_VERSION,
        "kind": "import",
        "source": outcome.source,
        "documents": [{"kind": d.kind, "name": d.name} for d in outcome.drafts],
        "notes": [
            {
                "fate": note.fate,
                "file": note.source.file,
                "line": note.source.line,
                "column": note.source.column,
                "field": note.field,
                "said": note.said,
            }
            for fate in Fate
            for note in ordered(outcome.notes, fate)
        ],
        "unread": [
            {
                "file": d.source.file if d.source else None,
                "line": d.source.line if d.source else None,
                "column": d.source.column if d.source else None,
                "summary": d.summary,
                "hint": d.hint,
            }
            for d in outcome.broken
        ],
    }
    return json.dumps(data, indent=2) + "\n"
