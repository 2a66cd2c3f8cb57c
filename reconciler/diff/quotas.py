"""What a plan costs in places that limit it: how long its installs take, and what is left of a quota."""

import math
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta

from reconciler.address import owner, place
from reconciler.diff.changes import blocked
from reconciler.diff.world import World
from schemas.plan import Action, Budget, Change, Reason

YEAR = timedelta(days=365)


def budgets(world: World, changes: Sequence[Change]) -> Mapping[str, Budget]:
    """Return what the installs of a plan cost, by target; those without installs or limits are left out."""
    installs: dict[str, list[Change]] = {}
    for step in changes:
        if step.action is Action.INSTALL and step.reason is not Reason.UNVERIFIED:
            installs.setdefault(place(step.address), []).append(step)
    return {
        target: _budget(world, target, steps)
        for target, steps in installs.items()
        if not world.desired.targets[target].spec.limits.unlimited
    }


def _budget(world: World, target: str, installs: Sequence[Change]) -> Budget:
    limits = world.desired.targets[target].spec.limits
    there = world.observation(target).installed.values()
    since = world.now - YEAR
    # what the place issues by itself is held there, and no import
    came = (found.installed_at for found in there if found.hosting is None)
    recent = sum(moment is not None and moment > since for moment in came)
    return Budget(
        installs=len(installs),
        seconds=math.ceil(len(installs) / (limits.installs_per_second or math.inf)),
        objects=len(there) + sum(_adds(step) for step in installs),
        objects_limit=limits.objects,
        year=recent + sum(not _is_hosted(world, step) for step in installs),
        year_limit=limits.installs_per_year,
    )


def quota_changes(world: World, changes: Sequence[Change]) -> Iterator[Change]:
    """Yield what stands in the way of a target that would hold, or be sent, more than it takes."""
    for name, cost in budgets(world, changes).items():
        if message := "; ".join(_beyond(cost)):
            source = world.desired.targets[name].source
            yield blocked(f"target/{name}", Reason.QUOTA, message, source=source)


def _beyond(cost: Budget) -> Iterator[str]:
    hint = "have the quota raised, and say so in the Target's `quotas`"
    if cost.objects_limit is not None and cost.objects > cost.objects_limit:
        yield f"it would hold {cost.objects:,} certificates, the quota is {cost.objects_limit:,}: {hint}"
    if cost.year_limit is not None and cost.year > cost.year_limit:
        yield f"{cost.year:,} imports within a year, the quota is {cost.year_limit:,}: {hint}"


def _is_hosted(world: World, step: Change) -> bool:
    certificate = world.desired.certificates[owner(step.address)]
    return world.desired.hosting(certificate) is not None


def _adds(step: Change) -> bool:
    return step.before is None or "replaces" in (step.after or {})
