"""What must not be issued, by policies on the day or by a linter: shown as blocked, with what hangs by it."""

from collections.abc import Iterable, Iterator

from reconciler.diff.changes import blocked
from reconciler.diff.world import World
from reconciler.limits import refusal
from reconciler.state import DesiredAuthority, DesiredCertificate
from schemas.plan import Action, Change, Reason

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


def withheld(world: World, steps: Iterable[Change]) -> Iterator[Change]:
    """Yield what CAs need without what must not be issued: it is blocked, and so is what requires it."""
    stopped: dict[str, str] = {}
    for step in steps:
        wanted = world.desired.authorities.get(_authority(step))
        lost = next((stopped[id_] for id_ in step.requires if id_ in stopped), None)
        issues = wanted if step.action is Action.ISSUE else None
        found = hindrance(world, issues, step.address) if issues else None
        if found is None and lost is not None:
            message = f"{lost} cannot be issued: see what blocks it"
            found = blocked(step.address, Reason.BLOCKED_BY, message, source=step.source)
        if found is not None:
            stopped[step.id] = step.address
        yield found or step


def _authority(step: Change) -> str:
    """Return the name of the CA that a change is of: `authority/NAME`, or `standby/NAME-gN`."""
    kind, _, name = step.address.partition("/")
    return name if kind == "authority" else name.rpartition("-g")[0]


def unasked(world: World, desired: DesiredCertificate, steps: Iterable[Change]) -> Iterator[Change]:
    """Yield what a certificate needs that its place issues, without asking for what must not be."""
    for step in steps:
        asks = step.action is Action.INSTALL and step.reason in _ASKS
        yield (hindrance(world, desired, step.address) if asks else None) or step
