"""Who asks the emulated GitHub, and what a token may do there."""

from collections.abc import Mapping
from dataclasses import dataclass, field

NEEDS = {
    "checks/create": "checks=write",
    "checks/list-for-ref": "checks=read",
    "checks/update": "checks=write",
    "git/get-ref": "contents=read",
    "issues/create": "issues=write",
    "issues/create-comment": "issues=write; pull_requests=write",
    "issues/create-label": "issues=write; pull_requests=write",
    "issues/get-label": "issues=read; pull_requests=read",
    "issues/list-comments": "issues=read; pull_requests=read",
    "issues/list-for-repo": "issues=read; pull_requests=read",
    "issues/update": "issues=write; pull_requests=write",
    "issues/update-comment": "issues=write; pull_requests=write",
    "pulls/get": "pull_requests=read",
    "repos/list-commits": "contents=read",
    "repos/list-pull-requests-associated-with-commit": "pull_requests=read",
}
"""The permissions of each operation, as the header x-accepted-github-permissions says them.

https://docs.github.com/rest/authentication/permissions-required-for-github-apps
"""
LEVELS = {"none": 0, "read": 1, "write": 2}


@dataclass(frozen=True, slots=True)
class Token:
    """One token. `app` is empty for a person's; `known` tells that it may see the repository at all."""

    login: str
    app: str
    permissions: Mapping[str, str]
    known: bool = True

    def may(self, needed: str, *, public: bool) -> bool:
        """Whether one of the sets of permissions is had; what is public may be read by everybody."""
        sets = [
            dict(one.strip().split("=") for one in each.split(",")) for each in needed.split(";")
        ]
        return any(
            all(self._has(name, level, public=public) for name, level in each.items())
            for each in sets
        )

    def _has(self, name: str, level: str, *, public: bool) -> bool:
        if public and level == "read":
            return True
        return LEVELS[self.permissions.get(name, "none")] >= LEVELS[level]


@dataclass(slots=True)
class Tokens:
    """The tokens that were given out."""

    given: dict[str, Token] = field(default_factory=dict)

    def make(
        self, login: str, app: str, permissions: Mapping[str, str], *, known: bool = True
    ) -> str:
        """Return a new token."""
        text = f"ghs_{len(self.given):04}{login.partition('[')[0].replace('-', '')}Emulated"
        self.given[text] = Token(login, app, permissions, known)
        return text

    def of(self, header: str) -> Token | None:
        """Return the token of an Authorization header."""
        kind, _, text = header.partition(" ")
        return self.given.get(text) if kind.lower() in ("token", "bearer") else None
