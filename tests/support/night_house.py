"""A repository with a nightly job: all is applied once, then somebody tampers and the job looks again."""

import itertools
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from github_emulator import GitHub
from github_events import Event, schedule
from github_state import Comment, Issue
from rig import DOCUMENTS

from providers.sops.identity import make_identity


@dataclass(frozen=True, slots=True)
class Looked:
    """How a job ended, and what it told its runner."""

    code: int
    log: str
    outputs: Mapping[str, str]
    summary: str

    def commands(self, name: str) -> list[str]:
        """Return the workflow commands of a name, outside what is only quoted."""
        told = re.sub(r"::stop-commands::(\w+)\n.*?\n::\1::", "", self.log, flags=re.DOTALL)
        return [line for line in told.splitlines() if line.startswith(f"::{name}")]


@dataclass(slots=True)
class House:
    """A machine that keeps its checkout, and the emulated GitHub it is of."""

    github: GitHub
    root: Path
    identity: Path
    _nights: "itertools.count[int]" = field(default_factory=lambda: itertools.count(1))

    @classmethod
    @contextmanager
    def opened(cls, stock: Path, folder: Path) -> Iterator["House"]:
        """Serve a copy of a stock until the context ends."""
        shutil.copytree(stock, folder / "house", symlinks=True)
        root, bare = folder / "house" / "repository", folder / "house" / "github.git"
        git(root, "remote", "set-url", "origin", str(bare))
        with GitHub.running(folder, bare=bare) as github:
            yield cls(github, root, stock / "identity.txt")

    def look(
        self, *, token: str | None = None, event: Event | None = None, **inputs: str
    ) -> Looked:
        """Run the job one night, or on another event; inputs as action.yml has them, `_` for `-`."""
        night = next(self._nights)
        place = self.root.parent / f"night-{night}"
        variables = {
            **(event or schedule(self.github)).variables(
                self.github, place, run_id=str(8000 + night)
            ),
            "GITHUB_WORKSPACE": str(self.root),
            "GITHUB_OUTPUT": str(place / "output"),
            "GITHUB_STEP_SUMMARY": str(place / "summary"),
            "CERTFORM_INPUT_COMMAND": "drift",
            "CERTFORM_INPUT_TOKEN": self.github.token() if token is None else token,
            **{f"CERTFORM_INPUT_{name.upper()}": value for name, value in inputs.items()},
        }
        done = self.run("action", **variables)
        output, summary = place / "output", place / "summary"
        return Looked(
            done.returncode,
            done.stdout + done.stderr,
            _outputs(output.read_text() if output.exists() else ""),
            summary.read_text() if summary.exists() else "",
        )

    def run(self, *argv: str, **variables: str) -> "subprocess.CompletedProcess[str]":
        """Run certform."""
        done = _certform(self.root, self.identity, *argv, **variables)
        assert "Traceback" not in done.stdout + done.stderr
        return done

    def check_out(self, sha: str) -> None:
        """Check another commit out."""
        git(self.root, "fetch", "--quiet", "origin", sha)
        git(self.root, "checkout", "--quiet", "--detach", sha)

    def repair(self) -> None:
        """Apply everything."""
        done = self.run("apply", "--auto-approve")
        assert done.returncode == 0, done.stderr

    def tamper(self, target: str, name: str, file: str = "cert.pem") -> None:
        """Let somebody write over a file that was installed."""
        path = self.root / "live" / target / name / "current" / file
        path.chmod(0o644)
        path.write_text("not it\n")

    @contextmanager
    def unreadable(self, target: str) -> Iterator[None]:
        """Let a target's folder be away."""
        folder = self.root / "live" / target
        folder.rename(folder.with_name(f"{target}-away"))
        yield
        folder.with_name(f"{target}-away").rename(folder)

    @property
    def issue(self) -> Issue:
        """The one issue there is."""
        (only,) = self.github.issues
        return only

    @property
    def remarks(self) -> list[Comment]:
        """What was remarked on it, oldest first."""
        return self.github.comments(self.issue.number)


def stocked(folder: Path) -> Path:
    """Make a repository in a folder, apply it, and push it with its ledger."""
    root, identity = folder / "repository", folder / "identity.txt"
    recipient = make_identity(identity)
    for name, text in {**DOCUMENTS, ".gitignore": "/live\n/reloaded\n"}.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text.replace("{recipient}", recipient))
    git(folder, "init", "--quiet", "--bare", "--initial-branch=main", str(folder / "github.git"))
    git(root, "init", "--quiet", "--initial-branch=main")
    git(root, "remote", "add", "origin", str(folder / "github.git"))
    for argv in (("init",), ("apply", "--auto-approve")):
        done = _certform(root, identity, *argv)
        assert done.returncode == 0, done.stderr
    git(root, "add", ".")
    git(root, "commit", "--quiet", "--message", "Documents")
    git(root, "push", "--quiet", "origin", "main")
    return folder


def _certform(
    root: Path, identity: Path, *argv: str, **variables: str
) -> "subprocess.CompletedProcess[str]":
    kept = {key: os.environ[key] for key in ("PATH", "LANG", "TMPDIR") if key in os.environ}
    told = {**kept, "HOME": str(identity.parent), "SOPS_AGE_KEY_FILE": str(identity), **variables}
    program = (sys.executable, "-P", "-m", "reconciler")
    return subprocess.run(
        [*program, *argv], cwd=root, env=told, capture_output=True, text=True, check=False
    )


def git(root: Path, *argv: str) -> None:
    """Run git as a person."""
    author = ("-c", "user.name=Ann", "-c", "user.email=ann@example.com")
    subprocess.run(["git", *author, *argv], cwd=root, check=True, capture_output=True)


def _outputs(text: str) -> dict[str, str]:
    found = re.findall(r"^([\w-]+)<<(\w+)\n(.*?)\n\2$", text, re.MULTILINE | re.DOTALL)
    return {name: value for name, _, value in found}
