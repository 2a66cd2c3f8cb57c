"""Tells GitHub of a plan, or that there is none: check run, comment, summary, annotations, outputs.

The plan itself is what the job is for. Where GitHub does not take one of these, that is a notice.
"""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import quote

from reconciler.diagnostics import Diagnostic
from reconciler.github.annotations import annotated
from reconciler.github.checks import PlanCheck, plan_check_name, plan_checks
from reconciler.github.comment import (
    LARGEST,
    Posted,
    Status,
    before_merge,
    post,
    status_block,
)
from reconciler.github.errors import ForgeIncomplete
from reconciler.github.forge import Forge
from reconciler.github.job import Job
from reconciler.github.marker import Marker, MarkerKind
from reconciler.github.preview import Preview
from reconciler.github.proposal import Proposal
from reconciler.github.run import PullRequest
from reconciler.github.workflow import LARGEST_SUMMARY
from reconciler.planning import pending
from reconciler.render.diagnostics import tally
from reconciler.render.escape import code
from reconciler.render.failure import render_failure
from reconciler.render.markdown import Setting, render_markdown, title
from schemas.plan import Plan

SUMMARY_ROOM = LARGEST_SUMMARY - 1_000


@dataclass(frozen=True, slots=True)
class Stage:
    """Where a plan is told: the job, the label, and the pull request if there is one.

    `sha` is the commit its check run is on, empty for none.
    """

    job: Job
    label: str
    pull: PullRequest | None
    sha: str

    @classmethod
    def of(cls, job: Job, label: str, pull: PullRequest | None, found: Proposal | None) -> "Stage":
        """Return where to tell of what is known so far."""
        pull = found.pull if found else pull
        queued = job.run.sha if job.run.queued_on else ""
        return cls(job, label, pull, pull.head if pull else queued)

    @property
    def number(self) -> int:
        """The pull request's number; 0 where there is none."""
        return self.pull.number if self.pull else 0

    @property
    def recorded(self) -> bool:
        """Whether there is to be a check run: not of what comes from outside, whatever its token may do."""
        known = bool(self.sha and self.label)
        return known and self.job.inputs.check and not self.job.run.untrusted

    @property
    def blob_url(self) -> str:
        """The address that the Project's files are below."""
        run, folder = self.job.run, self.job.folder.as_posix()
        sha = self.pull.head if self.pull else run.sha
        below = "" if folder == "." else f"/{quote(folder)}"
        return f"{run.server_url}/{run.repository}/blob/{sha}{below}"

    def commit(self, sha: str) -> str:
        """Return a link to a commit."""
        run = self.job.run
        return (
            f'<a href="{run.server_url}/{run.repository}/commit/{quote(sha)}">{code(sha[:12])}</a>'
        )

    def setting(
        self, status: Status, sentence: str, closing: str, preview: Preview | None
    ) -> Setting:
        """Return what goes with a plan here; `sentence` and `closing` are Markdown."""
        return Setting(
            label=self.label,
            blob_url=self.blob_url,
            status=status_block(status, f"{sentence} · [run]({self.job.run.attempt_url})"),
            closing=before_merge(closing),
            elsewhere=f"in [the job summary]({self.job.run.attempt_url})",
            warnings=preview.warnings if preview else (),
            remarks=preview.remarks if preview else (),
        )


def publish(stage: Stage, found: Proposal, preview: Preview) -> None:
    """Tell of a plan wherever it is looked for."""
    job, plan = stage.job, preview.plan
    onto = f" onto {stage.commit(found.base)}" if found.base else ""
    sentence = f"for {stage.commit(found.shown_on)}{onto} · {plan.created_at:%Y-%m-%d %H:%M} UTC"
    remarks = annotated((*preview.warnings, *preview.blocked), job.folder)
    setting = stage.setting(Status.PLANNED, sentence, _merging(stage, plan), preview)
    text = render_markdown(plan, LARGEST, setting=setting)
    check = _check(
        stage,
        PlanCheck(
            label=stage.label,
            sha=stage.sha,
            conclusion="success",
            title=title(plan),
            summary=text,
            pull=stage.number,
            onto=stage.pull.onto if stage.pull else "",
            base=found.base or "",
            digest=plan.digest,
            fingerprints=[step.fingerprint for step in plan.changes],
            annotations=remarks,
            details_url=stage.job.run.attempt_url,
        ),
    )
    if stage.pull and not check:
        setting = stage.setting(Status.PLANNED, sentence, _unrecorded(stage, plan), preview)
        text = render_markdown(plan, LARGEST, setting=setting)
    fields = {"digest": plan.digest, "base": found.base or ""}
    _comment(stage, fields, Status.PLANNED, text)
    job.workflow.summary(render_markdown(plan, SUMMARY_ROOM, setting=setting))
    job.workflow.annotate(remarks)
    _outputs(job, plan)


