"""As what a CA signs that a plan takes over."""

from reconciler.diff.prospects import Prospect, Prospects
from reconciler.diff.takeovers import is_takeover
from reconciler.state import DesiredAuthority


def taken_over(seen: Prospects, desired: DesiredAuthority) -> Prospect | None:
    """Return as what a CA signs that this plan takes over; None where something stands in the way."""
    adopted = any(is_takeover(step) and step.address == desired.address for step in seen.changes)
    line = ((desired.name, desired.request.generation), *seen.line(desired.request))
    return Prospect(desired.request, line, coming=True) if adopted else None
