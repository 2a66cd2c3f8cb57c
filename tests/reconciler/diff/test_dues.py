"""What is due without a review: what time makes of what was wanted before, and nothing that an edit adds."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from advising_ca import advised_fleet
from fleet import Fleet
from fleet_documents import Ca, Leaf

from reconciler.diff import World, diff
from reconciler.leads import Share
from reconciler.planning import make_plan
from reconciler.reviewing import Fingerprints
from reconciler.state import nothing
from schemas.certificate import Custody, Rollout, RotationPolicy
from schemas.plan import Action, Change
from schemas.target import LocalDirectory, TargetSpec

ISSUE, INSTALL = "issue:certificate/web", "install:certificate/web@a"


@pytest.fixture
def fleet() -> Fleet:
    return Fleet(leaves={"web": Leaf()}).converge()


def due(world: World) -> dict[str, bool]:
    return {step.id: step.due for step in diff(world)}


def edited(fleet: Fleet, **fields: Any) -> World:
    """Edit a certificate, against what it was before."""
    base = fleet.desired()
    return replace(fleet.edit("web", **fields).world(), base=base)


def retargeted(world: World, **fields: Any) -> World:
    """Edit the target of a certificate, against what it was before."""
    settings = {"path": "a", **fields.pop("settings", {})}
    spec = TargetSpec(local_directory=LocalDirectory(**settings), **fields)
    target = replace(world.desired.targets["a"], spec=spec, digest="another")
    desired = replace(world.desired, targets={**world.desired.targets, "a": target})
    return replace(world, desired=desired, base=world.desired)


def judged(world: World, *shown: Change) -> set[str]:
    """Name what a review refuses that showed these changes."""
    verdict = Fingerprints(frozenset(s.fingerprint for s in shown)).judge(make_plan(world))
    return {refusal.change.id for refusal in verdict.refused}


def test_a_renewal_of_what_nobody_edited_is_due(fleet: Fleet) -> None:
    found = due(edited(fleet.wait(25)))
    assert found[ISSUE]
    assert found[INSTALL]


def test_nothing_is_due_because_somebody_wants_it_renewed_earlier(fleet: Fleet) -> None:
    world = edited(fleet.wait(15), renew_before=20)
    found = due(world)
    assert (found[ISSUE], found[INSTALL]) == (False, False)
    assert judged(world) == {ISSUE, INSTALL}
    assert judged(world, *diff(world)) == set()


def test_an_earlier_renewal_does_not_hold_up_the_one_that_is_due(fleet: Fleet) -> None:
    assert due(edited(fleet.wait(25), renew_before=20))[ISSUE]


@pytest.mark.parametrize(
    "edit",
    [
        {"names": ("evil.example.com",), "rollout": Rollout.ON_RENEWAL},
        {"custody": Custody.LEDGER},
        {"rotation": RotationPolicy.NEVER},
    ],
    ids=lambda edit: next(iter(edit)),
)
def test_no_edit_comes_along_with_a_renewal(fleet: Fleet, edit: dict[str, Any]) -> None:
    base = fleet.desired()
    assert not any(step.action is Action.ISSUE for step in diff(edited(fleet, **edit)))
    late = fleet.wait(25).world()
    assert not due(replace(late, base=base))[ISSUE]
    assert judged(replace(late, base=base)) == {ISSUE, INSTALL}
    assert due(replace(late, base=late.desired))[ISSUE]


def test_without_a_base_no_other_certificate_comes_along_with_a_renewal(fleet: Fleet) -> None:
    fleet.edit("web", names=("evil.example.com",), rollout=Rollout.ON_RENEWAL)
    assert not due(fleet.wait(25).world())[ISSUE]


@pytest.mark.parametrize(
    "edit",
    [
        lambda world: retargeted(world, settings={"mode": 0o640}),
        lambda world: retargeted(world, settings={"group": "users"}),
        lambda world: retargeted(world, settings={"path": "elsewhere"}),
    ],
    ids=["mode", "group", "path"],
)
def test_no_edit_of_its_target_comes_along_with_an_install(
    fleet: Fleet, edit: Callable[[World], World]
) -> None:
    assert not due(edit(fleet.wait(25).world()))[INSTALL]


def test_an_edit_of_a_target_that_shows_in_nothing_installed_holds_nothing_up(fleet: Fleet) -> None:
    assert due(retargeted(fleet.wait(25).world(), settings={"keep_generations": 5}))[INSTALL]


def test_who_is_spoken_to_is_a_change_apart_that_holds_up_what_is_due(fleet: Fleet) -> None:
    world = retargeted(fleet.wait(25).world(), reload=("true",))
    assert due(world)[INSTALL]
    assert judged(world) == {"configure:target/a", ISSUE, INSTALL}


def test_new_labels_are_a_change_apart_that_holds_up_what_is_due() -> None:
    fleet = Fleet(leaves={"web": Leaf(labels={"team": "a"})}).converge()
    base = fleet.desired()
    fleet.edit("web", labels={"team": "b"})
    (shown,) = diff(replace(fleet.world(), base=base))
    late = replace(fleet.wait(25).world(), base=base)
    assert judged(late) == {"relabel:certificate/web@a", INSTALL}
    assert judged(late, shown) == set()


def test_what_goes_on_in_a_place_goes_on_as_it_was_wanted() -> None:
    fleet = Fleet(leaves={"web": Leaf(custody=Custody.LEDGER)}).converge()
    fleet.store("a").objects.clear()
    behind = fleet.world()
    behind = replace(behind, ledger=_unplaced(behind))
    assert due(replace(behind, base=behind.desired)) == {INSTALL: True}
    assert due(retargeted(behind, settings={"mode": 0o640})) == {INSTALL: False}


def _unplaced(world: World) -> Any:
    """Let the ledger know only that something was about to be installed."""
    record = world.ledger.certificates["web"]
    there = tuple(p.model_copy(update={"serial": None}) for p in record.placements)
    certificates = {"web": record.model_copy(update={"placements": there})}
    return replace(world.ledger, certificates=certificates)


def test_what_the_base_does_not_know_is_renewed_once_it_was_seen_working(fleet: Fleet) -> None:
    world = fleet.wait(25).world()
    assert due(replace(world, base=replace(world.desired, certificates={})))[ISSUE]
    assert due(replace(world, base=replace(world.desired, certificates={})))[INSTALL]
    unseen = replace(world, ledger=_unplaced(world))
    assert not due(replace(unseen, base=replace(world.desired, certificates={})))[ISSUE]


def test_a_renewal_under_a_new_name_is_due() -> None:
    fleet = Fleet(leaves={"web": Leaf()}).converge()
    base = fleet.desired()
    assert due(replace(fleet.rename("web", "site").wait(25).world(), base=base))[
        "issue:certificate/site"
    ]


def test_a_key_is_erased_without_a_review_only_where_nobody_needed_it_before() -> None:
    fleet = Fleet(leaves={"web": Leaf(custody=Custody.LEDGER)}).converge()
    base = fleet.desired()
    fleet.edit("web", custody=Custody.UNTIL_INSTALLED)
    found = due(replace(fleet.world(), base=base))
    assert found == {"forget:key/web": False}
    assert due(replace(fleet.world(), base=fleet.desired())) == {"forget:key/web": True}


def test_a_ca_that_expired_is_forgotten_without_a_review_only_where_it_was_gone_before() -> None:
    fleet = Fleet(cas={"root": Ca(), "old": Ca(days=5)}, leaves={"web": Leaf()}).converge()
    base = fleet.desired()
    del fleet.cas["old"]
    world = fleet.wait(6).world()
    assert not due(replace(world, base=base))["forget:authority/old"]
    assert due(replace(world, base=world.desired))["forget:authority/old"]


def test_where_the_base_trusts_nobody_no_install_is_due(fleet: Fleet) -> None:
    world = fleet.wait(25).world()
    assert not due(replace(world, base=nothing(None)))[INSTALL]


@pytest.mark.parametrize(("lead", "is_due"), [(Share(50), False), (Share(20), True), (None, True)])
def test_a_share_of_a_life_that_its_ca_decides_is_compared_as_a_time(
    lead: Share | None, is_due: bool
) -> None:
    fleet, _, desk = advised_fleet(days=40)
    desk.advice = None
    base = fleet.edit("web0", lead=Share(25)).desired()
    fleet.wait(25 if lead == Share(50) else 37)
    world = replace(fleet.edit("web0", lead=lead or Share(25)).world(), base=base)
    assert due(world)["issue:certificate/web0"] is is_due
