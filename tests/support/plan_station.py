"""A repository on the emulated GitHub in which everything is applied, and steps of workflows run in it."""

import itertools
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from github_emulator import GitHub
from github_events import Event
from github_rig import forge_at
from github_state import Pull
from rig import AUTHORITIES, CERTIFICATES, PROJECT, TARGETS, Repository, Runner

from providers.sops.identity import make_identity
from reconciler.github.checks import shown

PROGRAM = (sys.executable, "-P", "-m", "reconciler")
REFS = ("refs/heads/main", "refs/heads/certform/ledger", "refs/certform/*")


@dataclass(frozen=True, slots=True)
class Stock:
    """What a station is made from: a bare repository with its ledger, and the targets as applied."""

    bare: Path
    documents: Mapping[str, str]


def stocked(folder: Path) -> Stock:
    """Make a repository, apply it, and push it with its ledger."""
    root, bare = folder / "repository", folder / "github.git"
    documents = {
        "certform.yaml": PROJECT.replace("live/", f"{folder}/live/"),
        "authorities/ca.yaml": AUTHORITIES,
        "config/targets.yaml": TARGETS.replace("live/", f"{folder}/live/").replace(
            "[touch, reloaded]", f"[touch, {folder}/reloaded]"
        ),
        "certificates.yaml": CERTIFICATES,
    }
    recipient = make_identity(folder / "identity.txt")
    for name, text in documents.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text.replace("{recipient}", recipient))
    _git(folder, "init", "--quiet", "--bare", "--initial-branch=main", str(bare))
    _git(bare, "config", "uploadpack.allowAnySHA1InWant", "true")
    _git(root, "init", "--quiet", "--initial-branch=main")
    _git(root, "remote", "add", "origin", str(bare))
    variables = {**_inherited(folder), "SOPS_AGE_KEY_FILE": str(folder / "identity.txt")}
    for argv in (("init",), ("apply", "--auto-approve")):
        done = _run(root, variables, *argv)
        assert done.returncode == 0, done.stderr
    _git(root, "add", ".")
    _git(root, "commit", "--quiet", "--message", "Documents")
    _git(root, "push", "--quiet", "origin", "main")
    return Stock(bare, {name: (root / name).read_text() for name in documents})


class Machine(Repository):
    """Where a step runs: it has what its runner tells it, and nothing else."""

    @property
    def environment(self) -> dict[str, str]:
        return {}


@dataclass(frozen=True, slots=True)
class Ran:
    """How a step ended, and what it told its runner."""

    code: int
    log: str
    said: str
    outputs: dict[str, str]
    summary: str

    def commands(self, name: str) -> list[str]:
        """Return the workflow commands of a name that the log has, outside what is only quoted."""
        told = re.sub(r"::stop-commands::(\w+)\n.*?\n::\1::", "", self.log, flags=re.DOTALL)
        return [line for line in told.splitlines() if line.startswith(f"::{name}")]


@dataclass(slots=True)
class Station:
    """The emulated GitHub, and a machine that runs one step after another."""

    github: GitHub
    folder: Path
    documents: Mapping[str, str]
    runner: Runner
    _numbers: "itertools.count[int]" = field(default_factory=lambda: itertools.count(1))

    def plan(
        self,
        event: Event,
        *,
        token: str | None = None,
        at: str = "",
        origin: str = "",
        run_id: str = "",
        **inputs: str,
    ) -> Ran:
        """Check the event's commit out, or another, as actions/checkout does with a depth of 2, and plan.

        `origin` is what the checkout's remote has become meanwhile, if it is not what it was.
        """
        number = next(self._numbers)
        place = self.folder / f"run-{number}"
        workspace = self.checkout(at or event.sha, place / "workspace")
        if origin:
            _git(workspace, "remote", "set-url", "origin", origin)
        variables = {
            **_inherited(self.folder),
            **event.variables(self.github, place, run_id=run_id or str(8000 + number)),
            "CERTFORM_INPUT_COMMAND": "plan",
            "GITHUB_WORKSPACE": str(workspace),
            "GITHUB_OUTPUT": str(place / "output"),
            "GITHUB_STEP_SUMMARY": str(place / "summary"),
            "CERTFORM_INPUT_TOKEN": self.github.token() if token is None else token,
            **{f"CERTFORM_INPUT_{name.upper()}": value for name, value in inputs.items()},
        }
        (place / "tmp").mkdir()
        machine = Machine(workspace, place / "identity.txt", place / "tmp")
        done = self.runner.run(machine, "action", **variables)
        assert "Traceback" not in done.out + done.err
        output, summary = place / "output", place / "summary"
        return Ran(
            done.status,
            done.out,
            done.err,
            _outputs(output.read_text() if output.exists() else ""),
            summary.read_text() if summary.exists() else "",
        )

    def fingerprints(self, pull: Pull) -> frozenset[str] | None:
        """Return what an apply takes for reviewed once a pull request is merged as it is now."""
        forge = forge_at(self.github)
        return shown(partial(forge.checks, pull.head), "faults", forge.pull(pull.number))

    def read(self, path: str) -> str:
        """Return what a step wrote somewhere."""
        return Path(path).read_text()

    def checkout(self, sha: str, workspace: Path) -> Path:
        """Return a shallow checkout of a commit, its remote called `origin`."""
        workspace.mkdir(parents=True)
        _git(workspace, "init", "--quiet")
        _git(workspace, "remote", "add", "origin", f"file://{self.github.bare.root}")
        _git(workspace, "fetch", "--quiet", "--depth=2", "origin", sha)
        _git(workspace, "checkout", "--quiet", "--detach", sha)
        return workspace


def copied(stock: Stock, folder: Path) -> Path:
    """Return a copy of the stock's bare repository."""
    return Path(shutil.copytree(stock.bare, folder / "github.git"))


def _outputs(text: str) -> dict[str, str]:
    found = re.findall(r"^([\w-]+)<<(\w+)\n(.*?)\n\2$", text, re.MULTILINE | re.DOTALL)
    return {name: value for name, _, value in found}


def _inherited(home: Path) -> dict[str, str]:
    kept = ("PATH", "LANG", "TMPDIR", "PYTHONPATH")
    return {**{k: v for k, v in os.environ.items() if k in kept}, "HOME": str(home)}


def _run(
    root: Path, variables: Mapping[str, str], *argv: str
) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [*PROGRAM, *argv], cwd=root, env=variables, capture_output=True, text=True, check=False
    )


def _git(root: Path, *argv: str) -> None:
    author = ("-c", "user.name=Ann", "-c", "user.email=ann@example.com")
    subprocess.run(["git", *author, *argv], cwd=root, check=True, capture_output=True)
