"""`make demo`, as a newcomer runs it: the example repository becomes a PKI that OpenSSL accepts."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import transcript

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "example-repo/README.md"


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """Run the demo once; return its directory and what it printed."""
    directory = tmp_path_factory.mktemp("demo")
    done = subprocess.run(
        ["make", "--no-print-directory", "demo", f"DEMO={directory}"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "NO_COLOR": "1"},
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return directory, done.stdout


def test_every_chain_is_accepted_by_openssl(demo: tuple[Path, str]) -> None:
    _, output = demo
    verdicts = [line for line in output.splitlines() if line.endswith("cert.pem: OK")]
    assert len(verdicts) == 16


def test_the_second_plan_is_empty(demo: tuple[Path, str]) -> None:
    _, output = demo
    assert output.count("No changes. 15 certificates match") == 1


def test_the_repository_goes_on_by_hand(demo: tuple[Path, str]) -> None:
    directory, _ = demo
    command = f". {directory}/.demo-env && {ROOT}/.venv/bin/certform --chdir {directory} plan"
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=False)
    assert "No changes." in done.stdout, done.stderr


def test_it_stops_before_apply_when_asked(tmp_path: Path) -> None:
    done = subprocess.run(
        ["make", "--no-print-directory", "demo", f"DEMO={tmp_path}/d", "DEMO_APPLY=0"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert "Plan: 20 to issue (5 CAs)" in done.stdout
    assert not (tmp_path / "d" / "live").exists()


def test_it_leaves_a_directory_that_holds_something_alone(tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("precious")
    done = subprocess.run(
        ["scripts/demo", tmp_path], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert "not empty" in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]


def test_the_readme_of_the_example_teaches_what_happens(demo: tuple[Path, str]) -> None:
    """Every step as it is written there: each is refused or planned as told, and taken back."""
    directory, _ = demo
    readme = EXAMPLE.read_text()
    script = "\n".join(re.findall(r"```sh\n(.*?)```", readme, re.DOTALL))
    script = script.replace("/tmp/demo", str(directory))
    done = subprocess.run(
        ["sh", "-uc", script.replace("cf apply", "cf apply --auto-approve")],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "NO_COLOR": "1"},
    )
    told = re.findall(
        r"^(?:Apply complete|Plan|No changes).*", done.stdout + done.stderr, re.MULTILINE
    )
    assert [line.partition(".")[0] for line in told if line.startswith("No")] == ["No changes"] * 2
    assert [line for line in told if line.startswith("Apply")] == [
        "Apply complete: 1 replaced, 1 installed.",
        "Apply complete: 1 replaced, 1 installed.",
        "Apply complete: 1 removed, 1 revoked, 1 published.",
        "Apply complete: 1 replaced, 1 installed.",
        "Apply complete: 1 replaced, 1 installed.",
        "Apply complete: 1 replaced, 1 installed, 1 revoked, 1 published.",
    ]
    assert re.findall(r"^Error: (.*)", done.stderr, re.MULTILINE) == [
        "the DNS name www.example.org is outside what is permitted by authority web",
        "the DNS name *.shop.example.com is a wildcard: policy shop-team",
        "the document has no kind",
        "6 of 15 certificates would be replaced, more than 30%",
    ]
    status = ["git", "-C", str(directory), "status", "--porcelain"]
    assert subprocess.run(status, capture_output=True, check=True).stdout == b""


def test_its_worst_day_goes_as_the_readme_tells(demo: tuple[Path, str], tmp_path: Path) -> None:
    """A CA's key leaks, and a root gives way: each command of the page prints what is shown below it."""
    directory = tmp_path / "demo"
    shutil.copytree(demo[0], directory, symlinks=True)
    environment = directory / ".demo-env"
    environment.write_text(environment.read_text().replace(str(demo[0]), str(directory)))
    author = {
        f"GIT_{who}_{what}": "x" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")
    }
    told = transcript.run(
        list(transcript.steps(EXAMPLE.read_text())),
        ". ./.demo-env",
        directory,
        {**os.environ, **author, "NO_COLOR": "1"},
    )
    for step, printed in told:
        assert transcript.is_shown(step.shown, printed), f"$ {step.command}\n{printed}"
    status = ["git", "-C", str(directory), "status", "--porcelain"]
    assert subprocess.run(status, capture_output=True, check=True).stdout == b""
