"""What is chosen before anything is signed: a serial number, and the dates."""

import secrets
from datetime import UTC, datetime, timedelta

BACKDATE = timedelta(minutes=5)
"""How far a start lies in the past, for relying parties whose clock is slow."""


def new_serial() -> str:
    """Return a serial number of 20 octets: positive, below 2^159, 158 bits of it random.

    CA/B BR 7.1.2 asks for 64 random bits, RFC 5280 section 4.1.2.2 for at most 20 octets.
    """
    return f"{1 << 158 | secrets.randbits(158):x}"


def validity(
    now: datetime,
    duration: int,
    *,
    backdate: timedelta = BACKDATE,
    not_before_limit: datetime | None = None,
    not_after_limit: datetime | None = None,
) -> tuple[datetime, datetime]:
    """Return (notBefore, notAfter) in UTC for a lifetime of `duration` seconds.

    Both ends are inclusive, so the end lies one second early. The limits are the issuer's own dates:
    a start before its start is moved up to it, an end after its end is cut off there. Raises
    ValueError when nothing is left.
    """
    start = (now.astimezone(UTC) - backdate).replace(microsecond=0)
    if not_before_limit is not None:
        start = max(start, not_before_limit)
    end = start + timedelta(seconds=duration - 1)
    if not_after_limit is not None:
        end = min(end, not_after_limit)
    if end <= now:
        raise ValueError("the certificate would end before it is made")
    return start, end
