"""How a step ends: whatever it was, the exit code and the reason are outputs, and the log says it."""

import io
import os
import re
from collections.abc import Mapping
from pathlib import Path

import pytest

from reconciler.cli.app import Console
from reconciler.cli.console import ColourOption
from reconciler.diagnostics import error
from reconciler.errors import Incomplete, Interrupted, InvalidInput, Locked, Refused
from reconciler.github.action import act
from reconciler.github.commands import validate
from reconciler.github.job import Job
from schemas.plan import Source


@pytest.fixture
def environ(tmp_path: Path) -> Mapping[str, str]:
    (tmp_path / "pki").mkdir()
    return {
        "GITHUB_EVENT_NAME": "push",
        "GITHUB_REPOSITORY": "acme/pki",
        "GITHUB_SHA": "a" * 40,
        "GITHUB_REF": "refs/heads/main",
        "GITHUB_RUN_ID": "1",
        "GITHUB_WORKSPACE": str(tmp_path),
        "GITHUB_OUTPUT": str(tmp_path / "output"),
        "CERTFORM_INPUT_COMMAND": "validate",
        "CERTFORM_INPUT_WORKING_DIRECTORY": "./other/../pki",
    }


def outputs(environ: Mapping[str, str]) -> dict[str, str]:
    text = Path(environ["GITHUB_OUTPUT"]).read_text()
    return dict(re.findall(r"^([\w-]+)<<\w+\n(.*?)\ncertform_", text, re.MULTILINE | re.DOTALL))


def ended(environ: Mapping[str, str], monkeypatch: pytest.MonkeyPatch, why: BaseException) -> str:
    """Let the step's command end with something; return its log."""

    def run(_job: Job) -> int:
        raise why

    monkeypatch.setattr(validate, "run", run)
    log = io.StringIO()
    with pytest.raises(type(why)):
        act(Console(Path(), ColourOption.NEVER), environ, log)
    return log.getvalue()


@pytest.mark.parametrize(
    ("why", "code", "reason"),
    [
        (InvalidInput(()), "1", "invalid"),
        (Refused("no"), "3", "refused"),
        (Locked("no"), "3", "locked"),
        (Incomplete("some"), "4", "partly-applied"),
        (Interrupted("stop"), "130", "interrupted"),
        (KeyboardInterrupt(), "130", "interrupted"),
        (OSError(28, "No space left on device", "/x"), "1", "error"),
        (ValueError("a secret"), "1", "error"),
        (AssertionError(), "1", "error"),
    ],
)
def test_every_end_has_its_exit_code_and_its_reason(
    environ: Mapping[str, str],
    monkeypatch: pytest.MonkeyPatch,
    why: BaseException,
    code: str,
    reason: str,
) -> None:
    ended(environ, monkeypatch, why)
    assert outputs(environ) == {"exit-code": code, "failure-reason": reason}


def test_a_bug_is_told_without_its_words(
    environ: Mapping[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    log = ended(environ, monkeypatch, ValueError("a secret"))
    assert log == "::error title=certform met a bug%3A ValueError::the job's log says where\n"


def test_a_finding_is_marked_in_the_folder_however_the_input_spells_it(
    environ: Mapping[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    finding = error("no", Source(file="a.yaml", line=3))
    log = ended(environ, monkeypatch, InvalidInput((finding,)))
    assert "file=pki/a.yaml,line=3" in log


def test_a_finding_of_a_thousand_words_has_a_title_that_fits(
    environ: Mapping[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    log = ended(environ, monkeypatch, InvalidInput((error(f"unknown kind {'x' * 300_000}"),)))
    assert len(log) < 5_000


def test_secrets_are_masked_line_by_line_before_anything_else(
    environ: Mapping[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = {"SOPS_AGE_KEY": "# created\nAGE-SECRET-KEY-1A\nAGE-SECRET-KEY-1B\n"}
    log = ended({**environ, **secret}, monkeypatch, Refused("no"))
    first, second, *_ = log.splitlines()
    assert (first, second) == ("::add-mask::AGE-SECRET-KEY-1A", "::add-mask::AGE-SECRET-KEY-1B")


def test_the_token_is_taken_out_of_what_programs_inherit(
    environ: Mapping[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CERTFORM_INPUT_TOKEN", "canary")
    monkeypatch.setenv("GIT_CONFIG_COUNT", "0")  # what the step adds is taken back after the test
    given = {**environ, "CERTFORM_INPUT_TOKEN": "canary"}
    assert "::add-mask::" in ended(given, monkeypatch, Refused("no"))
    assert "CERTFORM_INPUT_TOKEN" not in os.environ
