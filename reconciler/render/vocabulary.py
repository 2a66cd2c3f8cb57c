"""The signs, verbs and colours of a plan: one kind for every change a reader should tell apart."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum

from schemas.plan import Action, Change, Reason


@dataclass(frozen=True, slots=True)
class Form:
    """How a kind is told: `legend` in a plan, `doing` and `done` while it is applied.

    `column` stands first on a line of a `diff` block, for its colour.
    """

    sign: str
    legend: str
    doing: str
    done: str
    colour: str
    column: str


class Kind(Enum):
    """What a change means to its reader, the most dangerous first."""

    REVOKE = Form("!", "revoke", "Revoking", "revoked", "bright_red", "-")
    REMOVE = Form("-", "remove", "Removing", "removed", "red", "-")
    REPLACE = Form("+/-", "replace", "Replacing", "replaced", "magenta", "!")
    BLOCKED = Form("?", "blocked", "Waiting", "blocked", "bright_yellow", "#")
    FORGET = Form(".", "forget", "Forgetting", "forgotten", "white", "#")
    CONFIGURE = Form("~", "configure", "Configuring", "configured", "yellow", "!")
    RELABEL = Form("~", "relabel", "Relabelling", "relabelled", "yellow", "!")
    RESUME = Form("~", "finish", "Finishing", "finished", "yellow", "!")
    RENEW = Form("~", "renew", "Renewing", "renewed", "yellow", "!")
    PUBLISH = Form(">", "publish", "Publishing", "published", "cyan", "+")
    ADOPT = Form("=", "adopt", "Adopting", "adopted", "cyan", "!")
    INSTALL = Form(">", "install", "Installing", "installed", "cyan", "+")
    NEW = Form("+", "issue", "Issuing", "issued", "green", "+")


ISSUES = frozenset({Kind.NEW, Kind.RENEW, Kind.RESUME, Kind.REPLACE})
FOLDED = ISSUES | {Kind.ADOPT, Kind.INSTALL, Kind.RELABEL, Kind.CONFIGURE}
"""Kinds that are told together, in one block for each certificate or authority."""

COUNTED = (
    Kind.NEW,
    Kind.RENEW,
    Kind.RESUME,
    Kind.REPLACE,
    Kind.ADOPT,
    Kind.INSTALL,
    Kind.RELABEL,
    Kind.CONFIGURE,
    Kind.FORGET,
    Kind.REMOVE,
    Kind.REVOKE,
    Kind.PUBLISH,
)
"""The order in which changes are counted, by plan and by apply."""

_ISSUE_KINDS = {
    Reason.NOT_FOUND: Kind.NEW,
    Reason.STANDBY: Kind.NEW,
    Reason.CROSS_SIGNED: Kind.NEW,
    Reason.RENEWING: Kind.RENEW,
    Reason.EXPIRED: Kind.RENEW,
    Reason.NOT_YET_VALID: Kind.RENEW,
    Reason.RESUMING: Kind.RESUME,
}
_RISK = {kind: place for place, kind in enumerate(Kind)}


def kind_of(change: Change) -> Kind:
    """Return what a change means to its reader."""
    if change.action is Action.ISSUE:
        return _ISSUE_KINDS.get(change.reason, Kind.REPLACE)
    return Kind[change.action.name]


def verb_of(kind: Kind) -> str:
    """Return what a plan says of a thing of this kind; loud where it is the end of the thing."""
    if kind is Kind.BLOCKED:
        return "is BLOCKED"
    done = kind.value.done
    return f"will be {done.upper() if kind in (Kind.REVOKE, Kind.REMOVE) else done}"


def by_risk(kind: Kind) -> int:
    """Return a sort key that puts what cannot be undone first."""
    return _RISK[kind]


def legend(changes: Iterable[Change]) -> str:
    """Return the signs that are used, each with what it stands for; the harmless first."""
    used = Counter(kind_of(change) for change in changes)
    words: dict[str, list[str]] = {}
    for kind in sorted(used, key=by_risk, reverse=True):
        words.setdefault(kind.value.sign, []).append(kind.value.legend)
    return "   ".join(f"{sign} {', '.join(names)}" for sign, names in words.items())
