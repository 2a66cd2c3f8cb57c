"""GitHub's refusals in words: what was refused, and which permission of the workflow would allow it."""

from collections.abc import Iterator, Mapping
from typing import Any

from reconciler.github.errors import ForgeDenied, ForgeError
from reconciler.render.escape import flowing

PERMISSIONS = "x-accepted-github-permissions"
"""The header that names what would have been enough: sets apart by `;`, all of one set by `,`."""
_CUT = 300
_LIMITS = (
    "rate limit",
    "abuse detection",
    "please retry your request",
    "please wait a few minutes",
)


def refused(status: int, data: Any, headers: Mapping[str, str], page: str) -> ForgeError:
    """Return the error for an answer of GitHub; `page` is what was asked for, `headers` in lower case.

    https://docs.github.com/rest/using-the-rest-api/troubleshooting-the-rest-api
    """
    said = message(data)
    told = f" ({said})" if said else ""
    if status == 401:
        return ForgeDenied(f"GitHub does not accept the token{told}")
    if status == 429 or (status == 403 and _limits(said)):
        return ForgeError(f"GitHub wants fewer requests for a while{told}")
    if status == 403:
        return _denied(f"the token may not do this{told}", headers)
    if status == 404:
        return _denied(f"GitHub has no {page}, or the token may not see it", headers)
    return ForgeError(f"GitHub answered {status}{told} when asked for {page}")


def _denied(what: str, headers: Mapping[str, str]) -> ForgeDenied:
    wanted = permissions(headers.get(PERMISSIONS, ""))
    hint = "give the job these `permissions:`; a pull request from a fork cannot have them"
    if not wanted:
        return ForgeDenied(what)
    return ForgeDenied(f"{what}; it needs the permission {wanted}", hint=hint)


def permissions(header: str) -> str:
    """Return the accepted permissions as a workflow writes them: `pull-requests: write or issues: write`."""
    sets = [
        " and ".join(map(_spelt, each.split(","))) for each in header.split(";") if each.strip()
    ]
    return flowing(" or ".join(sets))[:_CUT]


def _spelt(permission: str) -> str:
    name, _, level = permission.strip().partition("=")
    return f"{name.replace('_', '-')}: {level}" if level else name


def _limits(said: str) -> bool:
    """Whether a 403 is about how often was asked; one whose text was used up waiting is."""
    return not said or any(words in said.lower() for words in _LIMITS)


def message(data: Any) -> str:
    """Return what an answer says is wrong, on one line; empty where it says nothing."""
    if not isinstance(data, Mapping):
        return ""
    return flowing("; ".join(_messages(data)))[:_CUT]


def _messages(data: Mapping[str, Any]) -> Iterator[str]:
    if isinstance(said := data.get("message"), str):
        yield said
    errors = data.get("errors")
    for each in errors if isinstance(errors, list) else ():
        if isinstance(each, Mapping):
            yield str(each.get("message") or " ".join(map(str, each.values())))
        else:
            yield str(each)
