"""An apply told in Markdown: for the job's summary, the check run and the comments of pull requests."""

from collections.abc import Iterator, Sequence

from reconciler.github.comment import Status
from reconciler.github.history import Stretch
from reconciler.github.outcome import Deed, Fate, Outcome
from reconciler.github.reviews import Reviewed, Reviews
from reconciler.render.alerts import alert, findings
from reconciler.render.escape import code, flowing, prose
from reconciler.render.fields import brief
from reconciler.render.room import Part, composed, size
from reconciler.render.summary import count
from reconciler.render.vocabulary import kind_of

CHECK_LIMIT = 60_000
"""Bytes of a check run's text; GitHub takes 65,535."""
SUMMARY_LIMIT = 900_000
"""Bytes of the job's summary; the runner takes 1 MiB."""
_HEADER = "| What | Change | Result | Why |\n|--|--|--|--|\n"
_LONGEST_FOLD = 1_400
"""Bytes of what failed, or was refused, in a comment; GitHub would take more, the status not."""
_LOUD = frozenset({Fate.FAILED, Fate.REFUSED})


def report(outcome: Outcome, label: str, limit: int, remarks: Sequence[str] = ()) -> str:
    """Return a whole run; `remarks` are Markdown that is safe, such as who was waited for."""
    title = f"### Certificates: {prose(outcome.sentence)} ({prose(label)})"
    return composed([title, *_boxes(outcome), *remarks, *_bodies(outcome)], limit)


def _boxes(outcome: Outcome) -> Iterator[Part]:
    if outcome.failure is not None:
        yield alert("CAUTION", "**The run was stopped.**", findings(outcome.diagnostics, ""))
    if refused := [deed for deed in outcome.deeds if deed.fate is Fate.REFUSED]:
        first = f"**{count(len(refused), 'change')} not reviewed, and not applied.**"
        yield alert("CAUTION", first, [_line(deed) for deed in refused])
    if failed := [deed for deed in outcome.deeds if deed.fate is Fate.FAILED]:
        first = f"**{count(len(failed), 'change')} failed.**"
        yield alert("CAUTION", first, [_line(deed) for deed in failed])


def _bodies(outcome: Outcome) -> Iterator[str | Part]:
    if outcome.hint:
        yield f"**What to do next:** {prose(outcome.hint)}"
    if outcome.deeds:
        yield Part(
            items=[_row(deed) for deed in outcome.deeds],
            rest=lambda left: f"\n\n**{left:,} more** without a row here; the log has them all.",
            opening=_HEADER,
        )
    if outcome.reviews is not None:
        yield "\n".join(f"- {line}" for line in reviewed(outcome.reviews))
    if said := _unseen(outcome):
        yield said
    settled = outcome.account.verdict.settled if outcome.account.verdict else 0
    if settled:
        yield f"{count(settled, 'reviewed change')} not needed any more: done already, or another now."


def _unseen(outcome: Outcome) -> str:
    """Return how much was made that was due and in no plan; empty where nothing was."""
    number = len(outcome.unseen)
    if not number:
        return ""
    was, it = ("was", "it") if number == 1 else ("were", "them")
    return f"{number:,} of these {was} in no reviewed plan: time alone made {it} due."


def _row(deed: Deed) -> str:
    kind = kind_of(deed.change).value
    said = f"**{deed.fate}**" if deed.fate in _LOUD else str(deed.fate)
    cells = (code(deed.change.address), f"{code(kind.sign)} {kind.legend}", said, _why(deed))
    return f"| {' | '.join(cells)} |"


def _why(deed: Deed) -> str:
    """Return why a change was not made, and of one that nobody saw what it would do."""
    said = [deed.why] if deed.why else []
    if deed.fate is Fate.REFUSED:
        said += map(brief, deed.change.fields)
    return prose(flowing("; ".join(said)))


def _line(deed: Deed) -> str:
    change = deed.change
    return f"{kind_of(change).value.legend} {code(change.address)}: {_why(deed)}"


def reviewed(reviews: Reviews) -> Iterator[str]:
    """Yield in lines of Markdown what was found to be reviewed."""
    if reviews.unread:
        yield f"What was reviewed could not be read ({prose(reviews.unread)}): nothing counts as reviewed."
    yield from map(_pull, reviews.pulls)
    if reviews.direct:
        yield f"{count(len(reviews.direct), 'commit')} came by no pull request, and had no review."
    if reviews.stretch:
        yield _end(reviews.stretch)


def _end(stretch: Stretch) -> str:
    if stretch.applied:
        return f"Applied last: {code(stretch.applied[:12])}."
    if stretch.beyond:
        number = len(stretch.commits)
        return f"None of {number:,} commits was applied; what is older was not looked at."
    return "No commit of this branch was applied before."


def _pull(each: Reviewed) -> str:
    head = code(each.pull.head[:12])
    if each.fingerprints is None:
        return (
            f"#{each.pull.number}, {head}: no plan of it can be read, so that it approves nothing."
        )
    return (
        f"#{each.pull.number}, {head}: its plan showed {count(len(each.fingerprints), 'change')}."
    )


def status_of(outcome: Outcome) -> Status:
    """Return what the comment of a merged pull request says of its plan."""
    if outcome.applied:
        return Status.APPLIED
    return Status.REFUSED if outcome.code == 3 else Status.FAILED


def status_sentence(outcome: Outcome, run_url: str) -> str:
    """Return how a run ended in a sentence or two, as Markdown."""
    first = f"in [this run]({run_url}): {prose(outcome.sentence)}. {_unseen(outcome)}".rstrip()
    if outcome.applied:
        return first
    why = "".join(f" {_capital(flowing(found.summary))}." for found in outcome.diagnostics[:1])
    return f"{first}{prose(why)} {prose(outcome.hint)}"


def _capital(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}"


def status_lines(outcome: Outcome) -> list[str]:
    """Return what failed and what was refused, folded, each in a line."""
    return [
        _fold(f"{count(len(those), 'change')} {fate}", [_line(deed) for deed in those])
        for fate in (Fate.REFUSED, Fate.FAILED)
        if (those := [deed for deed in outcome.deeds if deed.fate is fate])
    ]


def _fold(title: str, lines: Sequence[str]) -> str:
    items: list[str] = []
    room = _LONGEST_FOLD
    for line in lines:
        room -= size(line) + 9
        if room < 0:
            items.append(f"<li>and {len(lines) - len(items):,} more</li>")
            break
        items.append(f"<li>{line}</li>")
    return f"<details><summary>{title}</summary><ul>{''.join(items)}</ul></details>"
