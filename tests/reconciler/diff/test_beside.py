"""A new object beside the old one takes nothing away: what the old one holds may still be served."""

from dataclasses import replace

import pytest
from fleet import Fleet
from fleet_documents import Leaf
from fleet_sights import shown

from reconciler.diff import World
from reconciler.planning import make_plan
from reconciler.state import Observation
from schemas.capabilities import Capabilities, Fixed
from schemas.certificate import Algorithm
from schemas.plan import Change
from schemas.request import KeyType
from schemas.target import Plugin, TargetSpec

CAPABILITIES = Capabilities(fixed=frozenset({Fixed.KEY_TYPE}))
P256 = KeyType(algorithm=Algorithm.ECDSA, size=256)
WEB = "certificate/web"


@pytest.fixture
def fleet() -> Fleet:
    return Fleet(leaves={"web": Leaf()}, targets=("a",)).converge()


def with_another_key(world: World, *users: str) -> World:
    """Ask for a kind of key that an object of the target never gets, while something uses the object."""
    spec = TargetSpec(plugin=Plugin(kind="example.com/box", settings={}, capabilities=CAPABILITIES))
    targets = {"a": replace(world.desired.targets["a"], spec=spec)}
    web = world.desired.certificates["web"]
    wanted = replace(web, request=web.request.model_copy(update={"key": P256}), digest="0" * 32)
    desired = replace(world.desired, targets=targets, certificates={"web": wanted})
    there = world.observed.targets["a"].installed["web"]
    seen = Observation("observed", {"web": replace(there, used_by=users)})
    return replace(world, desired=desired, observed=replace(world.observed, targets={"a": seen}))


def changes(world: World) -> dict[str, Change]:
    return {change.id: change for change in make_plan(world).changes}


def test_nothing_is_revoked_that_stays_in_use_beside_its_successor(fleet: Fleet) -> None:
    old = fleet.current("web").serial
    fleet.wait(0.1).revoke("inc", "web")
    plan = make_plan(with_another_key(fleet.world(), "loadbalancer/app"))
    assert ("install", f"{WEB}@a", "Superseded") in shown(plan)
    (step,) = [c for c in plan.changes if c.address == f"{WEB}#{old}"]
    assert (step.action, step.reason) == ("blocked", "BlockedBy")
    assert step.message == "a would go on serving certificate/web"


def test_what_nothing_uses_is_revoked_once_it_is_gone(fleet: Fleet) -> None:
    old = fleet.current("web").serial
    fleet.wait(0.1).revoke("inc", "web")
    steps = changes(with_another_key(fleet.world()))
    (gone,) = [id_ for id_ in steps if id_.startswith("remove:")]
    assert gone in steps[f"revoke:{WEB}#{old}"].requires
    assert steps[gone].requires == (f"install:{WEB}@a",)
