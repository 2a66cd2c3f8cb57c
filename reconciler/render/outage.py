"""Whom a plan takes down: what is revoked or loses its anchor, and nothing takes its place."""

from collections.abc import Iterable

from schemas.plan import Change


def outage_of(changes: Iterable[Change]) -> tuple[str, ...]:
    """Return the addresses of all that changes take down, each with the place that serves it."""
    found = {
        str(address) for change in changes for address in (change.after or {}).get("outage", ())
    }
    return tuple(sorted(found))


def worded(number: int) -> str:
    """Return that so many places are taken down; empty for none."""
    if not number:
        return ""
    return f"OUTAGE of {number:,} place{'' if number == 1 else 's'}"
