"""A plan as GitHub-flavoured Markdown: a comment, a job summary, or `plan --format markdown`."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from reconciler.diagnostics import Diagnostic
from reconciler.render.alerts import alerts
from reconciler.render.blocks import Block, blocks, subject_of
from reconciler.render.diff import diff
from reconciler.render.escape import code, prose, visible
from reconciler.render.impact_plan import in_markdown
from reconciler.render.moves import moves_in_markdown
from reconciler.render.room import Part, composed
from reconciler.render.spending import spending
from reconciler.render.summary import (
    count,
    counted,
    documents_of,
    matching,
    next_expiry,
    what_if,
)
from reconciler.render.table import row, rows
from reconciler.render.text import costs
from reconciler.render.vocabulary import Kind, by_risk
from schemas.plan import Action, Change, Plan

_VISIBLE = 40
"""Rows of a table that are seen at once; the others are folded away below it."""
_ROOMY = 30_000
"""The smallest limit, in bytes, at which that many rows usually fit."""


@dataclass(frozen=True, slots=True)
class Setting:
    """What a plan is shown with. `label` is the Project's name where there is none.

    `blob_url`, such as `https://github.com/o/r/blob/SHA`, makes sources links. `status`, `closing` and
    `elsewhere` are Markdown that is safe: what stands below the heading, what at the end, and where
    all that does not fit can be found (`in [the job summary](...)`). `remarks` are texts.
    """

    label: str = ""
    blob_url: str = ""
    status: str = ""
    closing: str = ""
    elsewhere: str = ""
    warnings: Sequence[Diagnostic] = ()
    remarks: Sequence[str] = ()

    @property
    def rest(self) -> str:
        """The end of a sentence about what was left out."""
        return f"; all of it is {self.elsewhere}" if self.elsewhere else ""


@dataclass(frozen=True, slots=True)
class Causes:
    """A plan's blocks by what causes them, the gravest first; what is blocked is always among the first.

    `waiting` is what the base asks for as well and nobody applied: whoever merges this approves it.
    """

    proposed: Sequence[Block]
    waiting: Sequence[Block]
    outside: Sequence[Block]
    due: Sequence[Block]

    @classmethod
    def of(cls, plan: Plan) -> "Causes":
        """Return a plan's blocks; without a base nothing is known to be due anyway."""
        sorts: dict[str, list[Change]] = {
            each: [] for each in ("proposed", "waiting", "outside", "due")
        }
        for change in plan.changes:
            sorts[_cause(change)].append(change)
        return cls(**{sort: _by_risk(changes) for sort, changes in sorts.items()})


def _cause(change: Change) -> str:
    if change.proposed or change.action is Action.BLOCKED:
        return "proposed"
    if change.outside:
        return "outside"
    if change.proposed is None:
        return "proposed"
    return "due" if change.due else "waiting"


def _by_risk(changes: Sequence[Change]) -> list[Block]:
    """Sort blocks, the gravest first; files that only tell of the others come last."""
    return sorted(
        blocks(changes), key=lambda block: (block.kind is Kind.PUBLISH, by_risk(block.kind))
    )


def render_markdown(
    plan: Plan, limit: int | None = None, *, blob_url: str = "", setting: Setting | None = None
) -> str:
    """Return a plan of at most `limit` bytes; rows and blocks are left out whole, and counted.

    A limit below some 8,000 bytes may not be kept: the heading and what it says of what was left out
    are always whole.
    """
    shown = setting or Setting(blob_url=blob_url)
    fold = limit is None or limit >= _ROOMY
    return (
        composed(list(_pieces(plan, shown, fold=fold)), None if limit is None else limit - 1) + "\n"
    )


def _pieces(plan: Plan, setting: Setting, *, fold: bool) -> Iterator[str | Part]:
    causes = Causes.of(plan)
    yield f"### Certificates: {title(plan)} ({prose(setting.label or plan.project)})"
    yield setting.status
    yield from _circumstances(plan)
    yield from alerts(plan, setting.blob_url, setting.warnings)
    yield from _table(causes.proposed, setting, _VISIBLE if fold else len(plan.changes))
    against = plan.base is not None
    waiting = (
        "Not of this pull request: the branch asks for it already, and merging this applies it"
    )
    yield _folded(waiting, causes.waiting, setting, shut=False)
    yield _folded("Changed outside certform, and put right", causes.outside, setting, shut=against)
    yield _folded("Due anyway, whatever becomes of this", causes.due, setting, shut=True)
    yield from moves_in_markdown(plan)
    yield from in_markdown(plan)
    yield _diff(causes, plan, setting)
    yield from _foot(plan, setting)


