"""What somebody else did to what certform had left there, told apart from what the documents ask for."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from fleet import Fleet
from fleet_documents import Leaf, at
from fleet_sights import named

from providers.base import NAME, SPEC, Installed
from reconciler.diff import World, diff
from reconciler.state import Desired, Observation, PublishedFile
from schemas.certificate import Custody
from schemas.plan import Action, Change, Reason
from schemas.project import PublishSettings, PublishTo
from schemas.target import LocalDirectory, TargetSpec


@pytest.fixture
def fleet() -> Fleet:
    """A certificate in two places, its key kept, and one in a single place."""
    kept = Leaf(targets=at("a", "b"), custody=Custody.LEDGER)
    return Fleet(leaves={"web": kept, "api": Leaf(names=("api.example.com",))}).converge()


def outside(world: World) -> dict[str, bool]:
    return {step.id: step.outside for step in diff(world)}


def as_seen(world: World, target: str, name: str, **fields: Any) -> World:
    """Let an object be found as somebody left it; without fields, it is gone."""
    there = dict(world.observed.targets[target].installed)
    if fields:
        there[name] = replace(there[name], **fields)
    else:
        del there[name]
    return seeing(world, target, there)


def seeing(world: World, target: str, there: Mapping[str, Installed]) -> World:
    targets = {**world.observed.targets, target: Observation("observed", there)}
    return replace(world, observed=replace(world.observed, targets=targets))


def moved(desired: Desired, target: str) -> Desired:
    """Let the documents name another place."""
    spec = TargetSpec(local_directory=LocalDirectory(path="elsewhere"))
    there = replace(desired.targets[target], spec=spec)
    return replace(desired, targets={**desired.targets, target: there})


def test_what_is_gone_was_taken_away(fleet: Fleet) -> None:
    world = as_seen(fleet.world(), "a", "web")
    assert outside(world) == {"install:certificate/web@a": True}


def test_what_was_touched_was_touched_by_somebody(fleet: Fleet) -> None:
    touched = as_seen(fleet.world(), "a", "web", drift=("privkey.pem was changed",))
    assert outside(touched) == {"install:certificate/web@a": True}
    other = as_seen(fleet.world(), "a", "web", serial="f00d", sha256="00" * 32)
    assert outside(other) == {"install:certificate/web@a": True}


def test_what_is_issued_anew_only_because_it_is_gone_is_put_right_by_that(fleet: Fleet) -> None:
    found = outside(as_seen(fleet.world(), "a", "api"))
    assert found == {"issue:certificate/api": True, "install:certificate/api@a": True}


def test_what_the_documents_want_elsewhere_too_is_nobodys_doing(fleet: Fleet) -> None:
    fleet.edit("api", targets=at("a", "b"))
    found = outside(fleet.world())
    assert set(found) == {
        "issue:certificate/api",
        "install:certificate/api@a",
        "install:certificate/api@b",
    }
    assert not any(found.values())
    assert not any(outside(as_seen(fleet.world(), "a", "api")).values())


def test_a_renewal_is_nobodys_doing(fleet: Fleet) -> None:
    found = outside(fleet.wait(25).world())
    assert found["issue:certificate/api"] is False
    assert found["install:certificate/api@a"] is False


def test_a_strangers_object_in_the_place_of_ours_is_somebodys_doing(fleet: Fleet) -> None:
    world = fleet.world()
    stranger = replace(world.observed.targets["a"].installed["web"], labels={}, serial="f00d")
    there = {**world.observed.targets["a"].installed, "web": stranger}
    (found,) = diff(seeing(world, "a", there))
    assert (found.action, found.reason, found.outside) == (Action.BLOCKED, Reason.OCCUPIED, True)


def test_a_strangers_object_in_a_new_place_is_nobodys_doing(fleet: Fleet) -> None:
    fleet.foreign("b", "api")
    fleet.edit("api", targets=at("a", "b"))
    blocked = named(fleet.plan(), Action.BLOCKED, "certificate/api@b")
    assert (blocked.reason, blocked.outside) == (Reason.OCCUPIED, False)


def test_a_place_that_lacks_what_certform_set_up_was_changed_by_somebody(fleet: Fleet) -> None:
    world = as_seen(fleet.world(), "a", "web", incomplete=("no entry for www.example.com",))
    assert outside(world) == {"install:certificate/web@a": True}


def test_a_place_that_lacks_what_its_target_newly_asks_for_was_not(fleet: Fleet) -> None:
    world = as_seen(fleet.world(), "a", "web", incomplete=("no entry for www.example.com",))
    target = replace(world.desired.targets["a"], digest="another")
    base = replace(world.desired, targets={**world.desired.targets, "a": target})
    assert outside(replace(world, base=base)) == {"install:certificate/web@a": False}
    assert outside(replace(world, base=world.desired)) == {"install:certificate/web@a": True}


def test_a_place_that_the_documents_left_was_emptied_by_nobody(fleet: Fleet) -> None:
    world = seeing(fleet.world(), "a", {})
    base, desired = world.desired, moved(world.desired, "a")
    found = outside(replace(world, desired=desired, base=base))
    assert found["install:certificate/web@a"] is False
    assert found["issue:certificate/api"] is False


def labelled(world: World, **labels: str) -> World:
    had = world.observed.targets["a"].installed["web"].labels
    return as_seen(world, "a", "web", labels={**had, **labels})


def relabelling(world: World) -> Change:
    (found,) = [step for step in diff(world) if step.action is Action.RELABEL]
    return found


def test_a_label_that_the_documents_change_is_nobodys_doing(fleet: Fleet) -> None:
    base = fleet.desired()
    fleet.edit("web", labels={"team": "edge"})
    (at_a, at_b) = [s for s in diff(fleet.world()) if s.action is Action.RELABEL]
    assert (at_a.outside, at_b.outside) == (False, False)
    found = [s for s in diff(replace(fleet.world(), base=base)) if s.action is Action.RELABEL]
    assert [step.outside for step in found] == [False, False]


def test_a_label_that_somebody_put_on_is_told_where_the_documents_are_known_to_be_as_they_were(
    fleet: Fleet,
) -> None:
    world = labelled(fleet.world(), team="theirs")
    assert relabelling(replace(world, base=world.desired)).outside
    assert not relabelling(world).outside


def test_a_label_of_our_own_is_changed_by_nobody_else(fleet: Fleet) -> None:
    assert relabelling(labelled(fleet.world(), **{SPEC: "0" * 32})).outside


def test_a_rename_is_nobodys_doing(fleet: Fleet) -> None:
    base = fleet.desired()
    fleet.rename("web", "www")
    for world in (fleet.world(), replace(fleet.world(), base=base)):
        found = {s.address: s.outside for s in diff(world) if s.action is Action.RELABEL}
        assert found
        assert not any(found.values()), found
    assert NAME in fleet.installed("a", "web").labels


def published(world: World, files: Mapping[str, PublishedFile]) -> World:
    return replace(world, observed=replace(world.observed, published=files))


def test_a_published_file_that_is_gone_or_another_is_somebodys_doing(fleet: Fleet) -> None:
    world, files = fleet.world(), fleet.published()
    gone = outside(published(world, {}))
    assert gone == {"publish:ca/root-g1": True, "publish:crl/root-g1": True}
    for name in files:
        other = {**files, name: replace(files[name], sha256="00" * 32)}
        (found,) = diff(published(world, other))
        assert (found.outside, found.reason) == (True, Reason.DRIFTED)


def test_a_directory_that_the_documents_publish_in_anew_was_emptied_by_nobody(fleet: Fleet) -> None:
    world, elsewhere = fleet.world(), PublishTo(directory="elsewhere")
    publish = PublishSettings(to=elsewhere, base_url="http://pki.example.com")
    proposed = replace(world, desired=replace(world.desired, publish=publish), base=world.desired)
    found = outside(published(proposed, {}))
    assert found["publish:ca/root-g1"] is False
    assert found["publish:crl/root-g1"] is False


def test_what_was_never_published_was_taken_away_by_nobody() -> None:
    fleet = Fleet(leaves={"web": Leaf()}, publish=False).converge()
    fleet.publish = True
    assert outside(fleet.world()) == {"publish:ca/root-g1": False, "publish:crl/root-g1": False}


def test_what_is_put_right_again_and_again_is_somebodys_doing(fleet: Fleet) -> None:
    for _ in range(2):
        fleet.spoil("a", "web", "privkey.pem was changed")
        fleet.wait(0.1).apply()
    fleet.spoil("a", "web", "privkey.pem was changed")
    (found,) = fleet.wait(0.1).plan().changes
    assert (found.reason, found.outside) == (Reason.FLAPPING, True)
