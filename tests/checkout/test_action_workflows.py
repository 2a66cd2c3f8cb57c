"""The runner of these tests runs a workflow file: the events that start it, its jobs by what they need."""

import json
from pathlib import Path
from typing import Any

import pytest
from github_events import Event
from workflow_events import starts
from workflow_runner import Machine

REPOSITORY = {"full_name": "acme/pki", "id": 1001, "default_branch": "main"}
PULL = {"number": 7, "head": {"ref": "topic", "repo": REPOSITORY}, "base": {"ref": "main"}}


def event(
    name: str = "push", ref: str = "refs/heads/main", base: str = "", **payload: Any
) -> Event:
    return Event(name, {"repository": REPOSITORY, **payload}, "a" * 40, ref, "mona", "", base)


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path / "machine", "nowhere")


def workflow(folder: Path, jobs: dict[str, Any], **more: Any) -> Path:
    path = folder / "some.yaml"
    path.write_text(json.dumps({"on": "push", "jobs": jobs, **more}))
    return path


@pytest.mark.parametrize(
    ("on", "happened", "wanted"),
    [
        ("push", event(), True),
        ("push", event("schedule", schedule="1 2 * * *"), False),
        (["push", "pull_request"], event(), True),
        ({"push": {"branches": ["main"]}}, event(), True),
        ({"push": {"branches": ["main"]}}, event(ref="refs/heads/topic"), False),
        ({"push": {"branches": ["release/*"]}}, event(ref="refs/heads/release/1"), True),
        ({"schedule": [{"cron": "1 2 * * *"}]}, event("schedule", schedule="1 2 * * *"), True),
        ({"schedule": [{"cron": "1 2 * * *"}]}, event("schedule", schedule="5 5 * * *"), False),
        ({"pull_request": None}, event("pull_request", base="main", action="opened"), True),
        ({"pull_request": None}, event("pull_request", base="main", action="closed"), False),
        (
            {"pull_request": {"types": ["closed"], "branches": ["main"]}},
            event("pull_request", base="main", action="closed"),
            True,
        ),
        (
            {"pull_request": {"branches": ["main"]}},
            event("pull_request", base="next", action="opened"),
            False,
        ),
    ],
)
def test_an_event_starts_a_workflow_that_is_on_it(
    on: Any, happened: Event, *, wanted: bool
) -> None:
    assert starts({"on": on}, happened) is wanted


def test_a_filter_that_is_not_known_is_no_pass() -> None:
    with pytest.raises(AssertionError, match="paths"):
        starts({"on": {"push": {"paths": ["*.yaml"]}}}, event())


def test_jobs_run_in_the_order_they_need_and_a_failure_stops_those_that_do_not_ask(
    machine: Machine, tmp_path: Path
) -> None:
    tell = {"run": "echo '${{ needs.first.result }} ${{ needs.first.outputs.seen }}'"}
    first = {
        "outputs": {"seen": "${{ steps.it.outputs.a }}"},
        "steps": [{"id": "it", "run": "echo a=1 >> $GITHUB_OUTPUT; exit 3"}],
    }
    jobs = {
        "usual": {"needs": "first", "steps": [tell]},
        "always": {"needs": ["first"], "if": "${{ !cancelled() }}", "steps": [tell]},
        "first": first,
    }
    done = machine.run(workflow(tmp_path, jobs), event())
    assert {name: job.conclusion for name, job in done.items()} == {
        "first": "failure",
        "usual": "skipped",
        "always": "success",
    }
    assert "failure 1" in done["always"].log


def test_a_job_has_the_environment_permissions_and_concurrency_that_are_written(
    machine: Machine, tmp_path: Path
) -> None:
    machine.secrets, machine.variables = {"KEY": "of-everybody"}, {"REGION": "eu-west-1"}
    machine.environments = {"production": {"KEY": "of-production"}}
    env = {"KEY": "${{ secrets.KEY }}", "EVENT": "${{ github.event_name }}"}
    tell = {"run": 'test "$KEY" = of-production && echo "$A $B $REGION $EVENT"', "env": env}
    job = {
        "environment": "production",
        "permissions": {"checks": "write"},
        "env": {"B": "job", "REGION": "${{ vars.REGION }}"},
        "steps": [tell],
    }
    group = {"group": "one-${{ github.ref }}", "cancel-in-progress": True}
    path = workflow(tmp_path, {"it": job}, env={"A": "all", "B": "all"}, concurrency=group)
    result = machine.run(path, event())["it"]
    assert result.conclusion == "success", result.log
    assert "all job eu-west-1 push" in result.log
    assert result.permissions == {"metadata": "read", "checks": "write"}
    assert result.concurrency == {"group": "one-refs/heads/main", "cancel-in-progress": True}


def test_a_token_may_read_where_nothing_is_written(machine: Machine, tmp_path: Path) -> None:
    result = machine.run(workflow(tmp_path, {"it": {"steps": []}}), event())["it"]
    assert result.permissions == {"metadata": "read", "contents": "read", "packages": "read"}


def test_what_is_not_known_here_is_refused(machine: Machine, tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match="matrix"):
        machine.run(workflow(tmp_path, {"it": {"strategy": {}, "steps": []}}), event())
    pull = event("pull_request", "refs/pull/7/merge", "main", action="opened", pull_request=PULL)
    with pytest.raises(AssertionError, match="does not start"):
        machine.run(workflow(tmp_path, {"it": {"steps": []}}), pull)
