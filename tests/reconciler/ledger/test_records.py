"""The format of the records, frozen: what a released certform wrote stays readable and the same."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import ledger_kit as kit
import pytest

from reconciler.errors import LedgerRefused
from reconciler.ledger import layout
from reconciler.ledger.issuing import AdviceRecord, Advised, SpendingRecord, Spent
from reconciler.ledger.publications import CrlRecord, OcspRecord, OcspTerms, Responder
from reconciler.ledger.records import (
    Attempts,
    AuthorityRecord,
    CertificateRecord,
    Lineage,
    PastEntry,
    PastRecord,
    Placement,
    Revoked,
    Status,
    Urls,
)
from reconciler.ledger.trust import TrustPlacement, TrustRecord
from schemas.authority import NameConstraints, NameForms
from schemas.base import Model
from schemas.certificate import Algorithm, OnRemove, Subject
from schemas.request import AuthorityRequest, KeyType
from schemas.revocation import RevocationReason

NOW = datetime(2026, 11, 23, 2, 41, tzinfo=UTC)
LINEAGE = Lineage(
    id="0123456789abcdef",
    project="example",
    created_at=NOW,
    public_key="ssh-ed25519 " + "A" * 68,
    leaf_recipient="age1" + "q" * 58,
)
CRL = CrlRecord(
    authority="services",
    generation=2,
    number=7,
    this_update=NOW,
    next_update=NOW + timedelta(days=7),
    sha256="ef" * 32,
)
OCSP = OcspRecord(
    authority="services",
    generation=2,
    responders=(
        Responder(
            serial="7f",
            not_before=NOW,
            not_after=NOW + timedelta(days=4, hours=1),
            spki="c3BraQ==",
            sha256="ab" * 32,
        ),
        Responder(serial="80", not_before=NOW, not_after=NOW + timedelta(days=5), spki="c3BraQ=="),
    ),
    this_update=NOW,
    next_update=NOW + timedelta(days=4),
    terms=OcspTerms(duration=345_600, refresh_before=86_400),
)
TRUST = TrustRecord(
    name="corp",
    placements=(
        TrustPlacement(
            target="haproxy", object_name="cas", anchors=("ab" * 32, "cd" * 32), verified_at=NOW
        ),
        TrustPlacement(target="nginx", object_name="corp"),
    ),
    replaced={"ab" * 32: NOW},
)
PAST = PastRecord(
    authority="legacy",
    generation=1,
    number=4096,
    entries=(
        PastEntry(serial="1000", not_after=NOW + timedelta(days=90), subject="/CN=a.example.com"),
        PastEntry(
            serial="1001",
            not_after=NOW + timedelta(days=90),
            subject="/CN=b.example.com",
            revoked=Revoked(at=NOW, reason=RevocationReason.KEY_COMPROMISE),
        ),
        PastEntry(serial="7", revoked=Revoked(at=NOW, reason=RevocationReason.UNSPECIFIED)),
    ),
)
SPENDING = SpendingRecord(
    issuer="lets-encrypt",
    day="2026-11-27",
    orders=(
        Spent(at=NOW, reference="ab" * 16, names="cd" * 16, domains=("example.com",)),
        Spent(
            at=NOW,
            reference="ef" * 16,
            names="01" * 16,
            domains=("example.com", "example.net"),
            failed_at=NOW,
            failed=("www.example.net",),
        ),
        Spent(at=NOW, reference="23" * 16, names="45" * 16, replaces="1f", renewal=True),
    ),
)
ADVICE = AdviceRecord(
    issuer="lets-encrypt",
    certificates=(
        Advised(
            serial="1f",
            ask_again=NOW + timedelta(hours=6),
            start=NOW,
            end=NOW + timedelta(days=2),
            explanation="https://ca.test/incident",
        ),
        Advised(serial="20", ask_again=NOW + timedelta(days=1)),
    ),
)
REQUEST = AuthorityRequest(
    issuer="root",
    issuer_generation=1,
    generation=2,
    common_name="Example Services CA G2",
    subject=Subject(organizations=("Example Ltd",), countries=("GB",)),
    key=KeyType(algorithm=Algorithm.ECDSA, size=384),
    duration=94_608_000,
    path_length=0,
    name_constraints=NameConstraints(permitted=NameForms(dns_domains=("svc.test",))),
)
ISSUED: dict[str, Any] = {"issued_at": NOW, "certificate": "Y2VydA==", "sha256": "cd" * 32}
PLACEMENTS = (
    Placement(target="nginx", object_name="web", serial="1f", verified_at=NOW, changes=(NOW, NOW)),
    Placement(target="haproxy", object_name="web-2"),
)


@pytest.fixture
def records() -> Mapping[str, Model]:
    urls = Urls(crl="http://pki.test/root.crl", issuer="http://pki.test/root.cer")
    authority = kit.issuance("2a", request=REQUEST, custody=None, urls=urls, **ISSUED)
    revoked = Revoked(at=NOW, reason=RevocationReason.SUPERSEDED)
    issuances = (
        kit.issuance("1e", Status.ABANDONED),
        kit.issuance("1f", Status.REVOKED, bundle="0011223344556677", revoked=revoked, **ISSUED),
        kit.issuance("20", Status.RESERVED, bundle="8899aabbccddeeff"),
    )
    certificate = CertificateRecord(
        name="web",
        on_remove=OnRemove.REVOKE,
        issuances=issuances,
        placements=PLACEMENTS,
        attempts=Attempts(failures=2, last_at=NOW, error="Throttled: too fast", digest="0" * 32),
    )
    return {
        "lineage": LINEAGE,
        "authority": AuthorityRecord(name="services", issuances=(authority,)),
        "certificate": certificate,
        "certificate-new": CertificateRecord(name="new"),
        "crl": CRL,
        "ocsp": OCSP,
        "trust": TRUST,
        "past": PAST,
        "spending": SPENDING,
        "spending-ca": SPENDING.model_copy(update={"ca": "https://ca.test/directory"}),
        "advice": ADVICE,
    }


KINDS = (
    *("lineage", "authority", "certificate", "certificate-new", "crl", "ocsp", "trust", "past"),
    *("spending", "spending-ca", "advice"),
)


@pytest.mark.parametrize("name", KINDS)
def test_a_record_is_written_as_it_always_was(
    name: str, records: Mapping[str, Model], golden: Callable[[str, str], None]
) -> None:
    golden(f"ledger/{name}.json", layout.encode(records[name]).decode())


@pytest.mark.parametrize("name", KINDS)
def test_a_record_is_read_back_as_it_was(name: str, records: Mapping[str, Model]) -> None:
    record = records[name]
    assert layout.decode(type(record), "file", layout.encode(record)) == record


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "not a Lineage"),
        (b"{", "not a Lineage"),
        (b"[]", "not a Lineage"),
        (layout.encode(LINEAGE).replace(b'"format": 1', b'"format": 2'), "at format"),
        (layout.encode(LINEAGE).replace(b'"project"', b'"projekt"'), "at project"),
        (layout.encode(LINEAGE).replace(b"2026-11-23", b"2026-13-23"), "at createdAt"),
    ],
)
def test_a_damaged_record_is_refused_by_name_and_place(content: bytes, said: str) -> None:
    with pytest.raises(LedgerRefused, match=said):
        layout.decode(Lineage, "lineage.json", content)


def test_a_record_under_the_path_of_another_is_refused() -> None:
    content = layout.encode(kit.certificate("web"))
    with pytest.raises(LedgerRefused, match="holds the record of"):
        layout.content(layout.certificate_path("other"), content)
