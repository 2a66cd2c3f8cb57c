"""The comment of a plan: one for each label of a pull request, and what has become of the plan."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from reconciler.github.forge import Comment, Forge
from reconciler.github.marker import Marker, MarkerKind, unmarked

LARGEST = 59_000
"""Bytes of a comment without its marker; GitHub takes 65,536 characters, and the status may grow."""
_LONGEST_STATUS = 4_000
_OPEN, _SHUT = "<!-- certform:status -->", "<!-- certform:end of status -->"
_BEFORE_MERGE = "<!-- certform:before the merge -->"
CLOSED = "closed"
"""The field of a marker that says that a comment is history: a later plan makes one of its own."""


class Status(StrEnum):
    """What became of a plan."""

    PLANNED = "planned"
    APPLYING = "applying"
    APPLIED = "applied"
    REFUSED = "refused"
    FAILED = "failed"
    REPLACED = "replaced"


_LOUD = {Status.REFUSED: "CAUTION", Status.FAILED: "CAUTION"}


def status_block(status: Status, sentence: str, lines: Sequence[str] = ()) -> str:
    """Return what became of a plan as Markdown; `sentence` and `lines` are Markdown that is safe.

    Lines that do not fit are left out whole, and counted.
    """
    told = _fitting(lines, _LONGEST_STATUS - len(sentence.encode()))
    rest = len(lines) - len(told)
    shown = [f"- {line}" for line in told] + ([f"- and {rest:,} more"] if rest else [])
    text = [f"**{status.capitalize()}** {sentence}", *shown]
    if status in _LOUD:
        text = [f"> {line}" for line in (f"[!{_LOUD[status]}]", *text)]
    return "\n".join((_OPEN, *text, "", _SHUT))


def before_merge(text: str) -> str:
    """Return the end of a comment that is true until the merge; another status takes it away."""
    return f"{_BEFORE_MERGE}\n\n{text}" if text else ""


def with_status(
    body: str, status: Status, sentence: str, lines: Sequence[str] = (), *, closed: bool = False
) -> str:
    """Return a plan's comment with another status, the rest of it as it was.

    `closed` makes it history: whatever is planned later has a comment of its own.
    """
    marker, text = Marker.of(body), unmarked(body)
    if status is not Status.PLANNED:
        text = _since_merge(text)
    block = status_block(status, sentence, lines)
    before, mark, after = text.partition(_OPEN)
    text = f"{before}{block}{after.partition(_SHUT)[2]}" if mark else f"{block}\n\n{text}"
    if marker is None:
        return text
    told = marker.noting(status=str(status), **({CLOSED: True} if closed else {}))
    return told.over(text)


def _since_merge(text: str) -> str:
    head, mark, tail = text.rpartition(_BEFORE_MERGE)
    # somebody's name may look like the mark; in the full plan it is followed by the end of that
    return f"{head.rstrip()}\n" if mark and "</details>" not in tail else text


def without_status(text: str) -> str:
    """Return a comment without marker and status: what it says of the plan itself."""
    before, mark, after = unmarked(text).partition(_OPEN)
    return f"{before}{after.partition(_SHUT)[2]}" if mark else before


def _fitting(lines: Sequence[str], room: int) -> list[str]:
    told: list[str] = []
    for line in lines:
        room -= len(line.encode()) + 5
        if room < 0:
            break
        told.append(line)
    return told


@dataclass(frozen=True, slots=True)
class Posted:
    """A comment, and whether GitHub was told anything by posting it."""

    comment: Comment
    written: bool


def standing(forge: Forge, number: int, label: str) -> tuple[Comment, ...]:
    """Return the comments of a label's plan that are not history, oldest first; usually one, or none.

    One without a label is of a plan that failed before anybody could tell its label. Who else writes a
    marker into a comment is not believed. Raises `ForgeError`.
    """
    wanted, mine = Marker(MarkerKind.PLAN, label), forge.login()
    return tuple(_open(forge.comments(number), wanted, mine))


def _open(comments: Iterable[Comment], wanted: Marker, mine: str) -> Iterable[Comment]:
    for comment in comments:
        marker = Marker.of(comment.body) if comment.author == mine else None
        if marker is None or marker.fields.get(CLOSED):
            continue
        if marker.kind is wanted.kind and marker.label in (wanted.label, ""):
            yield comment


def post(forge: Forge, number: int, marker: Marker, body: str) -> Posted:
    """Make a plan's comment, or bring the one that stands up to date; raises `ForgeError`.

    One that says the same already is left alone, and so is one in which a later run tells of another
    commit. Where two runs made one each, the newer stays.
    """
    *others, newest = standing(forge, number, marker.label) or (None,)
    for other in filter(None, others):
        said = with_status(other.body, Status.REPLACED, "by the comment below.", closed=True)
        forge.edit_comment(other.id, said)
    text = marker.over(body)
    if newest is None:
        return Posted(forge.comment(number, text), written=True)
    if _says_the_same(newest.body, text) or _is_later(Marker.of(newest.body), marker):
        return Posted(newest, written=False)
    return Posted(forge.edit_comment(newest.id, text), written=True)


def _says_the_same(old: str, new: str) -> bool:
    """Whether two comments differ in nothing but the run that wrote them."""
    return _essence(old) == _essence(new)


def _is_later(there: Marker | None, ours: Marker) -> bool:
    """Whether a comment is of a later run and another commit: a slow run brings no old plan back."""
    if there is None or there.fields.get("head") == ours.fields.get("head"):
        return False
    return 0 < _run(ours) < _run(there)


def _run(marker: Marker) -> int:
    number = str(marker.fields.get("run", "")).partition("/")[0]
    return int(number) if number.isascii() and number.isdigit() else 0


def _essence(body: str) -> tuple[object, str]:
    marker = Marker.of(body)
    fields = {k: v for k, v in marker.fields.items() if k != "run"} if marker else None
    lines = without_status(body).splitlines()
    return fields, "\n".join(line.rstrip() for line in lines).strip()
