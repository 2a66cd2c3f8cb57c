"""Schemas and linters of workflows have nothing to say of action.yml and of the example's workflows."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent
WORKFLOWS = sorted((ROOT / "example-repo/.github/workflows").glob("*.y*ml"))
ACTION = ROOT / "action.yml"


def ran(*argv: str | Path, cwd: Path = ROOT) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(argv, cwd=cwd, capture_output=True, text=True, check=False)


def fine(*argv: str | Path, cwd: Path = ROOT) -> None:
    done = ran(*argv, cwd=cwd)
    assert done.returncode == 0, done.stdout + done.stderr


def test_there_are_workflows_to_look_at() -> None:
    assert {path.stem for path in WORKFLOWS} >= {"plan", "apply", "nightly"}


def test_the_action_is_as_its_schema_says() -> None:
    fine(BIN / "check-jsonschema", "--builtin-schema", "vendor.github-actions", ACTION)


def test_the_workflows_are_as_their_schema_says() -> None:
    fine(BIN / "check-jsonschema", "--builtin-schema", "vendor.github-workflows", *WORKFLOWS)


def test_actionlint_finds_nothing_in_the_workflows() -> None:
    fine(BIN / "actionlint", *WORKFLOWS)


@pytest.mark.parametrize(("persona", "paths"), [("auditor", [ACTION]), ("regular", WORKFLOWS)])
def test_zizmor_finds_nothing(persona: str, paths: list[Path]) -> None:
    """The strictest persona for the action; for workflows that people edit, the one they meet themselves."""
    flags = ("--offline", "--strict-collection", "--no-config", "--persona", persona)
    fine(BIN / "zizmor", *flags, *paths)


def test_the_script_that_starts_python_is_clean(require: Callable[[str], str]) -> None:
    fine(require("shellcheck"), ROOT / "action/start.sh")


def test_a_use_of_the_action_is_checked_against_it(tmp_path: Path) -> None:
    """The linters can fail: an input that is not there, and an expression in a script."""
    (tmp_path / ".git").mkdir()
    (tmp_path / "action.yml").write_text(ACTION.read_text())
    workflow = tmp_path / ".github/workflows/use.yaml"
    workflow.parent.mkdir(parents=True)
    use = "on: push\njobs: {a: {runs-on: ubuntu-latest, steps: [{uses: ./, with: {WITH}}]}}\n"
    workflow.write_text(use.replace("WITH", "command: plan, label: prod"))
    fine(BIN / "actionlint", cwd=tmp_path)
    workflow.write_text(use.replace("WITH", "comand: plan"))
    found = ran(BIN / "actionlint", cwd=tmp_path)
    assert 'input "comand" is not defined' in found.stdout
    assert 'missing input "command"' in found.stdout
    injected = ACTION.read_text().replace('start.sh" run.py', 'start.sh" ${{ inputs.label }}')
    (tmp_path / "action.yml").write_text(injected)
    flags = ("--offline", "--strict-collection", "--no-config")
    assert "template-injection" in ran(BIN / "zizmor", *flags, tmp_path / "action.yml").stdout