def title(plan: Plan) -> str:
    """Return how many changes there are, those that are proposed first."""
    if not plan.changes:
        return "no changes"
    if plan.base is None:
        return counted(plan.changes)
    by_cause: dict[str, list[Change]] = {}
    for change in plan.changes:
        by_cause.setdefault(_cause(change), []).append(change)
    proposed = by_cause.get("proposed")
    parts = [counted(proposed) if proposed else "no changes of its own"]
    parts += [f"{len(found):,} not applied yet" for found in [by_cause.get("waiting")] if found]
    parts += [f"{len(found):,} changed outside" for found in [by_cause.get("outside")] if found]
    parts += [f"{len(found):,} due anyway" for found in [by_cause.get("due")] if found]
    return "; ".join(parts)


def _circumstances(plan: Plan) -> Iterator[str]:
    if ahead := what_if(plan):
        yield f"> [!NOTE]\n> {prose(ahead)}"
    if plan.selection:
        named = [code(word) for word in plan.selection[:_VISIBLE]]
        more = len(plan.selection) - len(named)
        yield f"Only: {', '.join(named)}" + (f" and {more:,} more" if more else "")


def _table(told: Sequence[Block], setting: Setting, seen: int) -> Iterator[Part]:
    lines = [row(block, setting.blob_url) for block in told]
    first, others = lines[:seen], lines[seen:]
    yield rows(first, setting.rest, 0.6)
    folded = f"<details><summary>{len(others):,} more of them</summary>\n\n"
    yield rows(others, setting.rest, 0.5, folded, "\n\n</details>")


def _folded(heading: str, told: Sequence[Block], setting: Setting, *, shut: bool) -> Part:
    lines = [row(block, setting.blob_url) for block in told]
    opening = "<details>" if shut else "<details open>"
    number = counted([change for block in told for change in block.changes])
    summary = f"<summary>{heading}: {number}</summary>\n\n"
    return rows(lines, setting.rest, 0.4, f"{opening}{summary}", "\n\n</details>")


def _diff(causes: Causes, plan: Plan, setting: Setting) -> Part:
    titled = bool(causes.waiting or causes.outside or causes.due)
    groups = (
        ("what is proposed" if titled else "", causes.proposed),
        ("not of this pull request, and not applied yet", causes.waiting),
        ("changed outside certform", causes.outside),
        ("due anyway", causes.due),
    )
    return diff(groups, plan, setting.rest)


def _foot(plan: Plan, setting: Setting) -> Iterator[str]:
    yield " ".join(_facts(plan))
    yield " ".join(prose(remark) for remark in setting.remarks)
    yield f"<sub>{_versions(plan, setting)}</sub>"
    yield setting.closing


def _facts(plan: Plan) -> Iterator[str]:
    if not plan.changes:
        yield matching(plan)
    elif not plan.selection:
        yield f"{_unchanged(plan)} of {count(plan.certificates, 'certificate')} stay as they are."
    if plan.changes and (absent := [t for t in plan.targets if t.status == "not-here"]):
        yield f"Not on this host: {', '.join(code(t.name) for t in absent[:_VISIBLE])}."
    for target in plan.targets:
        if said := list(costs(target.budget)) if target.budget else []:
            yield f"{code(target.name)}: {'; '.join(said)}."
    for issuer in plan.issuers:
        if issuer.orders and issuer.quotas:
            yield f"{code(issuer.name)}: {prose('; '.join(spending(issuer)))}."
    if expiry := next_expiry(plan):
        yield f"Next expiry: {prose(expiry)}."


def _unchanged(plan: Plan) -> str:
    gone = (Action.REMOVE, Action.FORGET, Action.REVOKE)
    touched = {subject_of(c.address) for c in plan.changes if c.action not in gone}
    touched = {address for address in touched if address.startswith("certificate/")}
    return f"{max(0, plan.certificates - len(touched)):,}"


def _versions(plan: Plan, setting: Setting) -> str:
    onto = f" onto {code(visible(plan.base)[:12])}" if plan.base else ""
    # a status tells the moment itself; without it the same plan is the same text
    moment = "" if setting.status else f"{plan.created_at:%Y-%m-%d %H:%M} UTC, "
    which = f"Plan {code(plan.digest)} of " if plan.changes else ""
    version = f"certform {prose(plan.certform_version)}"
    return f"{which}{code(documents_of(plan))}{onto}, {moment}{version}"
