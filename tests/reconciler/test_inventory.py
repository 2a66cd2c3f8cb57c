"""The inventory's one word for each certificate: what is wrong is said, and nothing else alarms."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from fleet import Fleet
from fleet_documents import Ca, Leaf, at

from reconciler.diff import diff
from reconciler.inventory import inventory
from schemas.certificate import OnRemove


@pytest.fixture
def fleet() -> Fleet:
    return Fleet(leaves={"web": Leaf(targets=at("a", "b")), "api": Leaf()}).converge()


def statuses(fleet: Fleet) -> dict[str, str]:
    world = fleet.world()
    return {row.name: row.status for row in inventory(world, diff(world))}


def drop(fleet: Fleet, *, first: OnRemove = OnRemove.REMOVE) -> Fleet:
    """Withdraw a certificate everywhere."""
    fleet.edit("web", on_remove=first, names=("n.example.com",)).converge()
    del fleet.leaves["web"]
    return fleet


def away(fleet: Fleet, target: str) -> Fleet:
    """Let a target be on another host."""
    fleet.away.add(target)
    return fleet


STATES: dict[str, tuple[Callable[[Fleet], object], str | None]] = {
    "as it should be": (lambda _: None, "ok"),
    "a target cannot be read": (lambda f: setattr(f.store("b"), "reachable", False), "unknown (b)"),
    "a target is elsewhere, and was verified there": (lambda f: away(f, "b"), "ok"),
    "a target is elsewhere, and never had it": (
        lambda f: away(f, "b").wait(25).apply(),
        "not yet in b",
    ),
    "its document is gone": (drop, "to be removed"),
    "removed": (lambda f: drop(f).converge(), "removed"),
    "removed and revoked": (lambda f: drop(f, first=OnRemove.REVOKE).converge(), "revoked"),
    "forgotten": (
        lambda f: drop(f, first=OnRemove.FORGET).converge(),
        "no longer managed",
    ),
    "removed and expired": (lambda f: drop(f).converge().wait(31), None),
    "expired": (lambda f: f.wait(31), "expired"),
    "due": (lambda f: f.wait(25), "due"),
}


@pytest.mark.parametrize("state", STATES.values(), ids=STATES)
def test_each_state_has_its_word(
    fleet: Fleet, state: tuple[Callable[[Fleet], object], str | None]
) -> None:
    happen, word = state
    happen(fleet)
    assert statuses(fleet).get("web") == word


def test_a_revoked_certificate_is_revoked_whatever_stands_in_its_way(fleet: Fleet) -> None:
    fleet.wait(0.1).revoke("inc", "web").converge()
    fleet.revocations.clear()
    record = fleet.journal.state.certificates["web"]
    alone = record.model_copy(update={"issuances": record.issuances[:1]})
    certificates = {**fleet.journal.state.certificates, "web": alone}
    fleet.journal.state = replace(fleet.journal.state, certificates=certificates)
    fleet.cas["root"] = Ca(generation=2)
    assert statuses(fleet)["web"] == "revoked"


def test_a_former_generation_is_listed_until_it_has_expired(fleet: Fleet) -> None:
    fleet.cas["mid"] = Ca("root", days=60)
    fleet.converge().cas["mid"] = Ca("root", generation=2, days=100)
    fleet.converge()

    def listed() -> list[str]:
        world = fleet.world()
        rows = inventory(world, diff(world))
        return [row.status for row in rows if row.address == "authority/mid"]

    assert listed() == ["ok", "ok"]
    fleet.wait(61)
    assert listed() == ["ok"]
    fleet.wait(100)
    assert listed() == ["expired"], "what is wanted is told of"
