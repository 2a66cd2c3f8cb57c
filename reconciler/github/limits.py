"""What GitHub takes in one request, kept to before anything is sent.

Callers see to it that their texts fit. One that does not is refused here, never cut without a word;
titles and single remarks end in an ellipsis.
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

from reconciler.github.errors import ForgeError
from reconciler.github.pages import NewCheck
from reconciler.github.workflow import Annotation, Level, cut

LONGEST_BODY = 65_536
"""Characters of a comment or an issue."""
LARGEST_OUTPUT = 65_535
"""Bytes of a check run's summary, and of its text: GitHub's pages say characters, its answers bytes."""
LARGEST_MESSAGE = 60_000
"""Bytes of an annotation's message; GitHub takes 64 KB."""
MOST_ANNOTATIONS = 50
"""Annotations of one request."""
MOST_REMARKS = 1_000
"""Annotations of one check run: GitHub wants no more than 80 requests in a minute that write something."""
NOWHERE = ".github"
"""The path of a remark on no file, as runners write it; GitHub wants one."""
_LEVELS = {Level.ERROR: "failure", Level.WARNING: "warning", Level.NOTICE: "notice"}


def body(text: str) -> str:
    """Return the text of a comment or issue; raises `ForgeError` if it is too long."""
    if len(text) > LONGEST_BODY:
        raise _too_much(f"a text of {len(text):,} characters", LONGEST_BODY)
    return text


def output(check: NewCheck) -> Mapping[str, str]:
    """Return a check run's output without its annotations; raises `ForgeError` if it is too large."""
    texts = {"summary": check.summary, **({"text": check.text} if check.text else {})}
    for name, text in texts.items():
        if (size := len(text.encode())) > LARGEST_OUTPUT:
            raise _too_much(f"a check run's {name} of {size:,} bytes", LARGEST_OUTPUT)
    return {"title": cut(check.title), **texts}


def remarks(annotations: Sequence[Annotation]) -> Sequence[Annotation]:
    """Return as many annotations as a check run gets, the last of which counts the others."""
    if len(annotations) <= MOST_REMARKS:
        return annotations
    kept = annotations[: MOST_REMARKS - 1]
    text = "the job's log has them all"
    rest = Annotation(Level.NOTICE, f"{len(annotations) - len(kept):,} more", text)
    return (*kept, rest)


def batches(annotations: Sequence[Annotation]) -> Iterator[list[Mapping[str, Any]]]:
    """Yield what goes into one request each, at least once."""
    rest = map(_annotation, annotations)
    yield list(islice(rest, MOST_ANNOTATIONS))
    while batch := list(islice(rest, MOST_ANNOTATIONS)):
        yield batch


def _annotation(each: Annotation) -> Mapping[str, Any]:
    # https://docs.github.com/rest/checks/runs#update-a-check-run: columns only where both are
    line = max(1, each.line)
    columns = {"start_column": each.column, "end_column": each.column}
    return {
        "path": each.file or NOWHERE,
        "start_line": line,
        "end_line": line,
        **(columns if each.column else {}),
        "annotation_level": _LEVELS[each.level],
        "message": _cut(each.message) or each.title,
        "title": cut(each.title),
    }


def _cut(text: str) -> str:
    data = text.encode()
    if len(data) <= LARGEST_MESSAGE:
        return text
    return f"{data[:LARGEST_MESSAGE].decode(errors='ignore')}…"


def _too_much(what: str, limit: int) -> ForgeError:
    return ForgeError(f"{what} is more than the {limit:,} GitHub takes; nothing was sent")
