"""What is said of documents, and before there are any: skipped files, schemas, init."""

import json
import os
import subprocess
import sys

import pytest
from command_line import Repository
from jsonschema import Draft202012Validator

from schemas.document import SPECS


@pytest.mark.parametrize(
    "arguments", [("--name", "No Name"), ("--template", "mtls", "a_b"), ("--template", "mtls")]
)
def test_init_makes_nothing_of_bad_arguments(empty: Repository, arguments: tuple[str, ...]) -> None:
    empty.run("init", *arguments, code=1)
    assert list(empty.root.parent.rglob("*")) == [empty.root]


def test_validate_needs_no_git(applied: Repository) -> None:
    program = (
        "from reconciler.cli.app import run; import sys; run(sys.argv[1:]); print(*sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-P", "-c", program, "-C", applied.root, "validate"],
        env=applied.environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert not {"git", "cryptography", "rich", "ruamel"} & set(done.stdout.split())


def test_skipped_yaml_is_named(applied: Repository) -> None:
    for number in range(12):
        (applied.root / f"other-{number:02}.yaml").write_text("a: b\n")
    told = "Skipped as not certform's, 12 YAML files or documents: other-00.yaml, other-01.yaml"
    assert told in applied.run("validate").stderr
    assert "other-09.yaml and 2 more." in applied.run("plan").stderr
    data = json.loads(applied.run("validate", "--format", "json").stdout)
    assert len(data["skipped"]) == 12


@pytest.mark.parametrize("command", [("apply", "--auto-approve"), ("renew",), ("drift",)])
def test_so_it_is_by_what_goes_on_to_act(applied: Repository, command: tuple[str, ...]) -> None:
    (applied.root / "other.yaml").write_text("a: b\n")
    assert "other.yaml" in applied.run(*command).stderr


@pytest.mark.parametrize("command", ["validate", "plan"])
def test_a_finding_never_shows_what_a_link_leads_to(applied: Repository, command: str) -> None:
    (applied.root.parent / "token").write_text("do-not-tell\n")
    (applied.root / "config" / "x.yaml").symlink_to(applied.root.parent / "token")
    told = applied.run(command, code=1).stderr
    assert "symbolic links are not followed" in told
    assert "do-not-tell" not in told


@pytest.mark.parametrize("command", ["validate", "plan"])
def test_a_finding_shows_the_line_as_it_was_read(applied: Repository, command: str) -> None:
    applied.edit("services/orders.yaml", "profileRef: service", "profileRef: servce")
    assert "|   profileRef: servce" in applied.run(command, code=1).stderr


@pytest.mark.parametrize("command", ["validate", "plan"])
def test_a_finding_of_a_pipe_waits_for_nobody(applied: Repository, command: str) -> None:
    os.mkfifo(applied.root / "pipe")
    (applied.root / "config" / "x.yaml").symlink_to(applied.root / "pipe")
    assert "symbolic links" in applied.run(command, code=1).stderr


def test_a_certificate_that_loses_its_kind_is_no_removal(applied: Repository) -> None:
    applied.edit("services/orders.yaml", "kind: Certificate\n", "")
    assert "the document has no kind" in applied.run("plan", code=1).stderr


@pytest.mark.parametrize("kind", SPECS)
def test_the_schema_of_one_kind_stands_alone(empty: Repository, kind: str) -> None:
    schema = json.loads(empty.run("schema", kind.lower()).stdout)
    Draft202012Validator.check_schema(schema)
    assert schema["title"] == kind
    validator = Draft202012Validator(schema)
    assert not validator.is_valid({"kind": kind, "metadata": {"name": "x"}, "spec": {"nope": 1}})


def test_a_schema_of_no_kind_is_refused(empty: Repository) -> None:
    assert "did you mean Certificate?" in empty.run("schema", "Certificat", code=1).stderr


def test_completion_knows_the_shell_or_asks(empty: Repository) -> None:
    assert "#compdef" in empty.run("completion", SHELL="/usr/bin/zsh").stdout
    assert "name one of bash" in empty.run("completion", SHELL="/bin/csh", code=1).stderr
    assert "name one of bash" in empty.run("completion", code=1).stderr


def test_the_version_is_an_option_too(empty: Repository) -> None:
    assert empty.run("--version").stdout == empty.run("version").stdout
