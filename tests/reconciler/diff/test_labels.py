"""Labels: what a Target says goes on everything there, and what others put on is theirs."""

from dataclasses import replace
from types import MappingProxyType

import pytest
from fleet import Fleet
from fleet_documents import Leaf

from providers.base import Installed
from reconciler.diff import World
from reconciler.planning import make_plan
from reconciler.state import Observation
from schemas.capabilities import Capabilities
from schemas.plan import Action, Change
from schemas.target import Plugin, TargetSpec

SHARED = Capabilities(shared_labels=True)


@pytest.fixture
def fleet() -> Fleet:
    return Fleet(leaves={"web": Leaf()}, targets=("a",)).converge()


def tagged(world: World, **tags: str) -> World:
    """Let the Target put tags on everything, in a place where others label as well."""
    plugin = Plugin(kind="example.com/box", settings={}, capabilities=SHARED)
    target = replace(world.desired.targets["a"], spec=TargetSpec(plugin=plugin, tags=tags))
    return replace(world, desired=replace(world.desired, targets={"a": target}))


def with_labels(world: World, **labels: str) -> World:
    """Let somebody put labels on the one object."""
    there = world.observed.targets["a"].installed["web"]
    seen: dict[str, Installed] = {"web": replace(there, labels={**there.labels, **labels})}
    targets = MappingProxyType({"a": Observation("observed", seen)})
    return replace(world, observed=replace(world.observed, targets=targets))


def relabelling(world: World) -> Change:
    (found,) = [c for c in make_plan(world).changes if c.action is Action.RELABEL]
    return found


def test_a_certificate_cannot_change_what_its_target_puts_on_everything(fleet: Fleet) -> None:
    fleet.edit("web", labels={"stage": "production", "team": "edge"})
    after = relabelling(tagged(fleet.world(), stage="sandbox")).after
    assert after == {"labels": {"stage": "sandbox", "team": "edge"}}


def test_what_others_put_on_an_object_changes_no_review(fleet: Fleet) -> None:
    world = tagged(fleet.world(), stage="production")
    reviewed = relabelling(world)
    assert relabelling(with_labels(world, scanner="2026-01")).fingerprint == reviewed.fingerprint
    assert relabelling(tagged(fleet.world(), stage="other")).fingerprint != reviewed.fingerprint
    assert make_plan(with_labels(tagged(fleet.world()), scanner="2026-01")).changes == ()
