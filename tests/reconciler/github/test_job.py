"""Where a job leaves the files it is asked for: in the repository, and not where a link of it leads."""

import io
from pathlib import Path

import pytest

from reconciler.cli.app import Console
from reconciler.cli.console import ColourOption
from reconciler.github.inputs import Command, Inputs
from reconciler.github.job import Job
from reconciler.github.run import Run
from reconciler.github.workflow import Workflow

TOLD = {
    "EVENT_NAME": "push",
    "REF": "refs/heads/main",
    "REPOSITORY": "acme/pki",
    "RUN_ID": "1",
    "SHA": "0" * 40,
}
RUN = Run.from_environment({f"GITHUB_{name}": value for name, value in TOLD.items()})


@pytest.fixture
def job(tmp_path: Path) -> Job:
    workspace = tmp_path / "workspace"
    (workspace / "there").mkdir(parents=True)
    (tmp_path / "outside").mkdir()
    console = Console(workspace, ColourOption.NEVER)
    return Job(console, RUN, Inputs(Command.PLAN), Workflow({}, io.StringIO()), workspace)


@pytest.mark.parametrize(
    "name", ["plan.json", "there/plan.json", "out/new/plan.json", "../plan.json"]
)
def test_a_file_goes_where_its_name_says_the_folder_made(job: Job, name: str) -> None:
    assert job.place(name) == job.workspace / name
    assert (job.workspace / name).parent.is_dir()


def test_a_place_elsewhere_is_what_the_workflow_says(job: Job, tmp_path: Path) -> None:
    assert job.place(str(tmp_path / "outside/a/plan.json")).parent.is_dir()


@pytest.mark.parametrize("name", ["link/plan.json", "link/new/plan.json", "there/up/plan.json"])
def test_a_link_in_the_repository_does_not_lead_out_of_it(
    job: Job, tmp_path: Path, name: str
) -> None:
    (job.workspace / "link").symlink_to(tmp_path / "outside")
    (job.workspace / "there/up").symlink_to("../../outside")
    with pytest.raises(PermissionError, match="leads out of the repository") as failure:
        job.place(name)
    assert failure.value.filename == str(job.workspace / name)
    assert not list((tmp_path / "outside").iterdir())


def test_a_link_that_stays_in_the_repository_is_followed(job: Job) -> None:
    (job.workspace / "link").symlink_to("there")
    assert job.place("link/new/plan.json").parent.is_dir()
    assert (job.workspace / "there/new").is_dir()


def test_links_in_a_circle_are_told(job: Job) -> None:
    (job.workspace / "circle").symlink_to("circle")
    with pytest.raises(OSError, match="circle"):
        job.place("circle/new/plan.json")
