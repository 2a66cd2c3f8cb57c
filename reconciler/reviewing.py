"""What of a plan may be applied: all of it, what a saved plan shows, or what pull requests showed."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

from reconciler.diagnostics import Diagnostic, error
from reconciler.diff.connections import is_connection
from reconciler.errors import Refused
from reconciler.selection import Selection
from schemas.plan import Action, Change, Plan, Reason

_TOLD = 50
"""How many lines of differences from what was reviewed are shown."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """One change that is not applied, and why: it was not reviewed, or it requires one that was not."""

    change: Change
    why: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """What of a plan may be applied; what is blocked counts as allowed, since it does nothing.

    `stuck` is what stands in the way of something that is wanted, and nobody knew that it would.
    `settled` counts what was reviewed and is not planned any more: done already, or in another way.
    """

    allowed: tuple[Change, ...]
    refused: tuple[Refusal, ...] = ()
    stuck: tuple[Change, ...] = ()
    settled: int = 0

    @property
    def diagnostics(self) -> tuple[Diagnostic, ...]:
        """The finding to show where something is refused."""
        if not self.refused:
            return ()
        number = len(self.refused)
        what = "1 change was" if number == 1 else f"{number:,} changes were"
        return (
            error(
                f"{what} not reviewed and will not be applied",
                detail="\n".join(shortened(tuple(_told(self.refused)))),
                hint=self.way_out,
            ),
        )

    @property
    def way_out(self) -> str:
        """What to do about what is refused.

        A plan is compared with the branch: who is to be spoken to there already, no new plan shows.
        """
        new = [each.change for each in self.refused if each.why == _UNREVIEWED]
        moving = [step for step in new if is_connection(step)]
        back = (
            "take the change of who is spoken to back from the branch and propose it in a pull request,"
            " or apply once without review (in a workflow: apply-mode any)"
        )
        if not moving:
            return _PROPOSE
        return back if len(moving) == len(new) else f"{back}; for the rest, {_PROPOSE}"


class Review(Protocol):
    """What was approved, before the plan that is applied was made."""

    @property
    def reviewed(self) -> bool:
        """Whether what is allowed was looked at by somebody, but for what time alone causes."""
        ...

    def selection(self, asked: Selection) -> Selection:
        """Return which part of the world is to be planned, where the command asked for one."""
        ...

    def judge(self, plan: Plan) -> Verdict:
        """Sort the changes of a plan made anew; raises `Refused` where it is all of them or none."""
        ...


class Unrestricted:
    """No review: somebody looks at the plan itself, or everything that is planned is wanted."""

    reviewed = False

    def selection(self, asked: Selection) -> Selection:
        """Return what was asked for."""
        return asked

    def judge(self, plan: Plan) -> Verdict:
        """Allow everything."""
        return Verdict(plan.changes, stuck=obstacles(plan))


@dataclass(frozen=True, slots=True)
class SavedPlan:
    """A plan that was saved and approved as a whole: it is applied as it is, or not at all."""

    saved: Plan
    reviewed: ClassVar[bool] = True

    def selection(self, asked: Selection) -> Selection:  # noqa: ARG002 - the plan was made for one
        """Return what the saved plan was made for."""
        words = [word for word in self.saved.selection if word != "due"]
        addresses = tuple(word for word in words if "=" not in word)
        labels = dict(word.split("=", 1) for word in words if "=" in word)
        return Selection(addresses, labels or None, due_only="due" in self.saved.selection)

    def judge(self, plan: Plan) -> Verdict:
        """Allow everything; raises `Refused` with what the saved plan does not show."""
        saved = self.saved
        # a repository's first plan was made before there was a ledger to trust
        if saved.project != plan.project or saved.lineage not in ("", plan.lineage):
            raise Refused("this plan was made for another repository")
        reviewed = compare(saved, plan)
        if reviewed.unreviewed:
            raise Refused(
                "nothing was applied: something was to be done that the plan does not show",
                detail="\n".join(shortened(list(differences(saved, reviewed)))),
                hint="plan again with --out, review that plan, and apply it",
            )
        return Verdict(plan.changes, stuck=obstacles(plan), settled=len(reviewed.settled))


@dataclass(frozen=True, slots=True)
class Fingerprints:
    """The changes that plans of merged pull requests showed; each is allowed for itself.

    `due` tells that what time alone causes needs no review. What was shown as blocked and still is
    holds nobody up, unless something else that was shown is not planned: it may be behind that.
    """

    shown: frozenset[str]
    due: bool = True
    reviewed: ClassVar[bool] = True

    def selection(self, asked: Selection) -> Selection:
        """Return what was asked for."""
        return asked

    def judge(self, plan: Plan) -> Verdict:
        """Refuse what was not shown as it is now, and everything that requires it."""
        why = {step.id: _UNREVIEWED for step in plan.changes if not self._covers(step)}
        while more := {
            step.id: f"requires {lost.replace(':', ' ', 1)}"
            for step in plan.changes
            if step.id not in why and (lost := self._lost(step, why))
        }:
            why |= more
        settled = self.shown - {step.fingerprint for step in plan.changes}
        return Verdict(
            allowed=tuple(step for step in plan.changes if step.id not in why),
            refused=tuple(Refusal(s, why[s.id]) for s in plan.changes if s.id in why),
            stuck=tuple(s for s in obstacles(plan) if settled or s.fingerprint not in self.shown),
            settled=len(settled),
        )

    def _covers(self, step: Change) -> bool:
        """Whether a change needs no more review.

        A CRL has to tell of exactly what is revoked: it needs none of its own.
        """
        return step.action is Action.BLOCKED or self._stands(step) or bool(_told_of(step))

    def _stands(self, step: Change) -> bool:
        return step.fingerprint in self.shown or (self.due and step.due)

    def _lost(self, step: Change, refused: Mapping[str, str]) -> str:
        """Name what a change requires and is refused; a CRL is published for what else it tells of."""
        told = _told_of(step)
        others = (id_ for id_ in step.requires if id_ not in told)
        if lost := next((id_ for id_ in others if id_ in refused), ""):
            return lost
        alone = told and all(id_ in refused for id_ in told)
        return told[0] if alone and not step.due else ""


_UNREVIEWED = "not reviewed"
_PROPOSE = "open a pull request, so that its plan shows this, and merge that"


def obstacles(plan: Plan) -> tuple[Change, ...]:
    """Return what is blocked, but for what passes by itself, or was asked for in time."""
    return tuple(
        step for step in plan.changes if step.action is Action.BLOCKED and not is_under_way(step)
    )


def is_under_way(step: Change) -> bool:
    """Whether what is blocked only takes time, or is asked of somebody while there is enough of it."""
    return step.due or step.reason is Reason.PENDING


def _told_of(step: Change) -> tuple[str, ...]:
    """Return the revocations that a CRL is to tell of."""
    if step.action is not Action.PUBLISH:
        return ()
    return tuple(id_ for id_ in step.requires if id_.startswith(f"{Action.REVOKE}:"))


def _told(refused: Sequence[Refusal]) -> Iterator[str]:
    """Yield refused changes in lines, each with the values it would change."""
    for each in refused:
        step = each.change
        yield f"{step.action} {step.address}: {each.why} ({step.message})"
        for field in step.fields if each.why is _UNREVIEWED else ():
            yield f"    {field.path} is {_json(field.before)}"
            yield f"    {' ' * len(field.path)} and would be {_json(field.after)}"


def shortened(lines: Sequence[str]) -> Sequence[str]:
    """Return lines, and in place of too many the number of those that are left out."""
    rest = len(lines) - _TOLD
    return [*lines[:_TOLD], f"and {rest:,} lines more"] if rest > 0 else lines


@dataclass(frozen=True, slots=True)
class Reviewed:
    """A saved plan against the world now.

    `allowed` is what was reviewed or comes with time; `unreviewed` is what is not; `settled` is
    what was reviewed and is no longer needed.
    """

    allowed: tuple[Change, ...]
    unreviewed: tuple[Change, ...]
    settled: tuple[Change, ...]


def compare(saved: Plan, fresh: Plan) -> Reviewed:
    """Sort the changes of a fresh plan by whether the saved one shows them, as they are."""
    known = {step.fingerprint: step for step in saved.changes}
    now = {step.fingerprint for step in fresh.changes}
    allowed: list[Change] = []
    unreviewed: list[Change] = []
    for step in fresh.changes:
        had = known.get(step.fingerprint)
        seen = had is not None and _shown(had) == _shown(step) and _is_within(step, had)
        fine = step.action is Action.BLOCKED or step.due or seen or bool(_told_of(step))
        (allowed if fine else unreviewed).append(step)
    settled = tuple(
        step
        for step in saved.changes
        if step.fingerprint not in now and step.action is not Action.BLOCKED
    )
    return Reviewed(tuple(allowed), tuple(unreviewed), settled)


def _shown(step: Change) -> tuple[object, ...]:
    """What a reviewer goes by; a file that somebody edited may show it beside another's fingerprint."""
    before, after = _sides(step)
    return step.id, before, {k: v for k, v in after.items() if k not in _DWINDLING}, step.fields


