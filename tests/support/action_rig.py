"""The action with one small package to install, and machines whose programs are chosen."""

import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from github_bare import Bare
from github_events import Event
from wheel_index import Index
from workflow_runner import JobResult, Machine

ROOT = Path(__file__).parents[2]
USED = "certform/certform"
PROBE = """\
import os, sys
import smallest
print("isolated", sys.flags.isolated, "utf8", sys.flags.utf8_mode, "child", os.environ["PYTHONUTF8"])
print("prefix", sys.prefix)
print("package", smallest.ORIGIN)
print("where", os.getcwd())
"""
"""What runs in certform's place where the packages that it needs are not the question."""


def small_action(folder: Path, index: Index, lock: str = "") -> Path:
    """Return a copy of the action that installs the index's package and then looks where it is."""
    (folder / "action").mkdir(parents=True)
    shutil.copy(ROOT / "action.yml", folder)
    for name in ("start.sh", "install.py"):
        shutil.copy(ROOT / "action" / name, folder / "action")
    (folder / "action/run.py").write_text(PROBE)
    (folder / "action/requirements.lock").write_text(lock or index.lock)
    (folder / "action/installer.lock").write_text(index.installer)
    return folder


def programs(
    folder: Path, *, uv: bool = False, python: Path | str = sys.executable, name: str = "python3"
) -> str:
    """Return a PATH on which there is a Python of that name, uv or not, and what a system has beside."""
    folder.mkdir(parents=True, exist_ok=True)
    launcher = folder / name
    launcher.write_text(f'#!/bin/sh\nexec "{python}" "$@"\n')
    launcher.chmod(0o755)
    if uv:
        (folder / "uv").symlink_to(Path(sys.executable).parent / "uv")
    return f"{folder}:/usr/bin:/bin"


@dataclass
class Station:
    """A repository, and a machine that uses the action in it."""

    folder: Path
    action: Path
    environment: dict[str, str] = field(default_factory=dict)
    files: dict[str, str] = field(default_factory=lambda: {"README.md": "certificates\n"})

    def __post_init__(self) -> None:
        self.bare = Bare.made(self.folder / "github.git")
        self.machine = Machine(
            self.folder / "machine",
            f"file://{self.bare.root}",
            actions={USED: self.action},
            environment=self.environment,
        )

    @property
    def cache(self) -> Path:
        """Where installed environments are kept."""
        return self.machine.folder / "tools" / "certform"

    @property
    def environments(self) -> list[Path]:
        return sorted(each for each in self.cache.iterdir() if each.is_dir())

    def push(self) -> Event:
        """Push the files; return what GitHub says of it."""
        sha = self.bare.commit(self.files)
        self.bare.update("refs/heads/main", sha)
        payload = {"repository": {"full_name": "acme/pki", "id": 1001, "default_branch": "main"}}
        return Event("push", payload, sha, "refs/heads/main", "mona")

    def use(self, env: Mapping[str, str] | None = None, **inputs: str) -> JobResult:
        """Push the files and use the action on them, by default for `validate`."""
        return self.machine.use(f"{USED}@v1", self.push(), env, **{"command": "validate", **inputs})
