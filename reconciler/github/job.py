"""What every command of the action works with, and how it goes on where GitHub does not."""

import errno
import os
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import TypeVar

from reconciler.cli.app import Console
from reconciler.github.forge import Forge, ForgeError
from reconciler.github.inputs import Inputs
from reconciler.github.run import Run
from reconciler.github.workflow import Workflow

T = TypeVar("T")


@dataclass(frozen=True)
class Job:
    """One step of one run. `console.root` is the folder of the Project, below `workspace`."""

    console: Console
    run: Run
    inputs: Inputs
    workflow: Workflow
    workspace: Path

    @cached_property
    def forge(self) -> Forge | None:
        """GitHub; None where no token was given, and then nothing is told there."""
        return Forge.at(self.run, self.inputs.token) if self.inputs.token else None

    @property
    def folder(self) -> PurePosixPath:
        """Where the Project is, from the repository's root: what files are named by on GitHub."""
        return PurePosixPath(self.console.root.relative_to(self.workspace).as_posix())

    def place(self, name: str) -> Path:
        """Return where a file belongs that an input names, its folder made; raises OSError.

        The folder may be a link that a pull request brought: no name that stays in the repository may
        lead out of it.
        """
        file, parts = self.workspace / name, Path(name).parts
        inside = not Path(name).is_absolute() and ".." not in parts
        if inside and not Path(os.path.realpath(file.parent)).is_relative_to(self.workspace):
            raise OSError(errno.EPERM, "The folder leads out of the repository", str(file))
        with suppress(FileExistsError):  # what it is then, whoever writes the file is told
            file.parent.mkdir(parents=True, exist_ok=True)
        return file

    def attempt(self, what: str, action: Callable[[Forge], T]) -> T | None:
        """Tell GitHub something; a failure is a notice, since the work itself is done by now."""
        try:
            if self.forge is not None:
                return action(self.forge)
            self.workflow.notice(f"{what}: left out, there is no token")
        except ForgeError as why:
            self.workflow.notice(f"{what}: left out, {why}")
        return None
