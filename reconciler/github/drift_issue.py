"""The one issue of a label that tells of drift: opened, kept up to date, closed once nothing differs.

It is found by its marker, its label on GitHub and its author, never by its title, which people may change.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from types import MappingProxyType

from reconciler.diagnostics import Diagnostic
from reconciler.drifting import Drift, Outcome
from reconciler.github.drift_memory import MOST, Memory, key
from reconciler.github.forge import Forge, Issue
from reconciler.github.marker import Marker, MarkerKind, unmarked
from reconciler.render.drift_markdown import Setting, render_drift_markdown
from reconciler.render.drift_remarks import (
    changed,
    not_checked,
    opened_again,
    settled,
    title,
)
from reconciler.render.escape import visible
from schemas.base import digest

LABEL = "certform-drift"
"""What such an issue is labelled with on GitHub."""
LARGEST = 60_000
"""Characters of an issue's text, the marker included; GitHub takes 65,536."""


class Move(StrEnum):
    """What becomes of the issue after a look."""

    NOTHING = "nothing"
    OPEN = "open"
    UPDATE = "update"
    TELL = "tell"
    REOPEN = "reopen"
    CLOSE = "close"


def move(found: Outcome, digest_: str, known: Memory, *, there: bool | None) -> Move:
    """Return what is to be done; `there` tells whether the issue is open, None where there is none.

    What could not be checked opens an issue, too, and closes none: silence would read as clean.
    """
    if found is Outcome.CLEAN:
        return Move.CLOSE if there else Move.NOTHING
    if there is None:
        return Move.OPEN
    if not there:
        return Move.REOPEN
    return Move.UPDATE if known.digest == digest_ else Move.TELL


_EMPTY: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Step:
    """What to say to GitHub: the remark first, since to say it twice is better than not at all."""

    remark: str = ""
    changes: Mapping[str, str] = field(default_factory=lambda: _EMPTY)


def step(issue: Issue, drift: Drift, setting: Setting) -> Step:
    """Return what is to be done with an issue that is there."""
    known = Memory.of(Marker.of(issue.body))
    what = move(drift.outcome, drift.digest, known, there=issue.open)
    if what is Move.NOTHING:
        return Step()
    changes = {"body": body(drift, known, setting), **_retitled(issue, drift, setting.label)}
    if what is Move.CLOSE:
        return Step(
            settled(_run(setting)), {**changes, "state": "closed", "state_reason": "completed"}
        )
    if what is Move.REOPEN:
        remark = opened_again(drift, _run(setting), by_us=known.outcome is Outcome.CLEAN)
        return Step(remark, {**changes, "state": "open", "state_reason": "reopened"})
    return Step(_news(drift, known, setting) if what is Move.TELL else "", changes)


def body(drift: Drift, known: Memory, setting: Setting) -> str:
    """Return the issue's whole text: the marker with what is to be remembered, and what is found now."""
    memory = known.after(drift)
    marker = memory.marker(setting.label)
    where = replace(setting, since=memory.seen(drift))
    return marker.over(render_drift_markdown(drift, where, LARGEST - len(marker.line) - 1))


def _retitled(issue: Issue, drift: Drift, label: str) -> Mapping[str, str]:
    """Return the title to be changed: only one of ours is, as long as nobody chose another."""
    ours = {title(visible(label), outcome) for outcome in Outcome}
    wanted = title(visible(label), drift.outcome)
    clean = drift.outcome is Outcome.CLEAN
    return {"title": wanted} if not clean and issue.title in ours - {wanted} else {}


def _news(drift: Drift, known: Memory, setting: Setting) -> str:
    now = {key(each) for each in drift.fingerprints}
    new = {each for each in drift.fingerprints if key(each) not in known.since}
    told = new if len(known.since) < MOST else set[str]()
    return changed(drift, told, len(known.since.keys() - now), _run(setting))


def _run(setting: Setting) -> str:
    return f"[this run]({setting.run_url})"


def find(forge: Forge, label: str) -> Issue | None:
    """Return the newest issue of a label that the token's own login made, open or closed.

    There is more than one where two looks at once have each opened theirs: then the older are closed.
    """
    login, wanted = forge.login(), Marker(MarkerKind.DRIFT, label)
    ours = [
        each
        for each in forge.issues(LABEL)
        if each.author == login and wanted.like(Marker.of(each.body))
    ]
    newest, *others = sorted(ours, key=lambda issue: issue.number, reverse=True) or (None,)
    for other in others:
        if newest is not None and other is not None and other.open:
            remark = f"#{newest.number} tells of it from now on."
            _take(forge, other, Step(remark, {"state": "closed", "state_reason": "not_planned"}))
    return newest


def keep(forge: Forge, drift: Drift, setting: Setting) -> str:
    """Let the issue say what was found; returns its page while it is open, else an empty text."""
    issue = find(forge, setting.label)
    if issue is None:
        if drift.outcome is Outcome.CLEAN:
            return ""
        text = body(drift, Memory(), setting)
        return forge.open_issue(title(visible(setting.label), drift.outcome), text, LABEL).url
    _take(forge, issue, step(issue, drift, setting))
    return "" if drift.outcome is Outcome.CLEAN else issue.url


def fail(forge: Forge, diagnostics: Sequence[Diagnostic], setting: Setting) -> str:
    """Say in an open issue that nobody could look, once for each reason; nothing is opened or closed."""
    issue = find(forge, setting.label)
    if issue is None or not issue.open:
        return ""
    known = Memory.of(Marker.of(issue.body))
    why = digest([each.summary for each in diagnostics])
    if why != known.failure:
        text = known.failed(why).marker(setting.label).over(unmarked(issue.body))
        _take(forge, issue, Step(not_checked(diagnostics, _run(setting)), {"body": text}))
    return issue.url


def _take(forge: Forge, issue: Issue, what: Step) -> None:
    if what.remark:
        forge.comment(issue.number, what.remark)
    if what.changes:
        forge.edit_issue(issue.number, what.changes)
