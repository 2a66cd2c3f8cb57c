"""A cross-certificate is one CA more below the old root, and judges count CAs."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from ca_life import blocks
from fleet import Fleet
from fleet_documents import Ca, Leaf, at
from key_kinds import P256
from rotation_bench import Bench, Pems, kind_of, served, trusted
from trusting import Trust

SERVICES = Ca("root", days=1825, key=P256, path_length=0)
WEB = Leaf("services", key=P256)


@pytest.fixture
def bench(tmp_path: Path, require: Callable[[str], str]) -> Bench:
    return Bench(tmp_path, require("openssl"), require("certtool"))


def house(path_length: int, **below: Ca) -> Fleet:
    """A root that allows so many CAs below it, and a leaf of its own."""
    fleet = Fleet(
        cas={"root": Ca(days=3650, key=P256, path_length=path_length), **below},
        leaves={"near": Leaf("root", at("b"), key=P256)},
        bundles={"corp": Trust(targets=at("a", "b"), overlap=0)},
        now=datetime.now(UTC).replace(microsecond=0),
    )
    if below:
        fleet.leaves["web"] = WEB
    return fleet.converge()


def crossed(fleet: Fleet) -> Fleet:
    fleet.cas["root"] = replace(fleet.cas["root"], generation=2, crossed=True)
    return fleet


def verdicts(bench: Bench, anchors: Pems, chain: Pems) -> set[bool]:
    return set(bench.judge(anchors, chain).values())


def test_with_room_for_it_who_knows_the_old_root_alone_follows(bench: Bench) -> None:
    fleet = house(2, services=SERVICES)
    old = trusted(fleet, "a")
    crossed(fleet).apply()
    for target, name in (("a", "web"), ("b", "near")):
        assert verdicts(bench, old, served(fleet, target, name)) == {True}


def test_without_room_it_is_blocked_and_the_rotation_goes_on(bench: Bench) -> None:
    fleet = house(1, services=SERVICES)
    old = trusted(fleet, "a")
    found = blocks(crossed(fleet).plan())
    assert found.keys() == {"cross/root-g2"}
    (_, words), *_ = found.values()
    assert words.startswith("its pathLength 1 leaves no room for services below a cross-cert")
    fleet.apply()
    fleet.apply()
    now = served(fleet, "a", "web")
    assert verdicts(bench, trusted(fleet, "a"), now) == {True}
    assert verdicts(bench, old, now) == {False}


def test_a_ca_that_comes_later_goes_without_it_where_there_is_no_room(bench: Bench) -> None:
    fleet = house(1)
    old = trusted(fleet, "a")
    crossed(fleet).apply()
    fleet.converge()
    fleet.cas["services"], fleet.leaves["web"] = SERVICES, WEB
    fleet.converge()
    web, near = served(fleet, "a", "web"), served(fleet, "b", "near")
    assert [kind_of(each[1:], each[0]) for each in (web, near)] == ["new", "cross"]
    assert verdicts(bench, old, near) == {True}
    root = fleet.journal.state.authorities["root"].crossed(2)
    assert root is not None
    refused = (*web, (root.certificate or "").encode())
    assert verdicts(bench, old, refused) == {False}, "so it was left out"
    for chain in (web, near):
        assert verdicts(bench, trusted(fleet, "a"), chain) == {True}
