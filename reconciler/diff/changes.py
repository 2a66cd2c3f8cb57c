"""How a change is made: its fingerprint says what would happen, in words of neither clock nor prose."""

from typing import Any

from providers.base import Installed
from reconciler.ledger.records import Issuance
from schemas.base import digest
from schemas.plan import Action, Change, FieldChange, Reason, Source
from schemas.scalars import format_instant


def change(  # noqa: PLR0913 - a change has this many sides
    address: str,
    action: Action,
    reason: Reason,
    message: str,
    *,
    identity: Any,
    requires: tuple[str, ...] = (),
    follows: tuple[str, ...] = (),
    source: Source | None = None,
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
    fields: tuple[FieldChange, ...] = (),
    due: bool = False,
    outside: bool = False,
) -> Change:
    """Return a change whose fingerprint covers its address, action and `identity` (JSON data)."""
    return Change(
        address=address,
        action=action,
        reason=reason,
        message=message,
        fields=fields,
        before=before,
        after=after,
        requires=requires,
        follows=follows,
        source=source,
        due=due,
        outside=outside,
        fingerprint=digest([address, action, identity]),
    )


def blocked(  # noqa: PLR0913 - as a change
    address: str,
    reason: Reason,
    message: str,
    *,
    source: Source | None = None,
    requires: tuple[str, ...] = (),
    before: dict[str, Any] | None = None,
    due: bool = False,
    outside: bool = False,
) -> Change:
    """Return what stands in the way, and how to lift it, as a change that does nothing.

    What is `due` is asked for by time alone, and in time: it is under way, and nothing has gone wrong yet.
    """
    return change(
        address,
        Action.BLOCKED,
        reason,
        message,
        identity=reason,
        source=source,
        requires=requires,
        before=before,
        due=due,
        outside=outside,
    )


def seen(held: Installed | Issuance) -> dict[str, object]:
    """Return what a reader knows one certificate by."""
    return {
        "serial": held.serial,
        "not_after": format_instant(held.not_after) if held.not_after else None,
        "sha256": held.sha256,
    }


def change_id(action: Action, address: str) -> str:
    """Return the name other changes require a change by."""
    return f"{action}:{address}"
