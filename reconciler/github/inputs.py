"""What a workflow asks of the action: its inputs, as the step's environment carries them.

The runner checks neither that an input is given nor what it says, and writes an absent one as an
empty text: so both is done here.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields
from enum import StrEnum
from typing import Any, Self

from providers.secret import Secret
from reconciler.diagnostics import Diagnostic, error
from reconciler.errors import InvalidInput
from reconciler.load.suggest import nearest

PREFIX = "CERTFORM_INPUT_"


class Command(StrEnum):
    """What the step does."""

    PLAN = "plan"
    APPLY = "apply"
    RENEW = "renew"
    DRIFT = "drift"
    VALIDATE = "validate"


class Offline(StrEnum):
    """Whether a plan asks the targets: not for a fork or a bot, unless it is said."""

    AUTO = "auto"
    YES = "true"
    NO = "false"


class ApplyMode(StrEnum):
    """What may be applied: what merged pull requests showed, or whatever the plan says."""

    REVIEWED = "reviewed"
    ANY = "any"


class Unreviewed(StrEnum):
    """What may be applied though no pull request showed it: what time has made due, or nothing."""

    DUE = "due"
    NONE = "none"


class OnDrift(StrEnum):
    """What becomes of a job that found drift."""

    REPORT = "report"
    FAIL = "fail"


class Install(StrEnum):
    """How the action's dependencies get there; what it says is obeyed before certform starts."""

    AUTO = "auto"
    UV = "uv"
    PIP = "pip"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Inputs:
    """The inputs of one step; docs/github-actions.md says what each is for."""

    command: Command
    working_directory: str = "."
    label: str = ""
    token: Secret | None = field(default=None, repr=False)
    pull_request: int = 0
    offline: Offline = Offline.AUTO
    comment: bool = True
    check: bool = True
    issue: bool = True
    apply_mode: ApplyMode = ApplyMode.REVIEWED
    allow_unreviewed: Unreviewed = Unreviewed.DUE
    allow_mass_change: bool = False
    lock_timeout: int = 600
    fail_on_changes: bool = False
    on_drift: OnDrift = OnDrift.REPORT
    plan_file: str = ""
    sarif_file: str = ""
    metrics_file: str = ""
    inventory_file: str = ""
    install: Install = Install.AUTO

    @classmethod
    def from_environment(cls, environ: Mapping[str, str]) -> Self:
        """Return what was asked; raises `InvalidInput` with everything that is wrong with it."""
        found: list[Diagnostic] = []
        values = dict(_values(environ, found))
        if "command" not in values and not found:
            found.append(error("the input `command` is missing", hint=f"it is {_words(Command)}"))
        if found:
            raise InvalidInput(found)
        return cls(**values)


def input_name(attribute: str) -> str:
    """Return what action.yml calls an input."""
    return attribute.replace("_", "-")


def _values(environ: Mapping[str, str], found: list[Diagnostic]) -> Iterator[tuple[str, Any]]:
    for each in fields(Inputs):
        text = environ.get(f"{PREFIX}{each.name.upper()}", "").strip()
        if not text:
            continue
        try:
            yield each.name, _READ.get(each.type, str)(text)
        except ValueError as why:
            found.append(error(f"the input `{input_name(each.name)}` {why}"))


def _boolean(text: str) -> bool:
    if text not in ("true", "false"):
        raise ValueError(f"must be true or false, not {text}")
    return text == "true"


def _number(text: str) -> int:
    if not text.isascii() or not text.isdigit():
        raise ValueError(f"must be a whole number, not {text}")
    return int(text)


def _choice(kind: type[StrEnum]) -> Any:
    def read(text: str) -> StrEnum:
        try:
            return kind(text)
        except ValueError:
            hint = nearest(text, list(kind))
            raise ValueError(
                f"must be {_words(kind)}, not {text}{'; ' + hint if hint else ''}"
            ) from None

    return read


def _words(kind: type[StrEnum]) -> str:
    *first, last = kind
    return f"{', '.join(first)} or {last}"


_READ: Mapping[Any, Any] = {
    bool: _boolean,
    int: _number,
    Secret | None: lambda text: Secret(text.encode()),
    **{kind: _choice(kind) for kind in (Command, Offline, ApplyMode, Unreviewed, OnDrift, Install)},
}
"""How a field is read, by its type."""
