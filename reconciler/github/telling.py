"""Tells what became of an apply: outputs, the job's summary, remarks, a check run, merged pull requests."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial

from reconciler.diagnostics import Diagnostic, error, warning
from reconciler.github.annotations import annotated
from reconciler.github.checks import apply_check_name
from reconciler.github.comment import Status, post, standing, status_block, with_status
from reconciler.github.forge import Comment, Forge, NewCheck
from reconciler.github.job import Job
from reconciler.github.marker import Marker, MarkerKind
from reconciler.github.outcome import Deed, Fate, Outcome, counts
from reconciler.github.report import (
    CHECK_LIMIT,
    SUMMARY_LIMIT,
    report,
    status_lines,
    status_of,
    status_sentence,
)
from reconciler.github.reviews import Reviews
from reconciler.github.waiting import Waiting
from reconciler.planning import pending
from reconciler.render.escape import code


@dataclass(slots=True)
class Telling:
    """What is told of one run, and where: a check run on its commit, comments of its pull requests."""

    job: Job
    label: str
    waiting: Waiting
    found: Reviews = field(default_factory=Reviews)
    _comments: dict[int, Comment | None] = field(default_factory=dict)

    @property
    def run_url(self) -> str:
        """The page of this attempt, with its log and its summary."""
        return f"{self.job.run.url}/attempts/{self.job.run.attempt}"

    def begin(self) -> None:
        """Say on every pull request that its changes are being applied."""
        for number in self._numbers():
            self.job.attempt(_comment(number), partial(self._begin, number))

    def _begin(self, number: int, forge: Forge) -> None:
        found = self._comments[number] = self._standing(number, forge)
        if found:
            body = with_status(found.body, Status.APPLYING, f"in [this run]({self.run_url}).")
            self._comments[number] = forge.edit_comment(found.id, body)

    def record(self, outcome: Outcome) -> None:
        """Make the check run by which the next run knows how far this one came."""
        job = self.job
        if not (job.inputs.check and self.label):
            return
        check = NewCheck(
            name=apply_check_name(self.label),
            sha=job.run.sha,
            conclusion=_conclusion(outcome),
            title=outcome.sentence,
            summary=status_sentence(outcome, self.run_url),
            text=report(outcome, self.label, CHECK_LIMIT, self._remarks()),
            external_id=f"{outcome.digest}/{job.run.id}/{job.run.attempt}",
            details_url=self.run_url,
            annotations=annotated(remarks(outcome), job.folder),
        )
        job.attempt("the check run", lambda forge: forge.create_check(check))

    def conclude(self, outcome: Outcome) -> None:
        """Tell of the end where the runner and people look for it; what is quickest comes first."""
        put_out(self.job, outcome)
        text = report(outcome, self.label, SUMMARY_LIMIT, self._remarks())
        self.job.workflow.summary(text)
        if outcome.failure is None:
            self.job.workflow.annotate(annotated(remarks(outcome), self.job.folder))

    def answer(self, outcome: Outcome) -> None:
        """Say on every pull request what became of its plan."""
        for number in self._numbers():
            self.job.attempt(_comment(number), partial(self._answer, number, outcome))

    def _answer(self, number: int, outcome: Outcome, forge: Forge) -> None:
        """Change the status of the plan; where nobody could be shown one, tell only of what went wrong."""
        if number not in self._comments:  # it could not be read at the beginning
            self._comments[number] = self._standing(number, forge)
        status, lines = status_of(outcome), status_lines(outcome)
        sentence = status_sentence(outcome, self.run_url)
        if found := self._comments[number]:
            body = with_status(found.body, status, sentence, lines, closed=outcome.applied)
            forge.edit_comment(found.id, body)
        elif not outcome.applied:
            block = status_block(status, sentence, lines)
            post(forge, number, Marker(MarkerKind.PLAN, self.label), block)

    def leave_to(self, newer: str) -> None:
        """Say, where this run was told of, that a newer commit brought the changes along."""
        for number in filter(self._comments.get, self._comments):
            self.job.attempt(_comment(number), partial(self._leave, number, newer))

    def _leave(self, number: int, newer: str, forge: Forge) -> None:
        if found := self._standing(number, forge):
            sentence = f"with a newer commit, {code(newer[:12])}."
            body = with_status(found.body, Status.APPLIED, sentence, closed=True)
            forge.edit_comment(found.id, body)

    def _remarks(self) -> list[str]:
        return [self.waiting.remark] if self.waiting.remark else []

    def _numbers(self) -> Iterator[int]:
        return (each.pull.number for each in self.found.pulls if self.job.inputs.comment)

    def _standing(self, number: int, forge: Forge) -> Comment | None:
        return next(reversed(standing(forge, number, self.label)), None)


def _conclusion(outcome: Outcome) -> str:
    """Return how a run ended; no later one starts from where it was not known what there was to do."""
    if outcome.applied:
        return "neutral" if outcome.reviews and outcome.reviews.unread else "success"
    return "failure"


def _comment(number: int) -> str:
    return f"the comment on #{number}"


def put_out(job: Job, outcome: Outcome) -> None:
    """Set the step's outputs; the exit code, and the reason of a failure, are set where it ends."""
    planned = outcome.account.plan.changes if outcome.account.plan else ()
    steps = pending(planned)
    job.workflow.output("changes", len(steps))
    job.workflow.output("blocked", len(planned) - len(steps))
    job.workflow.output("counts", json.dumps(counts(planned)))
    job.workflow.output("applied", json.dumps(counts(outcome.done)))
    job.workflow.output("digest", outcome.digest)
    if outcome.failure is None and outcome.reason:
        job.workflow.output("failure-reason", outcome.reason)


def remarks(outcome: Outcome) -> list[Diagnostic]:
    """Return what went wrong, each at the line of the document that asked for it."""
    return [*outcome.diagnostics, *filter(None, map(_remark, outcome.deeds))]


def _remark(deed: Deed) -> Diagnostic | None:
    source, said = deed.change.source, f"{deed.change.action} {deed.change.address}"
    detail = f"{deed.change.address}: {deed.why}"  # a log shows a remark without its title
    match deed.fate:
        case Fate.FAILED:
            return error(f"{said} failed", source, detail=detail)
        case Fate.REFUSED:
            return error(f"{said} was refused", source, detail=detail)
        case Fate.BLOCKED:
            return warning(f"{deed.change.address} is blocked", source, detail=detail)
        case _:
            return None
