"""A hierarchy of ML-DSA keys in the fleet: a repeated signature differs, and makes no second certificate."""

from typing import cast

import pytest
from cryptography import x509 as cx
from fleet import Fleet
from fleet_documents import Ca, Leaf
from key_kinds import ML_DSA
from memory_ledger import Crash

from providers.signer import PublicKey
from reconciler.ledger.records import Issuance
from reconciler.lint import Linter
from reconciler.planning import make_plan


def hierarchy() -> Fleet:
    cas = {"root": Ca(key=ML_DSA[2]), "issuing": Ca(parent="root", key=ML_DSA[1])}
    return Fleet(cas, {"web": Leaf(issuer="issuing", key=ML_DSA[0])})


def parsed(issuance: Issuance | None) -> cx.Certificate:
    assert issuance is not None
    return cx.load_pem_x509_certificate((issuance.certificate or "").encode())


def test_a_hierarchy_of_it_is_issued_installed_published_and_renewed() -> None:
    fleet = hierarchy().converge()
    authorities = fleet.journal.state.authorities
    root, issuing = (parsed(authorities[name].issued(1)) for name in ("root", "issuing"))
    for _ in range(2):
        parsed(fleet.current("web")).verify_directly_issued_by(issuing)
        fleet.wait(21).converge()
    issuing.verify_directly_issued_by(root)
    for name, ca in (("root", root), ("issuing", issuing)):
        crl = cx.load_der_x509_crl(fleet.publisher.published()[f"{name}-g1.crl"])
        assert crl.is_signature_valid(cast("PublicKey", ca.public_key()))


def test_what_a_crash_left_unrecorded_is_signed_again_under_the_same_serial() -> None:
    for at in range(1, 9):
        fleet = hierarchy()
        fleet.journal.crash_at = at
        with pytest.raises(Crash):
            fleet.apply()
        reserved = {i.serial for r in fleet.journal.state.authorities.values() for i in r.issuances}
        fleet.converge()
        after = {i.serial for r in fleet.journal.state.authorities.values() for i in r.issuances}
        assert reserved <= after
        assert len(after) == 2


def test_pkilint_finds_nothing_against_it() -> None:
    fleet, linter = hierarchy(), Linter()
    assert not [c for c in make_plan(fleet.world()).changes if c.action == "blocked"]
    assert linter(fleet.world(), make_plan(fleet.world()).changes) == {}
    assert linter.remarks == ()
