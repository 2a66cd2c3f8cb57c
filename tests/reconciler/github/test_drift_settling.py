"""An apply that left nothing to do closes the issue; one that did, or saw only a part, leaves it alone."""

import io
from collections.abc import Iterator
from pathlib import Path

import pytest
from drifts import drifted, outside, planned
from github_emulator import GitHub
from github_rig import forge_at, run_of

from providers.secret import Secret
from reconciler.cli.app import Console
from reconciler.cli.console import ColourOption
from reconciler.github.drift_issue import keep
from reconciler.github.drift_report import settle
from reconciler.github.inputs import Command, Inputs
from reconciler.github.job import Job
from reconciler.github.workflow import Workflow
from reconciler.render.drift_markdown import Setting
from schemas.plan import Action, Change, Plan, Reason, TargetReport

STEP = Change(address="certificate/a", action=Action.ISSUE, reason=Reason.REQUESTED, message="")


@pytest.fixture
def github(tmp_path: Path) -> Iterator[GitHub]:
    with GitHub.running(tmp_path) as github:
        github.commit({"certform.yaml": ""})
        yield github


def told(github: GitHub) -> None:
    """Let an issue tell of drift."""
    keep(forge_at(github), drifted(outside()), Setting("example-corp", "https://git.example/1"))


def job_of(github: GitHub, root: Path, *, issue: bool = True) -> Job:
    return Job(
        console=Console(root, ColourOption.NEVER),
        run=run_of(github),
        inputs=Inputs(Command.APPLY, token=Secret(github.token().encode()), issue=issue),
        workflow=Workflow({}, io.StringIO()),
        workspace=root,
    )


def test_an_apply_that_left_nothing_to_do_closes_the_issue(github: GitHub, tmp_path: Path) -> None:
    told(github)
    settle(job_of(github, tmp_path), planned())
    (issue,) = github.issues
    assert (issue.state, issue.state_reason) == ("closed", "completed")
    assert "certificate/web" not in issue.body
    (remark,) = github.comments(issue.number)
    assert "everything was applied by [this run]" in remark.body
    keep(forge_at(github), drifted(outside()), Setting("example-corp", "https://git.example/2"))
    assert github.issues[0].state == "open"
    assert github.comments(issue.number)[-1].body.startswith("**Again: ")


@pytest.mark.parametrize(
    "plan",
    [
        planned(changes=(STEP,)),
        planned(selection=("due",)),
        planned(targets=(TargetReport(name="a", status="unknown"),)),
        planned(targets=(TargetReport(name="a", status="assumed"),)),
    ],
    ids=["something is left", "a part", "could not be read", "not looked at"],
)
def test_any_other_apply_leaves_the_issue_alone(github: GitHub, tmp_path: Path, plan: Plan) -> None:
    told(github)
    settle(job_of(github, tmp_path), plan)
    assert github.issues[0].state == "open"
    assert github.comments(github.issues[0].number) == []


def test_where_no_issue_is_kept_none_is_asked_for(github: GitHub, tmp_path: Path) -> None:
    settle(job_of(github, tmp_path, issue=False), planned())
    assert github.requests == []


def test_where_there_is_no_issue_nothing_is_said(github: GitHub, tmp_path: Path) -> None:
    settle(job_of(github, tmp_path), planned())
    assert github.issues == []
