"""The signs, verbs and colours of a plan: one kind for every change a reader should tell apart."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum

from schemas.plan import Action, Change, Reason


@dataclass(frozen=True, slots=True)
class Form:
    """How a kind looks. `column` stands first on a line of a `diff` block, for its colour."""

    sign: str
    legend: str
    verb: str
    colour: str
    column: str


class Kind(Enum):
    """What a change means to its reader, the most dangerous first."""

    REVOKE = Form("!", "revoke", "will be REVOKED", "bright_red", "-")
    REMOVE = Form("-", "remove", "will be REMOVED", "red", "-")
    REPLACE = Form("+/-", "replace", "will be replaced", "magenta", "!")
    BLOCKED = Form("?", "blocked", "is BLOCKED", "bright_yellow", "#")
    FORGET = Form(".", "forget", "will be forgotten", "white", "#")
    CONFIGURE = Form("~", "configure", "will be configured", "yellow", "!")
    RELABEL = Form("~", "relabel", "will be relabelled", "yellow", "!")
    RESUME = Form("~", "finish", "will be finished", "yellow", "!")
    RENEW = Form("~", "renew", "will be renewed", "yellow", "!")
    PUBLISH = Form(">", "publish", "will be published", "cyan", "+")
    INSTALL = Form(">", "install", "will be installed", "cyan", "+")
    NEW = Form("+", "issue", "will be issued", "green", "+")


ISSUES = frozenset({Kind.NEW, Kind.RENEW, Kind.RESUME, Kind.REPLACE})
FOLDED = ISSUES | {Kind.INSTALL, Kind.RELABEL, Kind.CONFIGURE}
"""Kinds that are told together, in one block for each certificate or authority."""

_ISSUE_KINDS = {
    Reason.NOT_FOUND: Kind.NEW,
    Reason.RENEWING: Kind.RENEW,
    Reason.EXPIRED: Kind.RENEW,
    Reason.REQUESTED: Kind.RENEW,
    Reason.RESUMING: Kind.RESUME,
}
_RISK = {kind: place for place, kind in enumerate(Kind)}


def kind_of(change: Change) -> Kind:
    """Return what a change means to its reader."""
    if change.action is Action.ISSUE:
        return _ISSUE_KINDS.get(change.reason, Kind.REPLACE)
    return Kind[change.action.name]


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
