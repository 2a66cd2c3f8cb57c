"""What must not be issued, by policies on the day or by a linter: shown as blocked, with what hangs by it."""

from collections.abc import Iterable, Iterator
from datetime import datetime

from reconciler.diff.changes import blocked
from reconciler.diff.world import World
from reconciler.ledger.records import Attempts
from reconciler.limits import refusal
from reconciler.state import DesiredAuthority, DesiredCertificate
from schemas.plan import Action, Change, Reason
from schemas.scalars import format_instant

_ASKS = frozenset({Reason.NOT_FOUND, Reason.SPEC_CHANGED, Reason.ISSUER_CHANGED, Reason.REQUESTED})
"""Why a place is asked for a certificate that it is to issue by itself."""


def hindrance(
    world: World, wanted: DesiredCertificate | DesiredAuthority, address: str
) -> Change | None:
    """Return what stands in the place of an issue that must not be; None where it may."""
    if found := world.refused.get(address):
        source = found.source or wanted.source
        return blocked(address, Reason.LINT, found.message, source=source)
    if why := refusal(wanted.limits, wanted.request.duration, world.now):
        return blocked(address, Reason.POLICY, why.message, source=why.source or wanted.source)
    return None


def unasked(world: World, desired: DesiredCertificate, steps: Iterable[Change]) -> Iterator[Change]:
    """Yield what a certificate needs that its place issues, without asking for what must not be."""
    for step in steps:
        asks = step.action is Action.INSTALL and step.reason in _ASKS
        yield (hindrance(world, desired, step.address) if asks else None) or step


def pausing(last: Attempts | None, digest: str, now: datetime) -> str:
    """Say that what a digest asks for was tried in vain, and when again; empty when now."""
    if last is None or last.again_at is None or last.digest != digest or last.again_at <= now:
        return ""
    times = f", after {last.failures:,} failures since {format_instant(last.since)}"
    until = f"{format_instant(last.again_at)}{times if last.failures > 1 else ''}"
    return f"its issuer is asked for no order before {until}: {last.error}"
