"""action.yml offers what certform understands and tells, and puts nothing of a stranger's into a script."""

import re
from enum import StrEnum
from pathlib import Path
from typing import Any

import pytest
from workflow_steps import loaded

from reconciler.github.inputs import PREFIX, Command, Inputs

ROOT = Path(__file__).parents[2]
ACTION = loaded(ROOT / "action.yml")
STEPS = {step["id"]: step for step in ACTION["runs"]["steps"]}
INPUTS: dict[str, Any] = ACTION["inputs"]
TELLING = re.compile(r'workflow\.output\(\s*"([^"]+)"')
EXPRESSION = re.compile(r"\$\{\{\s*(.*?)\s*\}\}")


def variable(name: str) -> str:
    return PREFIX + name.replace("-", "_").upper()


def test_its_inputs_are_those_certform_reads() -> None:
    assert list(INPUTS) == [name.replace("_", "-") for name in Inputs.__dataclass_fields__]


def test_its_defaults_are_those_of_certform() -> None:
    given = {variable(name): each.get("default", "") for name, each in INPUTS.items()}
    assert given.pop(variable("token")) == "${{ github.token }}"
    given[variable("command")] = "plan"
    assert Inputs.from_environment(given) == Inputs(Command.PLAN)


@pytest.mark.parametrize("name", INPUTS)
def test_an_input_says_what_it_is_and_which_values_it_takes(name: str) -> None:
    description = INPUTS[name]["description"]
    assert len(description) > 20
    kind = Inputs.__dataclass_fields__[name.replace("-", "_")].type
    if isinstance(kind, type) and issubclass(kind, StrEnum):
        assert f"One of {', '.join(kind)}." in description


def test_the_run_step_hands_over_every_input_and_the_install_step_its_own() -> None:
    handed = {key: value for key, value in STEPS["run"]["env"].items() if key.startswith(PREFIX)}
    assert handed == {variable(name): f"${{{{ inputs.{name} }}}}" for name in INPUTS}
    assert list(STEPS["install"]["env"]) == [variable("install")]


def test_expressions_stand_in_env_and_never_in_a_script() -> None:
    for step in STEPS.values():
        assert set(step) <= {"name", "id", "if", "shell", "env", "run"}, "no nested action"
        assert step["shell"] == "bash"
        assert "${{" not in step["run"] + step["name"]


def test_its_outputs_are_those_of_the_run_step() -> None:
    assert ACTION["outputs"]
    for name, each in ACTION["outputs"].items():
        assert each["value"] == f"${{{{ steps.run.outputs.{name} }}}}"
        assert len(each["description"]) > 10


def test_it_passes_on_every_output_that_certform_writes() -> None:
    texts = [path.read_text() for path in (ROOT / "reconciler/github").rglob("*.py")]
    told = {name for text in texts for name in TELLING.findall(text)}
    assert {"exit-code", "failure-reason"} <= told
    assert told == ACTION["outputs"].keys()


def test_the_only_contexts_it_names_are_those_a_composite_action_has() -> None:
    found = EXPRESSION.findall((ROOT / "action.yml").read_text())
    assert {each.partition(".")[0] for each in found} == {"inputs", "steps", "github"}


def test_it_can_be_listed() -> None:
    assert ACTION["branding"].keys() == {"icon", "color"}
    assert len(ACTION["description"]) <= 125, "the Marketplace cuts what is longer"
