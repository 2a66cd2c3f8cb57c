"""The runner's own channel: commands on stdout, and the files it gives a step.

https://docs.github.com/actions/reference/workflows-and-actions/workflow-commands
"""

import secrets
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TextIO

from reconciler.render.escape import visible

MOST_ANNOTATIONS = 10
"""How many of each level a step may make; the runner drops the others without a word."""
LONGEST_TITLE = 255
"""Characters of a title: an annotation's, a check run's, an issue's."""
LONGEST_MESSAGE = 4_000
"""Characters of one annotation's message; the runner cuts at 4,096."""
LARGEST_SUMMARY = 1_000_000
"""Bytes of a step's summary; the runner drops a larger one than 1 MiB whole."""


class Level(StrEnum):
    """How loud an annotation is."""

    ERROR = "error"
    WARNING = "warning"
    NOTICE = "notice"


@dataclass(frozen=True, slots=True)
class Annotation:
    """One remark; `file` is relative to the repository, with slashes. Lines and columns count from one."""

    level: Level
    title: str
    message: str
    file: str = ""
    line: int = 0
    column: int = 0


def cut(title: str) -> str:
    """Return a title, one that is too long with an ellipsis at its end."""
    return title if len(title) <= LONGEST_TITLE else f"{title[: LONGEST_TITLE - 1]}…"


def command(name: str, data: str, properties: Mapping[str, object] | None = None) -> str:
    """Return one workflow command as a line, its values escaped."""
    told = ",".join(f"{key}={_property(str(value))}" for key, value in (properties or {}).items())
    return f"::{name}{' ' + told if told else ''}::{_data(data)}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")


class Workflow:
    """What one step tells its runner."""

    def __init__(self, environ: Mapping[str, str], out: TextIO) -> None:
        self._environ = environ
        self._out = out

    def annotate(self, annotations: Sequence[Annotation]) -> None:
        """Make the first ten annotations of each level, and say how many more there are."""
        for level in Level:
            those = [each for each in annotations if each.level is level]
            room = MOST_ANNOTATIONS if len(those) <= MOST_ANNOTATIONS else MOST_ANNOTATIONS - 1
            for each in those[:room]:
                self._say(_annotation(each))
            if rest := len(those) - room if len(those) > room else 0:
                text = f"{rest:,} more; the log and the job summary have them all"
                self._say(command(level, text, {"title": "certform"}))

    def notice(self, text: str) -> None:
        """Say what did not work and does not matter."""
        self._say(command(Level.NOTICE, text, {"title": "certform"}))

    def mask(self, secret: str) -> None:
        """Ask the runner to show `***` in the place of each line of a secret."""
        for line in secret.splitlines():
            if line.strip():
                self._say(command("add-mask", line.strip()))

    @contextmanager
    def group(self, title: str) -> Iterator[None]:
        """Fold what is written meanwhile; no line of it is a command."""
        token = secrets.token_hex(16)
        self._say(command("group", visible(title)))
        self._say(command("stop-commands", token))
        try:
            yield
        finally:
            self._say(f"::{token}::")
            self._say(command("endgroup", ""))

    def output(self, name: str, value: str | int) -> None:
        """Set an output of the step; the value may be anything."""
        mark = f"certform_{secrets.token_hex(16)}"
        self._append("GITHUB_OUTPUT", f"{name}<<{mark}\n{value}\n{mark}\n")

    def summary(self, markdown: str) -> None:
        """Add to the job's summary; the text has to be within `LARGEST_SUMMARY`."""
        self._append("GITHUB_STEP_SUMMARY", f"{markdown}\n")

    def _append(self, variable: str, text: str) -> None:
        if path := self._environ.get(variable):
            with Path(path).open("a", encoding="utf-8", newline="\n") as file:
                file.write(text)

    def _say(self, line: str) -> None:
        self._out.write(f"{line}\n")
        self._out.flush()


def _annotation(each: Annotation) -> str:
    title = cut(visible(each.title))
    said = {"title": title, "file": each.file, "line": each.line, "col": each.column}
    properties = {key: value for key, value in said.items() if value}
    return command(each.level, each.message[:LONGEST_MESSAGE], properties)
