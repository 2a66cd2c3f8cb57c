"""How every client of Azure connects: to the place that was named, and to nothing else that answers."""

from typing import Any

from providers.errors import Ambiguous

_CONNECT, _READ = 10, 30
"""Seconds."""


def options(*, verify_challenge_resource: bool) -> dict[str, Any]:
    """Return what a client is made with: retries are ours, and a key or token follows no redirect."""
    return {
        "verify_challenge_resource": verify_challenge_resource,
        "retry_total": 0,
        "permit_redirects": False,
        "connection_timeout": _CONNECT,
        "read_timeout": _READ,
        "raw_response_hook": _check_answer,
    }


def _check_answer(response: Any) -> None:
    """Raise `Ambiguous` for a success that Azure would not tell of so: a proxy may have answered."""
    answer = response.http_response
    if not 200 <= answer.status_code < 300:
        return
    try:
        told = answer.json()
    except ValueError:
        told = None
    if not (isinstance(told, dict) and _is_told(told)):
        raise Ambiguous("Azure's answer could not be read")


def _is_told(told: dict[str, Any]) -> bool:
    """Whether it is a certificate or a creation, a page of them, a key, or a signature."""
    return (
        isinstance(told.get("id"), str)
        or isinstance(told.get("value"), list | str)
        or isinstance(told.get("key"), dict)
    )
