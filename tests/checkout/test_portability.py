"""Where there is no POSIX documents, ledger and clouds work, and directories are refused plainly."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from aws_emulator import AwsEmulator

from providers.sops.identity import make_identity

HERE = Path(__file__).parents[1] / "support"
PROJECT = """\
apiVersion: certform.dev/v1
kind: Project
metadata: {name: elsewhere}
spec: {keyring: [{age: RECIPIENT}]}
"""
DOCUMENTS = {
    "authorities/root.yaml": "kind: Authority\nmetadata: {name: root}\nspec: {commonName: Root Café}\n",
    "config/acm.yaml": "kind: Target\nmetadata: {name: acm}\nspec: {aws-acm: {regions: [eu-west-1]}}\n",
    "teams/web.yaml": (
        "kind: Certificate\nmetadata: {name: web}\n"
        "spec: {issuerRef: root, dnsNames: [www.example.com], targets: [acm]}\n"
    ),
}
DIRECTORY = "kind: Target\nmetadata: {name: edge}\nspec: {local-directory: {path: live/edge}}\n"
"""What is not found on every system."""


@dataclass(frozen=True)
class House:
    """A repository whose ledger is in a bare one, on a system without POSIX."""

    root: Path
    environment: dict[str, str]

    def run(self, *arguments: str, code: int = 0) -> str:
        """Run certform; return what it says, after checking how it ended."""
        done = subprocess.run(
            [sys.executable, HERE / "foreign_system.py", "-C", self.root, *arguments],
            env=self.environment,
            capture_output=True,
            encoding="utf-8",
            check=False,
        )
        told = done.stdout + done.stderr
        assert done.returncode == code, f"{done.returncode}\n{told}"
        assert "Traceback" not in told
        assert "met a bug" not in told
        return told

    def git(self, *arguments: str) -> None:
        subprocess.run(["git", *arguments], cwd=self.root, check=True, capture_output=True)

    def write(self, path: str, text: str) -> None:
        (self.root / path).parent.mkdir(exist_ok=True)
        (self.root / path).write_text(text, encoding="utf-8")


@pytest.fixture(scope="module")
def aws() -> Iterator[AwsEmulator]:
    with AwsEmulator().running() as emulator:
        yield emulator


@pytest.fixture
def house(tmp_path: Path, aws: AwsEmulator, require: Callable[[str], str]) -> House:
    programs = tmp_path / "programs"
    programs.mkdir()
    (programs / "git").symlink_to(require("git"))  # and nothing else, not even `env`
    identity = tmp_path / "identity.txt"
    environment = {
        **aws.environment(),
        **dict.fromkeys(("GIT_AUTHOR_NAME", "GIT_COMMITTER_NAME"), "Somebody"),
        **dict.fromkeys(("GIT_AUTHOR_EMAIL", "GIT_COMMITTER_EMAIL"), "somebody@example.com"),
        "PATH": str(programs),
        "PYTHONPATH": str(HERE.parents[1]),
        "HOME": str(tmp_path),
        "SOPS_AGE_KEY_FILE": str(identity),
        # as where text is in the letters of one country
        "LC_ALL": "C",
        "PYTHONUTF8": "0",
        "PYTHONCOERCECLOCALE": "0",
    }
    made = House(tmp_path / "repository", environment)
    made.root.mkdir()
    made.write("certform.yaml", PROJECT.replace("RECIPIENT", make_identity(identity)))
    for path, text in DOCUMENTS.items():
        made.write(path, text)
    subprocess.run(["git", "init", "--quiet", "--bare", tmp_path / "away.git"], check=True)
    made.git("init", "--quiet", "--initial-branch=main")
    made.git("remote", "add", "origin", str(tmp_path / "away.git"))
    made.run("init")
    made.git("add", ".")
    made.git("-c", "user.name=S", "-c", "user.email=s@example.com", "commit", "--quiet", "-m", "x")
    return made


def test_a_cloud_is_served_and_nothing_is_left_to_do(house: House) -> None:
    assert "Valid" in house.run("validate")
    assert "1 to install" in house.run("plan")
    house.run("apply", "--auto-approve")
    for command in (("plan",), ("plan", "--ref", "HEAD", "--base", "HEAD"), ("plan", "--offline")):
        assert "No changes." in house.run(*command)
    house.run("drift")
    assert "www.example.com" in house.run("inventory")
    assert "Root Café" in house.run("graph")
    house.run("renew")
    house.run("doctor")
    house.run("log", "--verify")


def test_a_directory_is_unknown_there_and_stops_nothing_else(house: House) -> None:
    house.write("config/edge.yaml", DIRECTORY)
    house.run("apply", "--auto-approve", code=4)
    told = house.run("plan")
    assert "directories are kept on Linux and macOS only" in told
    assert "acm/eu-west-1   observed, 1 certificate" in told


def test_two_runs_wait_for_each_other(house: House) -> None:
    waiting = [
        subprocess.Popen(
            [sys.executable, HERE / "foreign_system.py", "-C", house.root, *arguments],
            env=house.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        for arguments in (("apply", "--auto-approve"), ("apply", "--auto-approve"), ("plan",))
    ]
    ended = [(each.communicate()[0], each.returncode) for each in waiting]
    assert [code for _, code in ended] == [0, 0, 0], ended
    assert "No changes." in house.run("plan")


def test_a_checkout_with_other_line_ends_is_what_was_committed(house: House) -> None:
    house.run("apply", "--auto-approve")
    file = house.root / "teams" / "web.yaml"
    file.write_bytes(file.read_bytes().replace(b"\n", b"\r\n"))
    told = house.run("plan", "--format", "json")
    assert '"uncommitted": false' in told
    assert '"changes": []' in told


def test_no_path_of_the_repository_is_written_as_this_system_writes_paths() -> None:
    """What is recorded, shown or compared has slashes: `as_posix`, never `str` of what is relative."""
    root = Path(__file__).parents[2]
    found = [
        f"{file.relative_to(root).as_posix()}:{number}"
        for package in ("reconciler", "providers", "schemas")
        for file in (root / package).rglob("*.py")
        for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1)
        if re.search(r"str\([^()]*relative_to\([^()]*\)\)|os\.sep\b|os\.path\.sep\b", line)
    ]
    assert found == []


def test_what_is_taken_away_was_there(require: Callable[[str], str]) -> None:
    """Otherwise the tests above would prove nothing."""
    assert shutil.which("env")
    assert hasattr(os, "fork")
    assert hasattr(os, "O_NOFOLLOW")
