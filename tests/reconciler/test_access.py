"""Which keys a plan needs that nobody here opens: told of every CA certificate, whoever signs it."""

from dataclasses import replace

from ceremony_table import Table, offline_fleet
from fleet import Fleet
from fleet_documents import Ca, Leaf

from reconciler.access import shut_keys
from reconciler.planning import make_plan, pending

BOB = f"age1{'b' * 58}"


def shut(fleet: Fleet) -> dict[object, tuple[str, ...]]:
    world = fleet.world()
    steps = pending(make_plan(world).changes)
    return {key.name: key.addresses for key in shut_keys(world, steps, {BOB}) if key.name}


def test_a_standby_and_a_new_generation_need_the_key_of_their_parent() -> None:
    fleet = Fleet(cas={"root": Ca(), "mid": Ca("root")}, leaves={"web": Leaf("mid")}).converge()
    fleet.cas["mid"] = Ca("root", standby=True)
    assert shut(fleet)["root", 1] == ("standby/mid-g2",)
    fleet.cas["mid"] = Ca("root", generation=2)
    assert shut(fleet)["root", 1] == ("authority/mid",)


def test_a_cross_certificate_needs_the_key_of_the_generation_before() -> None:
    fleet = Fleet(leaves={}).converge()
    fleet.cas["root"] = Ca(generation=2, crossed=True)
    needed = shut(fleet)
    assert needed["root", 1] == ("cross/root-g2",)
    assert "authority/root" in needed["root", 2]


def test_nobody_here_opens_an_offline_key_and_nobody_has_to() -> None:
    table = Table(offline_fleet())
    table.hold()
    table.fleet.leaves["more"] = replace(table.fleet.leaves["web"], names=("more.example.com",))
    assert shut(table.fleet).keys() == {("mid", 1), ("mid", 2)}
