"""CRLs in parts: a certificate names the one it may be in, and only what is due or changed is signed."""

from collections import Counter
from collections.abc import Callable
from dataclasses import replace

import pytest
from fleet import Fleet
from fleet_documents import PUBLISH, Ca, Leaf

from providers import x509
from reconciler.events import EventStatus
from schemas.certificate import OnRemove
from schemas.plan import Action

SHARDS = 4
BASE = "http://pki.example.com"


def fleet_of(number: int) -> Fleet:
    leaves = {
        f"c{n}": Leaf(on_remove=OnRemove.REVOKE, names=(f"c{n}.example.com",))
        for n in range(number)
    }
    return Fleet(cas={"root": Ca(crl_shards=SHARDS)}, leaves=leaves)


@pytest.fixture
def fleet() -> Fleet:
    return fleet_of(12).converge().wait(0.1)


def named(fleet: Fleet, name: str) -> str:
    """The file that a certificate says it may be in."""
    return str(fleet.current(name).urls.crl).removeprefix(f"{BASE}/")


def published(fleet: Fleet) -> list[str]:
    """The CRLs that an apply published, and that it did nothing else to them."""
    events = [e for e in fleet.apply() if e.address.startswith("crl/")]
    assert {e.status for e in events} <= {EventStatus.DONE}
    return [e.address for e in events if e.action is Action.PUBLISH]


def test_every_certificate_names_one_part_and_each_is_there(fleet: Fleet) -> None:
    files = {f"root-g1-s{k}.crl" for k in range(1, SHARDS + 1)}
    assert {named(fleet, name) for name in fleet.leaves} <= files
    assert {*files, "root-g1.crl", "root-g1.crt"} == set(fleet.publisher.files)
    for name in files:
        said = x509.read_crl(fleet.publisher.files[name])
        assert said.urls == (f"{BASE}/{name}",)
    assert x509.read_crl(fleet.publisher.files["root-g1.crl"]).urls == ()


def test_they_are_shared_out_evenly(tell: Callable[[str], None]) -> None:
    many = fleet_of(400).converge()
    found = Counter(named(many, name) for name in many.leaves)
    tell(f"400 certificates over {SHARDS} parts of a CRL: {sorted(found.values())}")
    assert len(found) == SHARDS
    assert min(found.values()) > 50


def test_only_its_own_part_and_the_whole_tell_of_what_is_revoked(fleet: Fleet) -> None:
    serial, file = fleet.current("c0").serial, named(fleet, "c0")
    del fleet.leaves["c0"]
    assert sorted(published(fleet)) == sorted(["crl/root-g1", f"crl/{file.removesuffix('.crl')}"])
    telling = {name for name, found in fleet.published().items() if serial in found.revoked}
    assert telling == {"root-g1.crl", file}


def test_parts_that_certificates_name_live_on_when_there_are_fewer(fleet: Fleet) -> None:
    still = {named(fleet, name) for name in fleet.leaves}
    fleet.cas["root"] = replace(fleet.cas["root"], crl_shards=1)
    fleet.converge().wait(4)
    assert {f"{a.removeprefix('crl/')}.crl" for a in published(fleet)} == {*still, "root-g1.crl"}
    fleet.wait(17).converge()
    assert {named(fleet, name) for name in fleet.leaves} == {"root-g1.crl"}
    fleet.wait(14)
    assert published(fleet) == ["crl/root-g1"], "nobody names a part any more"


def test_a_part_says_every_place_that_certificates_look_for_it_at(
    fleet: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    moved = PUBLISH.model_copy(update={"base_url": "http://crl.example.net"})
    monkeypatch.setattr("fleet.PUBLISH", moved)
    assert not any(change.due for change in fleet.plan().changes)
    fleet.converge()
    said = x509.read_crl(fleet.publisher.files[named(fleet, "c0")])
    file = named(fleet, "c0")
    assert said.urls == (f"http://crl.example.net/{file}", f"{BASE}/{file}")


def test_what_expired_leaves_its_part_and_then_the_ledger(fleet: Fleet) -> None:
    serial, file = fleet.current("c0").serial, named(fleet, "c0")
    del fleet.leaves["c0"]
    fleet.apply()
    listed = []
    for _ in range(14):
        fleet.wait(4).apply()
        listed.append(serial in fleet.published()[file].revoked)
    assert listed == sorted(listed, reverse=True)
    assert listed[7], "one that was signed after its end still tells of it"
    assert not listed[-1]
    assert "c0" not in fleet.journal.state.certificates
