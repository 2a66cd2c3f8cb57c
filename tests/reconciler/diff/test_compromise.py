"""A CA whose key is in other hands: what takes its place, what is revoked, when, and whom it takes down."""

from dataclasses import replace

import pytest
from ca_life import edit
from fleet import Fleet
from fleet_documents import Ca, Leaf, at
from fleet_sights import shown

from reconciler.diff import revocation_warnings
from reconciler.diff.revocations import OF_CAS_ALONE
from reconciler.ledger.records import Issuance, Status
from reconciler.order import waves
from schemas.plan import Action, Change, Reason
from schemas.revocation import RevocationReason

TREE = {"root": Ca(), "services": Ca(parent="root"), "edge": Ca(parent="services")}
"""`web` is signed by services, `api` by a CA below it, `direct` by the root."""


@pytest.fixture
def fleet() -> Fleet:
    leaves = {
        "web": Leaf(issuer="services", targets=at("a", "b")),
        "api": Leaf(issuer="edge"),
        "direct": Leaf(),
    }
    return Fleet(cas=dict(TREE), leaves=leaves).converge().wait(1)


def revocations(fleet: Fleet) -> dict[str, Change]:
    """The revocations of a plan, by the address of what they are of."""
    found = (c for c in fleet.plan().changes if c.action is Action.REVOKE)
    return {c.address.partition("#")[0]: c for c in found}


def held_back(fleet: Fleet) -> dict[str, str]:
    """What stands in the way of revocations, by the address of what they are of."""
    found = (c for c in fleet.plan().changes if c.action is Action.BLOCKED and "#" in c.address)
    return {c.address.partition("#")[0]: c.message for c in found}


def reason_of(issuance: Issuance | None) -> RevocationReason | None:
    return issuance.revoked.reason if issuance and issuance.revoked else None


def test_a_document_of_one_line_replaces_a_ca_and_all_that_it_signed(fleet: Fleet) -> None:
    fleet.compromise("services")
    steps = [step.id.partition("#")[0] for wave in waves(fleet.plan().changes) for step in wave]
    order = [
        "issue:authority/services",
        "issue:authority/edge",
        "issue:certificate/api",
        "install:certificate/api@a",
        "revoke:authority/services",
        "publish:crl/root-g1",
    ]
    assert sorted(order, key=steps.index) == order
    fleet.converge()
    services, edge = (fleet.journal.state.authorities[name] for name in ("services", "edge"))
    assert reason_of(services.issued(1)) is RevocationReason.KEY_COMPROMISE
    assert reason_of(edge.first(1)) is RevocationReason.SUPERSEDED
    assert reason_of(edge.issued(1)) is None
    assert fleet.current("web").request.issuer_generation == 2
    assert fleet.published()["root-g1.crl"].revoked == {services.issuances[0].serial}
    assert len(fleet.published()["services-g1.crl"].revoked) == 2


def test_a_compromised_root_leaves_and_everything_hangs_by_its_next_generation(
    fleet: Fleet,
) -> None:
    fleet.compromise("root", reason=RevocationReason.CA_COMPROMISE).converge()
    root = fleet.journal.state.authorities["root"]
    assert reason_of(root.issued(1)) is RevocationReason.CA_COMPROMISE
    world = fleet.world()
    for name in ("web", "api", "direct"):
        assert world.above(fleet.current(name)).isdisjoint({i.serial for i in root.own(1)})


def test_what_it_causes_is_told_by_its_reason(fleet: Fleet) -> None:
    fleet.compromise("services")
    found = fleet.plan().changes
    caused = {c.address for c in found if c.reason is Reason.COMPROMISED}
    issued = {c.address for c in found if c.action is Action.ISSUE}
    assert issued <= caused
    assert {c.address for c in found if c.action is Action.REVOKE} <= caused
    assert not any(c.due for c in found if c.reason is Reason.COMPROMISED)
    assert "certificate/direct" not in caused


def test_what_is_done_to_its_successor_later_is_not_caused_by_it(fleet: Fleet) -> None:
    fleet.compromise("services").converge()
    edit(fleet, "root", generation=2)
    changed = {c.address: c for c in fleet.plan().changes}
    moved = changed["authority/services"]
    assert (moved.action, moved.reason) == (Action.ISSUE, Reason.ISSUER_CHANGED)
    assert "revocation/" not in moved.message


def test_a_generation_that_is_only_superseded_is_no_compromise(fleet: Fleet) -> None:
    fleet.compromise("services", reason=RevocationReason.SUPERSEDED)
    assert Reason.COMPROMISED not in {c.reason for c in fleet.plan().changes}
    fleet.converge()
    services = fleet.journal.state.authorities["services"]
    assert reason_of(services.issued(1)) is RevocationReason.SUPERSEDED


def test_two_compromised_cas_each_have_their_own_reason(fleet: Fleet) -> None:
    fleet.compromise("root", reason=RevocationReason.CA_COMPROMISE).compromise("services")
    found = revocations(fleet)
    said = {address: (c.after or {})["reason"] for address, c in found.items()}
    assert said["authority/services"] == "keyCompromise"
    assert said["authority/root"] == "cACompromise"
    fleet.converge()


def test_a_leaf_is_not_revoked_for_the_compromise_of_a_ca(fleet: Fleet) -> None:
    serial = fleet.current("web").serial
    fleet.revoke("inc", serials=(serial,))
    wrong = replace(fleet.revocations["inc"], reason=RevocationReason.CA_COMPROMISE)
    fleet.revocations["inc"] = wrong
    assert held_back(fleet) == {"certificate/web": OF_CAS_ALONE}


def test_a_generation_that_never_was_is_told(fleet: Fleet) -> None:
    fleet.compromise("services", 7)
    world = fleet.world()
    (told,) = revocation_warnings(world, fleet.plan().changes)
    assert told.summary == "authority/services has no generation 7 yet"
    assert shown(fleet.plan()) == []


def test_taking_the_document_away_too_early_unrevokes_nothing(fleet: Fleet) -> None:
    fleet.compromise("services").converge()
    before = fleet.published()["services-g1.crl"].revoked
    fleet.revocations.clear()
    (stuck,) = fleet.plan().changes
    assert stuck.address == "authority/services"
    assert "generation: 2" in stuck.message
    serial = fleet.current("web").serial
    fleet.wait(21).apply()
    assert fleet.current("web").serial != serial, "it is renewed by the generation that issues"
    services = fleet.journal.state.authorities["services"]
    assert {i.status for i in services.own(1)} == {Status.REVOKED}
    assert fleet.published()["services-g1.crl"].revoked == before
    fleet.cas["services"] = replace(fleet.cas["services"], generation=2)
    fleet.converge()
    assert fleet.current("web").request.issuer_generation == 2


def test_a_ca_that_passes_a_number_over_is_replaced_for_its_compromise_all_the_same(
    fleet: Fleet,
) -> None:
    edit(fleet.compromise("services"), "services", generation=3)
    issued = next(c for c in fleet.plan().changes if c.id == "issue:authority/services")
    assert issued.reason is Reason.COMPROMISED
