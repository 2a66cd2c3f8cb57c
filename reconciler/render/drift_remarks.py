"""What is remarked on drift when it changes, as Markdown for comments."""

from collections.abc import Collection, Sequence

from reconciler.diagnostics import Diagnostic
from reconciler.drifting import Difference, Drift, Outcome, Unchecked
from reconciler.render.drift import counts
from reconciler.render.drift_markdown import fitting
from reconciler.render.escape import code, flowing, prose

_ROOM = 20_000
"""Characters for lists; GitHub takes 65,536 for all."""


def opened_again(drift: Drift, run: str, *, by_us: bool) -> str:
    """Return why an issue is open again; `by_us` tells that it was closed since nothing differed."""
    if by_us:
        return f"**Again: {counts(drift)}**, as found by {run}."
    return f"**Still: {counts(drift)}**, as found by {run}. This issue closes by itself once nothing differs."


def changed(drift: Drift, new: Collection[str], gone: int, run: str) -> str:
    """Return what is new, by fingerprint, and how much is gone; what could not be looked at may hide it."""
    parts = [f"**Now {counts(drift)}**, as found by {run}."]
    lines = [_line(each) for each in drift.findings if each.fingerprint in new]
    kept, left = fitting(lines, _ROOM)
    if lines:
        more = [f"- and {left:,} more"] if left else []
        parts.append("\n".join(("New:", "", *kept, *more)))
    if gone and not drift.unchecked:
        parts.append(f"{gone:,} of what was told before {'is' if gone == 1 else 'are'} gone.")
    return "\n\n".join(parts)


def settled(run: str) -> str:
    """Return that nothing differs any more."""
    return f"**Nothing differs any more**, as found by {run}."


def not_checked(diagnostics: Sequence[Diagnostic], run: str) -> str:
    """Return that nobody knows: the look itself failed."""
    first = f"**Could not check**: {run} failed. What is above is what was found before."
    lines = [f"- {_told(each)}" for each in diagnostics]
    kept, left = fitting(lines, _ROOM)
    return "\n".join((first, "", *kept, *([f"- and {left:,} more"] if left else [])))


def title(label: str, outcome: Outcome) -> str:
    """Return what an issue is called as long as nobody calls it otherwise."""
    said = "could not be checked" if outcome is Outcome.UNCHECKED else "drift"
    return f"Certificates: {said} ({label[:100]})"


def _line(each: Difference | Unchecked) -> str:
    if isinstance(each, Unchecked):
        return f"- {code(each.name)} could not be checked: {prose(flowing(each.detail))}"
    where = f" in {code(each.target)}" if each.target else ""
    return f"- {code(each.reason)} {code(each.subject)}{where}: {prose(flowing(each.found))}"


def _told(each: Diagnostic) -> str:
    where = f" ({code(str(each.source))})" if each.source else ""
    hint = f" ({prose(flowing(each.hint))})" if each.hint else ""
    return f"{prose(flowing(each.summary))}{where}{hint}"
