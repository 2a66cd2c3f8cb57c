"""What a runner makes of a step's output: commands, annotations, and the log with its secrets masked.

https://docs.github.com/actions/reference/workflows-and-actions/workflow-commands, as the runner
itself (actions/runner, src/Runner.Worker/ActionCommandManager.cs, ExecutionContext.cs) does it.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePath

LEVELS = ("error", "warning", "notice")
MOST_OF_A_LEVEL = 10
LONGEST_MESSAGE = 4096
RETIRED = frozenset({"set-env", "add-path", "set-output", "save-state"})
"""Commands that nobody may use any more; here every one of them fails the step."""
COMMANDS = frozenset({*LEVELS, *RETIRED, "add-mask", "debug", "group", "endgroup", "echo"})
COMMAND = re.compile(r"\s*::([^\s:]+)(?: ([^:]*(?::(?!:)[^:]*)*))?::(.*)", re.DOTALL)
OLD_COMMAND = re.compile(r"##\[([^\s\]]+)(?: ([^\]]*))?\](.*)")


@dataclass(frozen=True, slots=True)
class Annotated:
    """One annotation as GitHub keeps it; `properties` are file, line, col, title and the like."""

    level: str
    message: str
    properties: Mapping[str, str] = field(default_factory=dict)

    @property
    def place(self) -> tuple[str, int]:
        return self.properties.get("file", ""), int(self.properties.get("line", 0))


class Masker:
    """The secrets of a job, and their replacement by `***`."""

    def __init__(self) -> None:
        self.secrets: set[str] = set()

    def add(self, value: str) -> None:
        for each in (value, *re.split(r"[\r\n]", value)):
            if each.strip():
                self.secrets.add(each if each == value else each.strip())

    def masked(self, text: str) -> str:
        for secret in sorted(self.secrets, key=len, reverse=True):
            text = text.replace(secret, "***")
        return text


class StepLog:
    """The log of one step of a workflow; what a composite action's own steps say goes into it, too."""

    def __init__(self, masker: Masker, workspace: Path) -> None:
        self._masker, self._workspace = masker, workspace
        self._resume: str | None = None
        self._said: list[Annotated] = []
        self.lines: list[str] = []
        self.failed = False

    @property
    def annotations(self) -> tuple[Annotated, ...]:
        """The annotations GitHub shows: the first ten of each level."""
        kept: list[Annotated] = []
        for each in self._said:
            if sum(other.level == each.level for other in kept) < MOST_OF_A_LEVEL:
                kept.append(each)
        return tuple(kept)

    @property
    def dropped(self) -> int:
        """How many annotations nobody sees."""
        return len(self._said) - len(self.annotations)

    @property
    def text(self) -> str:
        return "".join(f"{line}\n" for line in self.lines)

    def write(self, line: str) -> None:
        self.lines.append(self._masker.masked(line))

    def begin(self) -> None:
        """Let the next process begin: commands are obeyed again."""
        self._resume = None

    def annotate(
        self, level: str, message: str, properties: Mapping[str, str] | None = None
    ) -> None:
        shown = self._masker.masked(message)[:LONGEST_MESSAGE]
        self._said.append(Annotated(level, shown, properties or {}))
        self.write(f"##[{level}]{shown}")

    def receive(self, line: str) -> None:
        """Take one line of a process: obey it where it is a command, else show it."""
        found = COMMAND.match(line) or OLD_COMMAND.search(line)
        name = found[1].lower() if found else ""
        if self._resume is not None:
            if name == self._resume.lower():
                self._resume = None
            self.write(line)
        elif found and name == "stop-commands":
            self._stop(_data(found[3]))
            self.write(line)
        elif found and name in COMMANDS:
            escaped = _data(found[3]) if line.lstrip().startswith("::") else found[3]
            self._obey(name, _properties(found[2] or ""), escaped)
        else:
            self.write(line)

    def _stop(self, token: str) -> None:
        if not token or token.lower() in COMMANDS | {"pause-logging"}:
            self._refuse(f"a stop-commands token that is not allowed: {token!r}")
            return
        self._resume = token
        if len(token) > 6:
            self._masker.add(token)

    def _obey(self, name: str, properties: dict[str, str], data: str) -> None:
        if name in LEVELS:
            self.annotate(name, data, self._placed(properties))
        elif name == "add-mask" and data.strip():
            self._masker.add(data)
        elif name in RETIRED:
            self._refuse(f"the command {name} is not obeyed any more")
        elif name in ("group", "endgroup"):
            self.write(f"##[{name}]{data}")

    def _placed(self, properties: dict[str, str]) -> dict[str, str]:
        path = PurePath(properties.get("file", ""))
        if path.is_absolute() and path.is_relative_to(self._workspace):
            properties["file"] = path.relative_to(self._workspace).as_posix()
        return properties

    def _refuse(self, why: str) -> None:
        self.annotate("error", why)
        self.failed = True


def _properties(text: str) -> dict[str, str]:
    pairs = (each.split("=", 1) for each in text.strip().split(",") if "=" in each)
    return {key.lower(): _property(value) for key, value in pairs if key and value}


def _property(text: str) -> str:
    return _data(text.replace("%3A", ":").replace("%2C", ","))


def _data(text: str) -> str:
    return text.replace("%0D", "\r").replace("%0A", "\n").replace("%25", "%")
