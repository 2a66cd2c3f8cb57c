"""`command: validate` says on a pull request what is wrong, line by line, with no credential at all."""

import json
from pathlib import Path

import pytest
from action_rig import ROOT, USED, Station, programs

KEY = "age1xmwwc06ly3ee5rytxm9mflaz2u56jjj36s0mypdrwsvlul66mv4q47ryef"
PROJECT = (
    "apiVersion: certform.dev/v1\nkind: Project\nmetadata: {name: here}\n"
    f"spec:\n  keyring: [{{age: {KEY}}}]\n"
)
BAD = "kind: Certificate\nmetadata: {name: web%s}\nspec: {issuerRef: nobody, dnsNames: [web.example.com]}\n"


@pytest.fixture
def station(tmp_path: Path) -> Station:
    return Station(
        tmp_path / "station", ROOT, {"PATH": programs(tmp_path / "bin")}, {"certform.yaml": PROJECT}
    )


def test_documents_that_are_valid_are_said_to_be(station: Station) -> None:
    result = station.use(install="none")
    step = result.step("used")
    assert result.conclusion == "success", result.log
    assert (step.outputs["exit-code"], step.outputs["failure-reason"]) == ("0", "")
    assert step.summary.startswith("### Certificates: the documents are valid")
    assert not step.annotations


def test_an_error_is_on_its_line_by_the_path_from_the_repositorys_root(station: Station) -> None:
    station.files = {"pki/certform.yaml": PROJECT, "pki/web.yaml": BAD % ""}
    result = station.use(install="none", working_directory="pki")
    step = result.step("used")
    assert step.outcome == "failure"
    assert (step.outputs["exit-code"], step.outputs["failure-reason"]) == ("1", "invalid")
    assert step.annotations[0].place == ("pki/web.yaml", 3)
    assert step.annotations[0].level == "error"
    assert "nobody" in step.summary
    assert "Process completed with exit code 1." in step.log


def test_more_errors_than_github_shows_are_counted_and_all_in_the_summary(station: Station) -> None:
    station.files["web.yaml"] = "---\n".join(BAD % number for number in range(30))
    step = station.use(install="none").step("used")
    errors = [each for each in step.annotations if each.level == "error"]
    assert len(errors) == 10
    assert "21 more; the log and the job summary have them all" in errors[-1].message
    assert step.summary.count("nobody") >= 30


def test_text_of_a_document_is_no_command_and_no_markup(station: Station) -> None:
    name = r'"a\n::add-mask::certform\n::error::owned\x1b[31m ``` </pre> @everyone"'
    station.files["web.yaml"] = f"kind: Certificate\nmetadata: {{name: {name}}}\nspec: {{}}\n"
    step = station.use(install="none").step("used")
    assert step.outcome == "failure"
    assert step.annotations
    assert not [each for each in step.annotations if each.message.startswith("owned")]
    assert "\x1b" not in step.log
    assert "***" not in step.log.replace("::***::", "").replace("::stop-commands::***", "")
    assert step.summary.count("````") == 2


@pytest.mark.parametrize(("given", "message"), [
    ({"command": "validat"}, "must be plan, apply, renew, drift or validate, not validat"),
    ({"command": ""}, "the input `command` is missing"),
    ({"working_directory": "../.."}, "`working-directory` is no folder of the repository"),
    ({"working_directory": "nowhere"}, "`working-directory` is no folder of the repository"),
    ({"lock_timeout": "soon"}, "must be a whole number, not soon"),
])  # fmt: skip
def test_an_input_that_cannot_be_is_told_with_what_would_do(
    station: Station, given: dict[str, str], message: str
) -> None:
    step = station.use(None, **{"install": "none", **given}).step("used")
    assert step.outcome == "failure"
    assert step.outputs["failure-reason"] == "invalid"
    told = "\n".join(f"{each.properties.get('title')} {each.message}" for each in step.annotations)
    assert message in told
    assert "Traceback" not in step.log


def test_a_commit_is_read_not_what_steps_have_made_of_the_working_tree(
    station: Station, tmp_path: Path
) -> None:
    steps = [
        {"uses": "actions/checkout@v7"},
        {"run": "echo 'kind: Certificate' > web.yaml; echo spoilt > certform.yaml"},
        {"uses": f"{USED}@v1", "with": {"command": "validate", "install": "none"}},
    ]
    workflow = tmp_path / "validate.yaml"
    workflow.write_text(json.dumps({"on": "push", "jobs": {"validate": {"steps": steps}}}))
    done = station.machine.run(workflow, station.push())
    assert done["validate"].conclusion == "success", done["validate"].log
    assert "the documents are valid" in done["validate"].step(USED).summary
