"""What was revoked stays so in lists and responses: after a rename, in an older ledger, below any parent."""

from collections.abc import Mapping
from dataclasses import replace

import pytest
from ca_life import edit
from cryptography.x509 import ocsp
from fleet import Fleet
from fleet_documents import Ca, Leaf, at

from reconciler.ledger.records import Status
from reconciler.lifetimes import lifetimes
from schemas.authority import OcspSettings

CRL, TREE = "services-g1.crl", "ocsp/services-g1"


@pytest.fixture
def fleet() -> Fleet:
    cas = {
        "root": Ca(days=3650),
        "other": Ca(days=60),
        "services": Ca("root", days=1500, ocsp=OcspSettings()),
    }
    leaves = {
        "web": Leaf("services", days=300, targets=at("a", "b")),
        "api": Leaf("services", names=("api.example.com",)),
    }
    return Fleet(cas=cas, leaves=leaves).converge().wait(1)


def answers(fleet: Fleet) -> Mapping[str, str]:
    """What is answered about each serial."""
    files = fleet.publisher.trees[TREE].files.values()
    found = [ocsp.load_der_ocsp_response(content) for content in files]
    return {f"{r.serial_number:x}": r.certificate_status.name for r in found}


def is_told(fleet: Fleet, serial: str) -> bool:
    """Whether a list and a response tell of a revocation."""
    return serial in fleet.published()[CRL].revoked and answers(fleet)[serial] == "REVOKED"


def test_a_revocation_that_was_held_back_outlives_a_rename(fleet: Fleet) -> None:
    serial = fleet.current("web").serial
    fleet.revoke("inc", "web").away.add("b")
    fleet.apply()
    assert not is_told(fleet, serial), "b may still serve it"
    fleet.rename("web", "shop").away.clear()
    fleet.converge()
    assert is_told(fleet, serial)


def test_a_name_that_another_certificate_has_now_is_that_one(fleet: Fleet) -> None:
    old = fleet.current("web").serial
    fleet.rename("web", "shop").converge()
    fleet.leaves["web"] = Leaf("services", names=("new.example.com",))
    fleet.edit("shop", formerly=()).converge()
    new = fleet.current("web").serial
    fleet.wait(1).revoke("inc", "web").converge()
    assert is_told(fleet, new)
    assert answers(fleet)[old] == "GOOD"


def test_an_older_ledger_unsays_nothing_of_what_the_published_list_revokes(fleet: Fleet) -> None:
    before, serial = fleet.journal.state.certificates, fleet.current("web").serial
    fleet.revoke("inc", serials=(serial,)).converge()
    fleet.revocations.clear()
    fleet.journal.state = replace(fleet.journal.state, certificates=before)
    fleet.wait(3).apply()
    assert fleet.journal.state.certificates["web"].issuances[0].status is Status.ISSUED
    assert is_told(fleet, serial)


def test_a_list_goes_on_as_long_as_the_certificate_of_its_ca_that_ends_last(fleet: Fleet) -> None:
    serial = fleet.current("web").serial
    edit(fleet, "services", parent="other")
    fleet.apply()
    fleet.leaves.clear()
    edit(fleet, "services", retired=True)
    edit(fleet, "other", retired=True)
    fleet.apply()
    fleet.wait(100).apply()  # what is signed below the other parent has ended
    fleet.revoke("inc", serials=(serial,)).apply()
    assert is_told(fleet, serial)
    assert "crl/services-g1" in [life.address for life in lifetimes(fleet.world())]


def test_what_is_revoked_while_nothing_is_published_is_told_as_soon_as_something_is(
    fleet: Fleet,
) -> None:
    serial = fleet.current("web").serial
    fleet.publish = False
    fleet.revoke("inc", serials=(serial,)).apply()
    fleet.revocations.clear()
    fleet.wait(3).apply()
    fleet.publish = True
    fleet.converge()
    assert is_told(fleet, serial)


def test_each_parent_lists_the_certificate_that_it_signed_for_a_stolen_key(fleet: Fleet) -> None:
    edit(fleet, "other", days=3650, generation=2).converge()
    edit(fleet, "services", parent="other").converge()
    below_other, below_root = fleet.journal.state.authorities["services"].own(1)
    fleet.compromise("services").converge()
    assert below_root.serial in fleet.published()["root-g1.crl"].revoked
    assert below_other.serial in fleet.published()["other-g2.crl"].revoked
    assert set(answers(fleet).values()) == {"REVOKED"}
