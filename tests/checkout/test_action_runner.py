"""The runner of these tests does with a step what GitHub's does, as far as an action can tell.

Each test is a fact of actions/runner: a test double that was kinder would prove nothing.
"""

from pathlib import Path
from typing import Any

import pytest
from github_bare import Bare
from github_events import Event
from ruamel.yaml import YAML
from workflow_runner import Job, JobResult, Machine

EVENT: dict[str, Any] = {
    "repository": {"full_name": "acme/pki", "id": 1001},
    "ref": "refs/heads/main",
}
FORK = {"head": {"ref": "topic", "repo": {"full_name": "other/pki"}}, "base": {"ref": "main"}}


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path / "machine", "nowhere", secrets={"KEY": "s3cret-value"})


def done(machine: Machine, *steps: Any, event: Event | None = None, **job: Any) -> JobResult:
    machine.runs += 1
    event = event or Event("push", EVENT, "a" * 40, "refs/heads/main", "mona")
    text = {"steps": steps, **job}
    return Job(machine, {"name": "test"}, Path("test.yaml"), "job", text, event, {}).run()


def script(text: str, **more: Any) -> dict[str, Any]:
    return {"id": "it", "run": text, "shell": "bash", **more}


def composite(folder: Path, *steps: dict[str, Any], outputs: str = "", inputs: str = "") -> Path:
    folder.mkdir(parents=True)
    told = (
        {"outputs": {outputs: {"value": f"${{{{ steps.it.outputs.{outputs} }}}}"}}}
        if outputs
        else {}
    )
    taken = {"inputs": {inputs: {"required": True}}} if inputs else {}
    runs = {"runs": {"using": "composite", "steps": list(steps)}}
    with (folder / "action.yml").open("w") as file:
        YAML(typ="safe", pure=True).dump({"name": "it", **taken, **told, **runs}, file)
    return folder


def test_a_script_ends_at_its_first_failure_also_in_a_pipe(machine: Machine) -> None:
    for text in ("false\necho on", "false | true\necho on"):
        result = done(machine, script(text))
        assert result.conclusion == "failure"
        assert "echo on" not in result.log.replace("Process", "")
        assert result.results[0].annotations[-1].message == "Process completed with exit code 1."


