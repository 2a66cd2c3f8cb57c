"""What a plan says about itself, and where it may go."""

import json
import subprocess

import pytest
from command_line import Repository


def test_a_plan_says_which_commit_it_is_of(applied: Repository) -> None:
    def git(*argv: str) -> str:
        identity = ("-c", "user.name=T", "-c", "user.email=t@localhost")
        command = ["git", "-C", str(applied.root), *identity, *argv]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout

    assert ", no commit yet, " in applied.run("plan").stdout
    git("add", "-A")
    git("commit", "-qm", "all")
    head = git("rev-parse", "HEAD").strip()
    assert f", {head[:12]}, " in applied.run("plan").stdout
    applied.edit("services/orders.yaml", "kind:", "# more\nkind:")
    assert f", {head[:12]} + uncommitted changes, " in applied.run("plan").stdout
    assert f", {head[:12]}, " in applied.run("plan", "--ref", "HEAD").stdout
    data = json.loads(applied.run("plan", "--format", "json").stdout)
    assert (data["revision"], data["uncommitted"]) == (head, True)


@pytest.mark.parametrize("form", ["text", "markdown"])
def test_a_plan_of_a_day_to_come_says_so(applied: Repository, form: str) -> None:
    ahead = applied.run("plan", "--at", "2199-01-01", "--format", form).stdout
    assert "What if: as of 2199-01-01T00:00:00Z" in ahead.replace("&#58;", ":")


def test_a_plan_of_a_day_to_come_cannot_be_applied(applied: Repository) -> None:
    ahead = applied.root / "ahead.json"
    ahead.write_text(applied.run("plan", "--at", "2199-01-01", "--format", "json").stdout)
    assert json.loads(ahead.read_text())["looks_ahead"]
    assert "a day to come" in applied.run("apply", ahead, code=1).stderr


def test_a_plan_that_cannot_be_saved_says_where(applied: Repository) -> None:
    missing = applied.root / "nowhere" / "plan.json"
    assert f"No such file or directory: {missing}\n" in (
        applied.run("plan", "--out", missing, code=1).stderr
    )
