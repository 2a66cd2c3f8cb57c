"""What another CA is told: which certificate an order takes the place of, and the key of what is revoked."""

from dataclasses import dataclass, field

import pytest
from advising_ca import public_ca
from fleet import Fleet
from fleet_documents import Leaf

from providers.errors import Denied
from providers.issuing import Issued, IssueRequest, Pending, RevokeRequest
from providers.memory_issuer import MemoryIssuer
from providers.x509 import to_der
from reconciler.apply.reservation import public_half
from schemas.certificate import Custody, OnRemove
from schemas.issuer import IssuerSpec


@dataclass
class Told:
    """What CAs were told: what orders replace, and what is revoked."""

    replaced: list[bytes | None] = field(default_factory=list)
    revoked: list[RevokeRequest] = field(default_factory=list)


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> Told:
    told, issue, revoke = Told(), MemoryIssuer.issue, MemoryIssuer.revoke

    def order(issuer: MemoryIssuer, request: IssueRequest) -> Issued | Pending:
        told.replaced.append(request.replaces)
        return issue(issuer, request)

    def give_up(issuer: MemoryIssuer, request: RevokeRequest) -> None:
        told.revoked.append(request)
        revoke(issuer, request)

    monkeypatch.setattr(MemoryIssuer, "issue", order)
    monkeypatch.setattr(MemoryIssuer, "revoke", give_up)
    return told


@pytest.fixture
def fleet() -> Fleet:
    leaves = {"web": Leaf(issuer="le", names=("a.example.com", "b.example.com"))}
    return Fleet(leaves=leaves, issuers={"le": public_ca()}).converge()


def der(fleet: Fleet) -> bytes:
    return to_der((fleet.current("web").certificate or "").encode())


def test_a_renewal_tells_which_certificate_it_takes_the_place_of(told: Told) -> None:
    fleet = Fleet(leaves={"web": Leaf(issuer="le")}, issuers={"le": public_ca()}).converge()
    before = der(fleet)
    fleet.wait(25).converge()
    assert told.replaced == [None, before]


def test_so_does_an_order_for_some_of_its_names(fleet: Fleet, told: Told) -> None:
    before = der(fleet)
    fleet.edit("web", names=("b.example.com", "c.example.com")).converge()
    assert told.replaced == [before]


def test_an_order_for_other_names_takes_the_place_of_none(fleet: Fleet, told: Told) -> None:
    fleet.edit("web", names=("c.example.com",)).converge()
    assert told.replaced == [None]


@pytest.mark.parametrize(
    "issuer", [public_ca(server="https://other.example/dir"), None], ids=["moved", "ours"]
)
def test_nor_does_one_of_another_ca(fleet: Fleet, told: Told, issuer: IssuerSpec | None) -> None:
    if issuer is None:
        fleet.edit("web", issuer="root").converge().edit("web", issuer="le")
    else:
        fleet.issuers["le"] = issuer
    fleet.converge()
    assert told.replaced == [None]


def test_nor_one_for_what_is_revoked(fleet: Fleet, told: Told) -> None:
    first = fleet.current("web").serial
    fleet.wait(1).revoke("lost", "web")
    del fleet.leaves["web"]
    fleet.converge()
    assert first in fleet.desk("le").revoked
    fleet.leaves["web"] = Leaf(issuer="le", names=("a.example.com",))
    fleet.converge()
    assert told.replaced == [None]


def kept(fleet: Fleet) -> Fleet:
    """A certificate in no place whose key the ledger keeps, and that no document asks for any more."""
    leaf = Leaf(issuer="le", custody=Custody.LEDGER, on_remove=OnRemove.REVOKE, targets=())
    fleet.leaves["house"] = leaf
    fleet.converge()
    del fleet.leaves["house"]
    return fleet


def test_the_key_that_the_ledger_keeps_goes_along_with_a_revocation(
    fleet: Fleet, told: Told
) -> None:
    first = kept(fleet).current("house")
    fleet.converge()
    (request,) = told.revoked
    assert request.key is not None
    assert public_half(request.key) == first.spki
    assert "key=" not in repr(request)
    assert fleet.kept_keys() == {}


def test_where_nobody_opens_that_key_a_revocation_goes_on_without(
    fleet: Fleet, told: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept(fleet)

    def shut(_serials: object) -> None:
        raise Denied("the keyring is not for this host")

    monkeypatch.setattr(fleet.journal, "leaf_keys", shut)
    fleet.converge()
    assert [each.key for each in told.revoked] == [None]


def test_a_revocation_of_what_has_no_key_here_opens_nothing(
    fleet: Fleet, told: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    def shut(_serials: object) -> None:
        raise AssertionError

    fleet.edit("web", on_remove=OnRemove.REVOKE).converge()
    del fleet.leaves["web"]
    monkeypatch.setattr(fleet.journal, "leaf_keys", shut)
    fleet.converge()
    assert [each.key for each in told.revoked] == [None]