def test_a_process_sees_what_a_runner_sets_and_nothing_of_the_tests(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OURS", "seen")
    log = done(machine, script("env | sort; pwd"), env={"THEIRS": "yes"}).log
    assert "OURS" not in log
    assert "token" not in log.lower()
    for name in ("GITHUB_SHA=" + "a" * 40, "GITHUB_REPOSITORY=acme/pki", "CI=true", "THEIRS=yes"):
        assert f"\n{name}\n" in log
    assert "RUNNER_TEMP=" in log


@pytest.mark.parametrize(
    ("written", "outputs"),
    [
        ("a=1\nb=x=y\n", {"a": "1", "b": "x=y"}),
        ("a<<E\none\ntwo\nE\n", {"a": "one\ntwo"}),
        ("a<<E\nE\n", {"a": ""}),
        ("a<<E\n\nE\n", {"a": ""}),
        ("a=1<<E\n", {"a": "1<<E"}),
        ("a<<E=\nx\nE=\n", {"a": "x"}),
        ("a<<E\nx\nE", {"a": "x"}),
    ],
)
def test_outputs_are_read_by_the_grammar_of_the_file(
    machine: Machine, written: str, outputs: dict[str, str]
) -> None:
    result = done(machine, script(f"printf %s '{written}' >> $GITHUB_OUTPUT"))
    assert result.conclusion == "success", result.log
    assert result.results[0].outputs == outputs


@pytest.mark.parametrize(
    "written", ["x\n", "a<<E\nx\n", "a<<E\nx\nEE", "<<E\nE\n", "a<<\n\n", "a=1\nx\n"]
)
def test_a_file_out_of_its_grammar_fails_the_step(machine: Machine, written: str) -> None:
    result = done(machine, script(f"printf %s '{written}' >> $GITHUB_OUTPUT"))
    assert result.conclusion == "failure"
    assert result.results[0].outcome == "failure"


def test_a_variable_and_a_path_are_those_of_later_steps(machine: Machine) -> None:
    write = 'echo A=1 >> $GITHUB_ENV; echo /one >> $GITHUB_PATH; echo /two >> $GITHUB_PATH; echo "A is $A"'
    result = done(machine, script(write), script('echo "A is $A, $PATH"'))
    first, second = result.results
    assert "A is \n" in first.log + "\n"
    assert "A is 1, /two:/one:" in second.log
    blocked = done(
        machine, script("echo NODE_OPTIONS=x >> $GITHUB_ENV"), script('echo "[$NODE_OPTIONS]"')
    )
    assert "[]" in blocked.results[1].log


def test_ten_annotations_of_a_level_are_kept_of_a_whole_composite_action(
    machine: Machine, tmp_path: Path
) -> None:
    loud = script("for i in $(seq 8); do echo ::warning::w$i; done; echo ::notice::n")
    machine.actions = {"a/b": composite(tmp_path / "loud", loud, {**loud, "id": "again"})}
    step = done(machine, {"uses": "a/b@v1"}).results[0]
    assert [each.level for each in step.annotations].count("warning") == 10
    assert [each.level for each in step.annotations].count("notice") == 2
    assert step.dropped == 6


def test_commands_are_parsed_unescaped_and_stopped(machine: Machine) -> None:
    result = done(machine, script(
        "echo '  ::ERROR file=a%2Cb.yaml,line=3,title=x%3A::one%0Atwo%25'\n"
        "echo 'not ::error::at the start'\n"
        "echo '::nosuch::x'\n"
        "echo '::stop-commands::token-of-mine'\n"
        "echo '::error::stopped'\n"
        "echo '::token-of-mine::'\n"
        "echo '::notice::again'\n"
    ))  # fmt: skip
    error, notice = result.results[0].annotations
    assert (error.level, error.message) == ("error", "one\ntwo%")
    assert error.properties == {"file": "a,b.yaml", "line": "3", "title": "x:"}
    assert error.place == ("a,b.yaml", 3)
    assert notice.message == "again"
    assert "::nosuch::x" in result.log


def test_the_commands_of_old_fail_a_step(machine: Machine) -> None:
    assert done(machine, script("echo '::set-output name=a::1'")).conclusion == "failure"


def test_a_long_message_is_cut(machine: Machine) -> None:
    step = done(machine, script("printf '::error::%05000d\\n' 7")).results[0]
    assert len(step.annotations[0].message) == 4096


def test_secrets_and_the_token_are_masked_in_log_and_summary(machine: Machine) -> None:
    say = "echo $KEY $TOKEN; echo ::add-mask::hidden-too; echo hidden-too; echo $KEY >> $GITHUB_STEP_SUMMARY"
    env = {"KEY": "${{ secrets.KEY }}", "TOKEN": "${{ github.token }}"}
    result = done(machine, script(say, env=env))
    assert "*** ***\n***" in result.log
    assert result.summary == "***\n"
    assert result.token not in result.log


def test_a_summary_over_one_mebibyte_is_dropped_and_the_step_goes_on(machine: Machine) -> None:
    fill = "head -c {} /dev/zero | tr '\\0' x >> $GITHUB_STEP_SUMMARY"
    assert len(done(machine, script(fill.format(1024 * 1024))).summary) == 1024 * 1024 + 1
    large = done(machine, script(fill.format(1024 * 1024 + 1)))
    assert large.conclusion == "success"
    assert large.summary == ""
    assert "upload aborted" in large.results[0].annotations[0].message


def test_a_composite_action_sees_its_inputs_and_has_its_outputs_also_when_it_fails(
    machine: Machine, tmp_path: Path
) -> None:
    tell = script(
        'echo "a=$GIVEN" >> $GITHUB_OUTPUT; env; false', env={"GIVEN": "${{ inputs.given }}"}
    )
    machine.actions = {"a/b": composite(tmp_path / "it", tell, outputs="a", inputs="given")}
    use = {"uses": "a/b@v1", "with": {"given": 7}, "env": {"PASSED": "on"}}
    step = done(machine, use).results[0]
    assert (step.outcome, dict(step.outputs)) == ("failure", {"a": "7"})
    assert "\nPASSED=on" in step.log
    assert f"GITHUB_ACTION_PATH={tmp_path / 'it'}" in step.log
    assert "INPUT_" not in step.log
    assert done(machine, {"uses": "a/b@v1"}).results[0].outputs == {"a": ""}, (
        "required is not enforced"
    )


def test_an_input_that_an_action_does_not_have_is_warned_of(
    machine: Machine, tmp_path: Path
) -> None:
    machine.actions = {"a/b": composite(tmp_path / "it", script("true"), inputs="given")}
    step = done(machine, {"uses": "a/b@v1", "with": {"givn": "x"}}).results[0]
    assert "Unexpected input(s) 'givn'" in step.annotations[0].message


def test_an_action_that_nothing_stands_in_for_fails(machine: Machine, tmp_path: Path) -> None:
    machine.actions = {"a/b": composite(tmp_path / "it", {"uses": "who/knows@v1"})}
    for name in ("who/knows@v1", "a/b@v1"):
        result = done(machine, {"uses": name})
        assert result.conclusion == "failure"
        assert "there is no action who/knows" in result.log


@pytest.mark.parametrize("broken", [{"if": "nosuch.x"}, {"env": {"A": "${{ nosuch.x }}"}}])
def test_an_unknown_context_fails_the_step(machine: Machine, broken: dict[str, Any]) -> None:
    result = done(machine, script("true", **broken))
    assert result.conclusion == "failure"
    assert "Unrecognized named-value: 'nosuch'" in result.log


def test_outcome_and_conclusion_differ_where_an_error_is_tolerated(machine: Machine) -> None:
    first = script("false", **{"continue-on-error": True})
    tell = {"run": "echo ${{ steps.it.outcome }}/${{ steps.it.conclusion }}"}
    result = done(machine, first, tell)
    assert result.conclusion == "success"
    assert "failure/success" in result.results[1].log


def test_steps_after_a_failure_run_only_if_they_ask(machine: Machine) -> None:
    conditions = ("", "always()", "failure()", "success()", "${{ !cancelled() }}", "true")
    steps = [
        script("false"),
        *({"run": "true", "if": each} if each else {"run": "true"} for each in conditions),
    ]
    outcomes = [each.outcome for each in done(machine, *steps).results]
    assert outcomes == ["failure", "skipped", "success", "success", "skipped", "success", "skipped"]


def test_a_fork_gets_no_secret_and_a_token_that_reads(machine: Machine) -> None:
    seen: list[Any] = []

    def token(permissions: Any) -> str:
        seen.append(permissions)
        return "a-token"

    machine.token = token
    payload = {**EVENT, "action": "opened", "pull_request": FORK}
    fork = Event("pull_request", payload, "a" * 40, "refs/pull/1/merge", "mallory", "topic", "main")
    tell = script('echo "[$KEY]"', env={"KEY": "${{ secrets.KEY }}"})
    asked = {"checks": "write", "contents": "read", "id-token": "write"}
    assert "[]" in done(machine, tell, event=fork, permissions=asked).log
    assert seen == [{"metadata": "read", "checks": "read", "contents": "read"}]
    assert "[***]" in done(machine, tell, permissions=asked).log
    assert seen[1] == {"metadata": "read", **asked}


@pytest.mark.parametrize(
    ("depth", "ref", "commits"), [("1", "", 1), ("2", "", 3), ("0", "", 4), ("1", "main", 1)]
)
def test_a_checkout_has_the_merge_and_as_much_history_as_was_asked_for(
    tmp_path: Path, depth: str, ref: str, commits: int
) -> None:
    bare = Bare.made(tmp_path / "github.git")
    first = bare.commit({"a": "1"})
    base, head = bare.commit({"a": "2"}, first), bare.commit({"b": "1"}, first)
    merge = bare.commit({"a": "2", "b": "1"}, base, head)
    for name, sha in (("heads/main", base), ("heads/topic", head), ("pull/7/merge", merge)):
        bare.update(f"refs/{name}", sha)
    payload = {**EVENT, "action": "opened", "pull_request": {**FORK, "number": 7}}
    event = Event("pull_request", payload, merge, "refs/pull/7/merge", "mona", "topic", "main")
    machine = Machine(tmp_path / "machine", f"file://{bare.root}")
    given = {"fetch-depth": depth, "ref": ref, "persist-credentials": False}
    tell = script(
        "git rev-parse HEAD; git rev-list --count HEAD; git config --local --get-regexp http || true"
    )
    result = done(machine, {"uses": "actions/checkout@v7", "with": given}, tell, event=event)
    assert result.conclusion == "success", result.log
    assert result.results[1].log.split() == [base if ref else merge, str(commits)]
    assert result.results[0].outputs["commit"] == (base if ref else merge)
