"""Named points of an apply that no sweep over a repository reaches: who dies there is gone on with."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta

import pytest
from fleet import Fleet
from fleet_documents import START, Ca, Leaf
from memory_ledger import Crash
from takeovers import elliptic, entry, made, takeover

from providers import failpoints
from providers.base import Installed
from providers.memory_hosting import MemoryHost, grant
from schemas.certificate import Custody
from schemas.issuer import AmazonIssuer, IssuerSpec


@dataclass(frozen=True)
class Deadly:
    """Kills at one point; a death is no error that anybody could catch."""

    name: str

    def reach(self, name: str) -> None:
        if name == self.name:
            raise Crash


def adopting() -> Fleet:
    fleet = Fleet().converge()
    theirs = "arn:aws:acm:eu-west-1:111122223333:certificate/1"
    ends = START + timedelta(days=60)
    fleet.store("a").put_foreign(Installed(theirs, theirs, {}, "abc123", "00" * 32, ends))
    fleet.leaves["web"] = Leaf(adopt={"a": (theirs,)})
    return fleet


def taking_over() -> Fleet:
    key, before = elliptic(), START - timedelta(days=400)
    past = (entry("1001", START + timedelta(days=900)),)
    existing = takeover(made(before, key), key, past=past, number=41)
    return Fleet({"legacy": Ca(existing=existing)}, {"web": Leaf(issuer="legacy")})


def revoking() -> Fleet:
    return taking_over().converge().revoke("r", serials=("1001",))


def asking() -> Fleet:
    issuers = {"amazon": IssuerSpec(aws_acm=AmazonIssuer())}
    leaves = {"web": Leaf(issuer="amazon")}
    return Fleet(leaves=leaves, issuers=issuers, kinds={"a": MemoryHost})


def making() -> Fleet:
    return Fleet(leaves={"web": Leaf(custody=Custody.TARGET)})


BEGINNINGS: Mapping[str, Callable[[], Fleet]] = {
    "adopt.recorded": adopting,
    "adopt.labelled": adopting,
    "takeover.recorded": taking_over,
    "past.revoked": revoking,
    "hosting.placed": asking,
    "hosting.asked": asking,
    "leaf.key_made": making,
}


@pytest.mark.parametrize("point", BEGINNINGS)
def test_a_run_that_died_at_a_point_is_gone_on_with(
    point: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    fleet = BEGINNINGS[point]()
    with monkeypatch.context() as patch:
        patch.setattr(failpoints, "_FAILPOINT", Deadly(point))
        with pytest.raises(Crash):
            fleet.apply()
    for store in fleet.stores.values():
        store.staged.clear()
    if fleet.issuers:
        fleet.apply()
        grant(fleet.store("a"), "web", "a1", fleet.now + timedelta(days=200))
    fleet.converge()
    held = [held for target, held in fleet.ours() if target == "a"]
    assert len(held) == len(fleet.leaves)
