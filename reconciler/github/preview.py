"""The plan of a proposal: what it would do, what to mind about it, and what was passed over."""

from collections.abc import Iterator
from dataclasses import dataclass

from reconciler.cli.advice import planned
from reconciler.cli.failures import show, tell_skipped
from reconciler.cli.survey import survey
from reconciler.diagnostics import Diagnostic, in_order, warning
from reconciler.diff import World, plan_warnings
from reconciler.forewarning import foretold
from reconciler.github.inputs import Offline
from reconciler.github.job import Job
from reconciler.github.proposal import Proposal
from reconciler.guard import forewarned
from reconciler.lint import Linter
from reconciler.offline import Unseen, remarks
from reconciler.planning import make_plan, pending
from reconciler.render.escape import visible
from reconciler.render.summary import skipped
from reconciler.render.text import render_text
from reconciler.repository import Base, Examination, examine, read_base
from reconciler.resolve.origins import Origins
from schemas.plan import Action, Plan

FOREIGN = "a fork's pull request, or a bot's, is planned without asking any target"
ASKED_NOT_TO = "the input `offline` says so"
_LONGEST = 63
"""Characters of a Project's name, which is not yet known to be one."""


@dataclass(frozen=True, slots=True)
class Reading:
    """The documents of a proposal, and those it is compared with."""

    examination: Examination
    base: Base | None

    @property
    def project(self) -> str:
        """What the Project is called; where the documents are not valid, what it is called by the base.

        Where there is none either, the beginning of what it says; empty where nobody can tell.
        """
        valid = (self.examination.desired, self.base.desired if self.base else None)
        if known := next((each.project for each in valid if each and each.project), ""):
            return known
        names = (each.name for each in self.examination.documents if each.kind == "Project")
        return visible(next(filter(None, names), ""))[:_LONGEST]


@dataclass(frozen=True, slots=True)
class Preview:
    """A plan with the warnings and remarks that belong to it."""

    plan: Plan
    warnings: tuple[Diagnostic, ...]
    remarks: tuple[str, ...]

    @property
    def blocked(self) -> tuple[Diagnostic, ...]:
        """What is blocked, as a warning at the line that asked for it."""
        return tuple(
            warning(f"{step.address} is blocked", step.source, detail=step.message)
            for step in self.plan.changes
            if step.action is Action.BLOCKED
        )


def read(job: Job, found: Proposal) -> Reading:
    """Return the documents of a proposal, valid or not; no file of the working tree is opened."""
    base = read_base(job.console.root, found.base) if found.base else None
    return Reading(examine(job.console.root, found.revision, base), base)


def preview(job: Job, reading: Reading) -> Preview:
    """Plan; raises `InvalidInput` with every finding, and whatever keeps a plan from being made."""
    offline = _offline(job)
    world = survey(job.console, reading.examination, base=reading.base, offline=offline).world
    world = world if offline else planned(job.console, world)
    documents, texts = reading.examination.documents, dict(reading.examination.sources)
    linter = Linter(lambda: Origins(documents, texts))
    plan = make_plan(world, lint=linter)
    told = (*_warned(reading, world, plan), *linter.remarks)
    passed_over = reading.examination.skipped
    return Preview(
        plan,
        in_order((*told, *(remarks(world) if offline else ()))),
        (skipped(passed_over),) if passed_over else (),
    )


def log(job: Job, reading: Reading, found: Preview) -> None:
    """Write the plan into the job's log, folded; what is in it is no command to the runner."""
    with job.workflow.group("The plan"):
        show(found.warnings, job.console, reading.examination.sources)
        tell_skipped(reading.examination.skipped, job.console)
        job.console.write(render_text(found.plan, colour=job.console.colour_out))


def _offline(job: Job) -> Unseen | None:
    if job.inputs.offline is Offline.YES:
        return Unseen(ASKED_NOT_TO)
    foreign = job.run.untrusted and job.inputs.offline is Offline.AUTO
    return Unseen(FOREIGN) if foreign else None


def _warned(reading: Reading, world: World, plan: Plan) -> Iterator[Diagnostic]:
    """Yield what a reviewer has to mind: already now what apply will refuse."""
    yield from reading.base.remarks if reading.base else ()
    yield from reading.examination.diagnostics
    yield from foretold(world.desired, world.now)
    yield from plan_warnings(world, plan.changes)
    yield from forewarned(pending(plan.changes), world.desired.guard, world.ledger, world.now)
