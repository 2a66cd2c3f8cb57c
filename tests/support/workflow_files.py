"""The files a runner gives to each step, and what it makes of them afterwards.

As actions/runner does it, src/Runner.Worker/FileCommandManager.cs.
"""

import uuid
from collections.abc import Iterator, Mapping, MutableMapping
from pathlib import Path

from workflow_log import Masker, StepLog

NAMES = ("output", "env", "path", "state", "step_summary")
LARGEST_SUMMARY = 1024 * 1024
REFUSED = frozenset({"NODE_OPTIONS"})
"""What GITHUB_ENV may not set."""


class BadFile(Exception):
    """A file that is not in the grammar; the step fails."""


class StepFiles:
    """Five fresh files of one step."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._paths = {name: folder / f"{name}_{uuid.uuid4()}" for name in NAMES}
        for path in self._paths.values():
            path.touch()

    @property
    def environment(self) -> Mapping[str, str]:
        return {f"GITHUB_{name.upper()}": str(path) for name, path in self._paths.items()}

    def read(self, name: str) -> str:
        """Return what is in a file; a step may have removed it."""
        path = self._paths[name]
        return path.read_bytes().decode("utf-8", "replace") if path.exists() else ""

    def collect(
        self,
        outputs: MutableMapping[str, str],
        env: MutableMapping[str, str],
        path: list[str],
        log: StepLog,
    ) -> None:
        """Take over what the step wrote; what is not in the grammar fails it, and what came before counts."""
        for name, into in (("output", outputs), ("env", env), ("state", {})):
            try:
                for key, value in pairs(self.read(name)):
                    if name == "env" and key.upper() in REFUSED:
                        log.annotate(
                            "error",
                            f"Can't store {key} output parameter using '$GITHUB_ENV' command.",
                        )
                    else:
                        into[key] = value
            except BadFile as why:
                log.annotate("error", f"Unable to process file command '{name}' successfully.")
                log.annotate("error", str(why))
                log.failed = True
        for line in self.read("path").splitlines():
            if line:
                path[:] = [line, *(each for each in path if each != line)]

    def summary(self, masker: Masker, log: StepLog) -> str:
        """Return the step's summary with secrets masked; one that is too large is dropped whole."""
        text = self.read("step_summary")
        if (size := len(text.encode())) > LARGEST_SUMMARY:
            log.annotate(
                "error",
                "$GITHUB_STEP_SUMMARY upload aborted, supports content up to a size of"
                f" {LARGEST_SUMMARY // 1024}k, got {size // 1024}k",
            )
            return ""
        return "".join(f"{masker.masked(line)}\n" for line in text.splitlines())


def pairs(text: str) -> Iterator[tuple[str, str]]:
    """Yield the names and values of a file; raises `BadFile` where the runner does."""
    lines, at = _lines(text), 0
    while at < len(lines):
        line = lines[at].removesuffix("\n")
        at += 1
        if not line:
            continue
        equals, heredoc = line.find("="), line.find("<<")
        if equals >= 0 and (heredoc < 0 or equals < heredoc):
            key, _, value = line.partition("=")
        elif heredoc >= 0:
            key, _, mark = line.partition("<<")
            if not key or not mark:
                raise BadFile(
                    f"Invalid format '{line}'. Name must not be empty and delimiter must not be empty"
                )
            value, at = _heredoc(lines, at, mark)
        else:
            raise BadFile(f"Invalid format '{line}'")
        yield key, value


def _heredoc(lines: list[str], at: int, mark: str) -> tuple[str, int]:
    begin = at
    while at < len(lines) and lines[at].removesuffix("\n") != mark:
        if not lines[at].endswith("\n"):
            raise BadFile("Invalid value. EOF marker missing new line.")
        at += 1
    if at == len(lines):
        raise BadFile(f"Invalid value. Matching delimiter not found '{mark}'")
    return "".join(lines[begin:at]).removesuffix("\n"), at + 1


def _lines(text: str) -> list[str]:
    """Return the lines with what ends them: a line feed and nothing else."""
    *whole, last = text.split("\n")
    return [*(f"{line}\n" for line in whole), *([last] if last else [])]
