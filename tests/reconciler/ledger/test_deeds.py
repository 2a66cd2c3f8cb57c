"""The history of one record is told in words, each wave by what it did."""

import itertools
from datetime import UTC, datetime, timedelta

from reconciler.ledger.deeds import deeds
from reconciler.ledger.publications import CrlRecord, OcspRecord, Responder
from reconciler.ledger.records import (
    Attempts,
    CertificateRecord,
    Issuance,
    Placement,
    Revoked,
    Status,
)
from schemas.certificate import Algorithm
from schemas.request import KeyType, LeafRequest
from schemas.revocation import RevocationReason

NOW = datetime(2026, 11, 23, 2, 41, tzinfo=UTC)
RESERVED = Issuance(
    serial="1f",
    status=Status.RESERVED,
    request=LeafRequest(
        issuer="services",
        issuer_generation=1,
        dns_names=("web.example",),
        key=KeyType(algorithm=Algorithm.ECDSA, size=256),
        usages=(),
        duration=86_400,
    ),
    digest="",
    not_before=NOW,
    not_after=NOW + timedelta(days=1),
    spki="",
    bundle="b1",
    reserved_at=NOW,
)
ISSUED = RESERVED.model_copy(update={"status": Status.ISSUED})
REVOKED = ISSUED.model_copy(
    update={
        "status": Status.REVOKED,
        "bundle": None,
        "revoked": Revoked(at=NOW, reason=RevocationReason.KEY_COMPROMISE),
    }
)
PLANNED = Placement(target="edge", object_name="web")
VERIFIED = PLANNED.model_copy(update={"serial": "1f", "verified_at": NOW})


def record(issuance: Issuance, *placements: Placement) -> CertificateRecord:
    return CertificateRecord(name="web", issuances=(issuance,), placements=placements)


def test_the_life_of_a_certificate_is_told_step_by_step() -> None:
    life = [
        None,
        record(RESERVED),
        record(ISSUED, PLANNED),
        record(ISSUED, VERIFIED),
        record(REVOKED),
        None,
    ]
    told = [tuple(deeds(old, new)) for old, new in itertools.pairwise(life)]
    assert told == [
        ("reserved 1f",),
        ("issued 1f, valid until 2026-11-24T02:41:00Z", "to be installed in edge"),
        ("seen working in edge: 1f",),
        ("revoked 1f, keyCompromise", "erased the key of 1f", "gone from edge"),
        ("left the ledger",),
    ]


def test_what_stays_as_it_is_says_nothing() -> None:
    assert tuple(deeds(record(ISSUED, VERIFIED), record(ISSUED, VERIFIED))) == ()


def test_failures_are_told_with_their_number() -> None:
    attempts = Attempts(failures=3, last_at=NOW, error="disk is full", digest="")
    failed = record(ISSUED).model_copy(update={"attempts": attempts})
    assert tuple(deeds(record(ISSUED), failed)) == ("failed, 3 in a row: disk is full",)


def test_a_crl_is_reserved_and_signed() -> None:
    reserved = CrlRecord(
        authority="services", generation=2, number=7, this_update=NOW, next_update=NOW
    )
    signed = reserved.model_copy(update={"sha256": "ef" * 32})
    assert tuple(deeds(None, reserved)) == ("reserved CRL 7 of generation 2",)
    assert tuple(deeds(reserved, signed)) == ("signed CRL 7 of generation 2",)
    assert tuple(deeds(signed, signed)) == ()


def test_responders_are_told_when_they_are_reserved_and_when_they_have_answered() -> None:
    made = Responder(serial="7f", not_before=NOW, not_after=NOW + timedelta(days=4), spki="")
    reserved = OcspRecord(
        authority="services",
        generation=2,
        responders=(made,),
        this_update=NOW,
        next_update=NOW + timedelta(days=4),
    )
    signed = made.model_copy(update={"sha256": "ab"})
    published = reserved.model_copy(update={"responders": (signed,), "sha256": "cd"})
    assert tuple(deeds(None, reserved)) == ("reserved OCSP responder 7f of generation 2",)
    assert tuple(deeds(reserved, published)) == (
        "published OCSP responses of 7f, good until 2026-11-27T02:41:00Z",
    )
