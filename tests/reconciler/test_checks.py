"""Why a certificate is issued: one row for each reason, and the order in which they count."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta

import pytest
from fleet import Fleet
from fleet_documents import Leaf

from reconciler.checks import CHECKS, Subject, first_finding
from reconciler.ledger.records import CertificateRecord, Revoked, Status
from schemas.base import digest
from schemas.certificate import Algorithm, Rollout
from schemas.certificate import Subject as Name
from schemas.plan import Reason
from schemas.request import KeyType
from schemas.revocation import RevocationReason


@pytest.fixture(scope="module")
def fresh() -> Subject:
    """A certificate that is as it should be."""
    fleet = Fleet(leaves={"web": Leaf()}).converge()
    desired = fleet.desired().certificates["web"]
    return Subject(desired, fleet.journal.state.certificates["web"], fleet.now)


def wanting(at: Subject, **fields: object) -> Subject:
    request = at.desired.request.model_copy(update=fields)
    desired = replace(at.desired, request=request, digest=digest(request.to_json()))
    return replace(at, desired=desired)


def later(subject: Subject, days: float) -> Subject:
    return replace(subject, now=subject.now + timedelta(days=days))


def having(subject: Subject, **fields: object) -> Subject:
    (issuance,) = subject.record.issuances
    changed = issuance.model_copy(update=fields)
    return replace(subject, record=subject.record.model_copy(update={"issuances": (changed,)}))


def pending(subject: Subject, **fields: object) -> Subject:
    (issuance,) = subject.record.issuances
    reserved = issuance.model_copy(update={"serial": "77", "status": Status.RESERVED, **fields})
    record = subject.record.model_copy(update={"issuances": (issuance, reserved)})
    return replace(subject, record=record)


def revoked(subject: Subject) -> Subject:
    fact = Revoked(at=subject.now, reason=RevocationReason.KEY_COMPROMISE)
    return having(subject, status=Status.REVOKED, revoked=fact)


def onrenewal(subject: Subject) -> Subject:
    return replace(subject, desired=replace(subject.desired, rollout=Rollout.ON_RENEWAL))


NEVER = CertificateRecord(name="web")
Row = tuple[Callable[[Subject], Subject], Reason | None, str]
ROWS: Mapping[str, Row] = {
    "as it should be": (lambda s: s, None, ""),
    "reserved": (pending, Reason.RESUMING, "reserved at 2026-01-01T00:00:00Z, not yet issued"),
    "reserved for another request": (lambda s: pending(s, digest="0" * 32), None, ""),
    "reserved, and over": (lambda s: pending(s, not_after=s.now), None, ""),
    "reserved for a time to come": (
        lambda s: pending(s, not_before=s.now + timedelta(minutes=5, seconds=1)),
        None,
        "",
    ),
    "reserved by a clock a little ahead": (
        lambda s: pending(s, not_before=s.now + timedelta(minutes=5)),
        Reason.RESUMING,
        "reserved at 2026-01-01T00:00:00Z, not yet issued",
    ),
    "not valid yet": (
        lambda s: later(s, -10),
        Reason.NOT_YET_VALID,
        "not valid before 2025-12-31T23:55:00Z",
    ),
    "not valid yet, by what clocks differ": (lambda s: later(s, -1 / 288), None, ""),
    "asked for": (lambda s: replace(s, replace=True), Reason.REQUESTED, "a new one was asked for"),
    "never issued": (lambda s: replace(s, record=NEVER), Reason.NOT_FOUND, "no certificate yet"),
    "revoked": (revoked, Reason.REVOKED, "the current one is revoked"),
    "about to be revoked": (
        lambda s: replace(s, revoking="inc-1"),
        Reason.REVOKED,
        "revocation/inc-1 revokes the current one",
    ),
    "another issuer": (
        lambda s: wanting(s, issuer="mid"),
        Reason.ISSUER_CHANGED,
        "moves from root to mid",
    ),
    "another generation": (
        lambda s: wanting(s, issuer_generation=2),
        Reason.ISSUER_CHANGED,
        "issuerGeneration changed",
    ),
    "another issuer, on renewal": (
        lambda s: onrenewal(wanting(s, issuer="mid")),
        Reason.ISSUER_CHANGED,
        "moves from root to mid",
    ),
    "another name": (
        lambda s: wanting(s, dns_names=("new.example.com",)),
        Reason.SPEC_CHANGED,
        "dnsNames changed",
    ),
    "another name, on renewal": (
        lambda s: onrenewal(wanting(s, dns_names=("new.example.com",))),
        None,
        "",
    ),
    "another key": (
        lambda s: wanting(s, key=KeyType(algorithm=Algorithm.ECDSA, size=256)),
        Reason.SPEC_CHANGED,
        "privateKey changed",
    ),
    "another life": (
        lambda s: wanting(s, duration=86400),
        Reason.SPEC_CHANGED,
        "duration changed",
    ),
    "another subject": (
        lambda s: wanting(s, subject=Name(organizations=("Example Ltd",))),
        Reason.SPEC_CHANGED,
        "subject changed",
    ),
    "nobody has the key": (
        lambda s: replace(s, keyless="a: gone"),
        Reason.KEY_UNAVAILABLE,
        "a: gone",
    ),
    "over": (lambda s: later(s, 30), Reason.EXPIRED, "expired at 2026-01-30T23:54:59Z"),
    "its last third": (lambda s: later(s, 20), Reason.RENEWING, "9 days left"),
    "before its last third": (lambda s: later(s, 17.9), None, ""),
}


@pytest.mark.parametrize("row", ROWS.values(), ids=ROWS)
def test_the_first_finding_says_why(fresh: Subject, row: Row) -> None:
    made, reason, message = row
    found = first_finding(made(fresh))
    assert (found and found.reason, found.message if found else "") == (reason, message)


def test_every_field_that_differs_is_told_with_both_values(fresh: Subject) -> None:
    found = first_finding(
        wanting(fresh, dns_names=("a.example.com",), uris=("urn:x",), duration=60)
    )
    assert found is not None
    assert [(f.path, f.before, f.after) for f in found.fields] == [
        ("dnsNames", ["www.example.com"], ["a.example.com"]),
        ("duration", "30d", "1m"),
        ("uris", None, ["urn:x"]),
    ]


def test_what_was_begun_is_finished_before_anything_else_counts(fresh: Subject) -> None:
    everything = replace(pending(later(fresh, 29)), replace=True, revoking="r", keyless="k")
    order = [check.__name__ for check in CHECKS if check(everything)]
    assert order == ["resuming", "requested", "revoked", "key_unavailable", "renewing"]