def publish_failure(stage: Stage, diagnostics: Sequence[Diagnostic]) -> None:
    """Tell that there is no plan, so that an older one is not taken for it; annotates nothing itself."""
    of = f"for {stage.commit(stage.sha)}" if stage.sha else "for what was checked out"
    sentence = f"{of}: there is no plan, so that nothing of it counts as reviewed"
    setting = stage.setting(Status.FAILED, sentence, "", None)
    text = render_failure(diagnostics, setting, LARGEST)
    _check(
        stage,
        PlanCheck(
            label=stage.label,
            sha=stage.sha,
            conclusion="failure",
            title=f"no plan, {tally(diagnostics)}",
            summary=text,
            pull=stage.number,
            onto=stage.pull.onto if stage.pull else "",
            annotations=annotated(diagnostics, stage.job.folder),
            details_url=stage.job.run.attempt_url,
        ),
    )
    _comment(stage, {}, Status.FAILED, text)
    stage.job.workflow.summary(render_failure(diagnostics, setting, SUMMARY_ROOM))


def _check(stage: Stage, plan: PlanCheck) -> bool:
    """Make the check run of a plan, and return whether it is there."""
    if not stage.recorded:
        return False

    def made(forge: Forge) -> bool:
        try:
            for each in plan_checks(plan, stage.job.run):
                forge.create_check(each)
        except ForgeIncomplete as why:
            stage.job.workflow.notice(f"the check run: {why}")
        return True

    return bool(stage.job.attempt("the check run", made))


def _comment(stage: Stage, fields: dict[str, str], status: Status, body: str) -> None:
    job, pull = stage.job, stage.pull
    if pull is None or not job.inputs.comment:
        return
    run = f"{job.run.id}/{job.run.attempt}"
    told = {**fields, "head": pull.head, "run": run, "status": str(status)}
    marker = Marker(MarkerKind.PLAN, stage.label, told)

    def posted(forge: Forge) -> Posted:
        return post(forge, pull.number, marker, body)

    if found := job.attempt("the comment", posted):
        job.workflow.output("comment-url", found.comment.url)


def _merging(stage: Stage, plan: Plan) -> str:
    if stage.pull is None:
        return ""
    if not pending(plan.changes):
        return "**Merging** applies nothing but what time alone makes due."
    return (
        "**Merging** applies what is shown here, as the check run "
        f"{code(plan_check_name(stage.label))} records it, and what time alone makes due until then. "
        "Whatever else there would be to do is refused."
    )


def _unrecorded(stage: Stage, plan: Plan) -> str:
    """Say what merging means where no check run shows the plan to apply."""
    if not pending(plan.changes):
        return _merging(stage, plan)
    foreign = " Before the merge, a maintainer plans it (`workflow_dispatch`, `pull-request`)."
    return (
        "**This plan is not recorded** as a check run, so merging does not apply what is shown here, but "
        "only what time alone makes due." + (foreign if stage.job.run.untrusted else "")
    )


def _outputs(job: Job, plan: Plan) -> None:
    steps = pending(plan.changes)
    counts = Counter(str(step.action) for step in plan.changes)
    proposed = sum(step.proposed is not False for step in steps)
    job.workflow.output("changes", len(steps))
    job.workflow.output("proposed", proposed)
    job.workflow.output("blocked", len(plan.changes) - len(steps))
    job.workflow.output("counts", json.dumps(dict(sorted(counts.items()))))
    job.workflow.output("digest", plan.digest)
