"""What is said of each certificate in each target, once for everything that can have happened there."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from fleet import Fleet
from fleet_documents import Leaf, at

from reconciler.diff import diff
from reconciler.inventory import inventory
from reconciler.places import places
from reconciler.render.inventory import Place, PlaceState
from reconciler.state import Observed


@pytest.fixture
def fleet() -> Fleet:
    return Fleet(leaves={"web": Leaf(targets=at("a", "b")), "api": Leaf()}).converge()


def found(fleet: Fleet, name: str = "web") -> dict[str, Place]:
    return {place.target: place for place in places(fleet.world())[name]}


def take_away(fleet: Fleet) -> None:
    del fleet.store("b").objects["web"]


def put_another(fleet: Fleet) -> None:
    objects = fleet.store("b").objects
    strange = replace(objects["web"].installed, serial="77e1", sha256="00" * 32)
    objects["web"] = replace(objects["web"], installed=strange)


def occupy(fleet: Fleet) -> None:
    take_away(fleet)
    fleet.foreign("b", "web")


STATES: dict[str, tuple[Callable[[Fleet], object], PlaceState, str]] = {
    "as it should be": (lambda _: None, PlaceState.OK, ""),
    "somebody touched it": (
        lambda f: f.spoil("b", "web", "cert.pem was changed"),
        PlaceState.DRIFT,
        "cert.pem was changed",
    ),
    "another is there": (put_another, PlaceState.DRIFT, "serial 77e1 was found instead"),
    "it is gone": (take_away, PlaceState.MISSING, "it was there, and is gone"),
    "something else is there": (
        occupy,
        PlaceState.OCCUPIED,
        "memory:b/web is not certform's; move it away, or choose another objectName",
    ),
    "it cannot be read": (
        lambda f: setattr(f.store("b"), "reachable", False),
        PlaceState.UNKNOWN,
        "b cannot be read",
    ),
    "it is elsewhere": (lambda f: f.away.add("b"), PlaceState.NOT_HERE, "on "),
    "it is wanted there no longer": (
        lambda f: f.edit("web", targets=at("a")),
        PlaceState.UNWANTED,
        "no longer wanted there",
    ),
    "nobody wants it any more": (
        lambda f: f.leaves.pop("web"),
        PlaceState.UNWANTED,
        "no longer wanted there",
    ),
}


@pytest.mark.parametrize("state", STATES.values(), ids=STATES)
def test_each_place_has_its_state(
    fleet: Fleet, state: tuple[Callable[[Fleet], object], PlaceState, str]
) -> None:
    happen, wanted, detail = state
    happen(fleet)
    place = found(fleet)["b"]
    assert (place.state, place.detail) == (wanted, detail)


def test_what_was_superseded_is_outdated_and_tells_what_is_there(fleet: Fleet) -> None:
    old = fleet.current("web")
    fleet.away.add("b")
    fleet.wait(25).apply()
    fleet.away.clear()
    place = found(fleet)["b"]
    assert place.state is PlaceState.OUTDATED
    assert (place.serial, place.sha256) == (old.serial, old.sha256)
    assert place.verified_serial == old.serial
    assert found(fleet)["a"].state is PlaceState.OK
    assert found(fleet)["a"].serial == fleet.current("web").serial


def test_what_was_never_installed_is_pending_and_not_missing(fleet: Fleet) -> None:
    fleet.edit("api", targets=at("a", "b"))
    place = found(fleet, "api")["b"]
    assert (place.state, place.detail) == (PlaceState.PENDING, "not installed yet")
    assert place.verified_at is None


def test_what_is_due_is_in_order_where_it_stands(fleet: Fleet) -> None:
    fleet.wait(25)
    assert {place.state for place in found(fleet).values()} == {PlaceState.OK}


def test_what_nobody_looked_at_is_assumed_and_never_ok(fleet: Fleet) -> None:
    world = fleet.world()
    looked = world.observation("b")
    guess = replace(looked, assumed=True, detail="its Target is new")
    targets = {**world.observed.targets, "b": guess}
    guessed = replace(world, observed=Observed(targets))
    places_ = {place.target: place for place in places(guessed)["web"]}
    assert (places_["b"].state, places_["b"].detail) == (PlaceState.ASSUMED, "its Target is new")
    assert places_["a"].state is PlaceState.OK


def test_nobody_can_tell_whether_what_is_wanted_no_longer_is_gone(fleet: Fleet) -> None:
    fleet.edit("web", targets=at("a")).store("b").reachable = False
    place = found(fleet)["b"]
    assert (place.state, place.detail) == (
        PlaceState.UNKNOWN,
        "no longer wanted there; b cannot be read",
    )
    fleet.targets = ("a",)
    assert found(fleet)["b"].detail == "no longer wanted there; its Target is gone"


def test_what_is_to_be_taken_over_is_told_apart_from_what_was(fleet: Fleet) -> None:
    fleet.foreign("b", "shop")
    adopt = {"b": ("memory:b/shop",)}
    fleet.leaves["shop"] = Leaf(targets=at("b"), adopt=adopt)
    place = found(fleet, "shop")["b"]
    assert (place.state, place.detail) == (
        PlaceState.PENDING,
        "somebody else's, to be taken over",
    )
    assert place.serial == "abc123"


def test_rows_tell_what_the_documents_and_the_ledger_know(fleet: Fleet) -> None:
    fleet.edit("web", labels={"team": "shop"}).converge()
    world = fleet.world()
    row = next(row for row in inventory(world, diff(world)) if row.name == "web")
    current = fleet.current("web")
    assert row.sha256 == current.sha256
    assert row.not_before == current.not_before
    assert row.renewal is not None
    assert current.not_before < row.renewal < current.not_after
    assert row.labels == {"team": "shop"}
    assert str(row.source) == "test.yaml:1"
    assert [place.target for place in row.places] == ["a", "b"]


def test_authorities_tell_their_generation_and_until_when_their_crl_is(fleet: Fleet) -> None:
    world = fleet.world()
    (root,) = (row for row in inventory(world, diff(world)) if row.address == "authority/root")
    assert (root.generation, root.issuer_generation) == (1, None)
    assert root.crl_until == world.ledger.crls["root", 1, None].next_update


def test_an_authority_that_is_wanted_is_listed_before_it_is_issued() -> None:
    world = Fleet(leaves={"web": Leaf()}).world()
    (root,) = (row for row in inventory(world, diff(world)) if row.address == "authority/root")
    assert (root.status, root.serial, root.generation) == ("to be issued", "", 1)


def test_what_is_not_ours_is_foreign_where_it_stands(fleet: Fleet) -> None:
    fleet.foreign("a", "theirs")
    world = fleet.world()
    row = next(r for r in inventory(world, diff(world), foreign=True) if r.status == "foreign")
    assert [(place.target, place.state) for place in row.places] == [("a", PlaceState.FOREIGN)]
