"""What of a plan is proposed: the changes that the documents of the base alone would not cause. Pure."""

from collections.abc import Sequence

from reconciler.assumption import Assumption
from reconciler.diff import World, diff
from reconciler.state import Desired, Observed
from schemas.plan import Change

_LEFT = "not looked at: what is proposed is another place"


def proposed(world: World, changes: Sequence[Change]) -> tuple[Change, ...]:
    """Return changes marked by whether what is proposed causes them; unmarked where there is no base."""
    if world.base is None:
        return tuple(changes)
    anyway = {step.fingerprint for step in diff(_without(world, world.base))}
    return tuple(
        step.model_copy(update={"proposed": step.fingerprint not in anyway}) for step in changes
    )


def _without(world: World, base: Desired) -> World:
    """Return the world as it would be without what is proposed.

    A place that is proposed to be left was not looked at: it is taken to be as certform left it.
    """
    assumption = Assumption(base, world.ledger, world.now)
    observed = {
        name: assumption.holding(name, _LEFT) if _is_left(world, name) else world.observation(name)
        for name in base.targets
    }
    published = None if world.publishes_elsewhere else world.observed.published
    seen = Observed(observed, published)
    return World(base, seen, world.ledger, world.now, world.replace, refused=world.refused)


def _is_left(world: World, name: str) -> bool:
    return name not in world.desired.targets or world.is_elsewhere(name)