_DWINDLING = ("outage", "serials")
"""What a revocation takes down, and of what: fewer than were reviewed are no other revocation, more are."""


def _is_within(step: Change, had: Change) -> bool:
    before, now = had.after or {}, step.after or {}
    return all(set(now.get(key, ())) <= set(before.get(key, ())) for key in _DWINDLING)


def _sides(step: Change) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the values before and after; what an issue or an install replaces comes with time."""
    lasting = step.action not in (Action.ISSUE, Action.INSTALL)
    return (step.before or {}) if lasting else {}, step.after or {}


def differences(saved: Plan, reviewed: Reviewed) -> Iterator[str]:
    """Yield in lines the changes that were not reviewed and what of each is new.

    An install that only follows an issue among them is left out.
    """
    before: dict[str, Change] = {step.id: step for step in saved.changes}
    shown: dict[str, str] = {step.fingerprint: step.id for step in saved.changes}
    unreviewed = {step.id for step in reviewed.unreviewed}
    for step in reviewed.unreviewed:
        if step.action is Action.INSTALL and not unreviewed.isdisjoint(step.requires):
            continue
        had = before.get(step.id)
        how = "not as it was in the plan" if had else f"not in the plan ({step.message})"
        if not had and (other := shown.get(step.fingerprint)):
            how = f"shown in the plan as {other.replace(':', ' ', 1)}"
        yield f"{step.action} {step.address}: {how}"
        yield from _what_differs(had, step) if had else ()


def _what_differs(had: Change, step: Change) -> Iterator[str]:
    """Yield the values that a change has now and had not when it was reviewed."""
    told = set[str]()
    for old, new in zip(
        (*_sides(had), *_fields(had)), (*_sides(step), *_fields(step)), strict=True
    ):
        for path in dict.fromkeys((*old, *new)):
            if old.get(path) != new.get(path) and path not in told:
                told.add(path)
                yield f"    {path} was {_json(old.get(path))}"
                yield f"    {' ' * len(path)}  is {_json(new.get(path))}"


def _fields(step: Change) -> tuple[dict[str, Any], dict[str, Any]]:
    before = {field.path: field.before for field in step.fields}
    return before, {field.path: field.after for field in step.fields}


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)
