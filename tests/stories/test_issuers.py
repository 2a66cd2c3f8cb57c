"""One certificate moves between CAs, one line each time; another is issued by its place itself."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import acm_issuance
import pytest
from cryptography import x509
from issuer_rig import Estate
from rig import Runner


@pytest.fixture(scope="module")
def runner() -> Iterator[Runner]:
    made = Runner()
    yield made
    made.stop()


@pytest.fixture
def estate(runner: Runner, tmp_path: Path) -> Iterator[Estate]:
    with Estate.founded(runner, tmp_path / "estate") as made:
        yield made


def _issuer(certificate: x509.Certificate) -> str:
    (name,) = certificate.issuer.get_attributes_for_oid(x509.NameOID.COMMON_NAME)
    return str(name.value)


def test_a_certificate_moves_to_aws_private_ca_and_back_by_one_line(estate: Estate) -> None:
    estate.want("issuing")
    estate.settle()
    ours = estate.served
    assert _issuer(ours) == "Fault Issuing G1"
    estate.want("private")
    plan = estate.plan()
    assert "IssuerChanged" in estate.run("plan", "--format", "json").out
    assert "issuerRef" in plan
    assert estate.aws.wire.counts["IssueCertificate"] == 0, "a plan asks no issuer"
    estate.settle()
    theirs = estate.served
    assert _issuer(theirs) == "Emulated CA"
    assert list(estate.cas.sold) == [f"{estate.arn}/certificate/{theirs.serial_number}"]
    chain = (estate.repository.root / "live/edge/web/current/chain.pem").read_bytes()
    assert x509.load_pem_x509_certificates(chain) == [estate.cas.cas[estate.arn].certificate]
    theirs.verify_directly_issued_by(estate.cas.cas[estate.arn].certificate)
    estate.want("issuing")
    estate.settle()
    assert _issuer(estate.served) == "Fault Issuing G1"
    assert estate.served.serial_number != ours.serial_number
    assert estate.run("log", "--verify").status == 0
    assert len(estate.cas.sold) == 1


def test_what_aws_private_ca_issued_is_shown_and_revoked_there(estate: Estate) -> None:
    estate.want("private")
    estate.settle()
    serial = f"{estate.served.serial_number:x}"
    assert serial in estate.run("show", "certificate/web").out
    assert "Order certificate/web" in estate.run("log").out
    estate.revoke(serial)
    estate.settle()
    sold = estate.cas.sold
    assert sold[f"{estate.arn}/certificate/{int(serial, 16)}"].revoked == "SUPERSEDED"
    assert estate.served.serial_number != int(serial, 16)
    assert estate.run("log", "--verify").status == 0


def test_what_takes_long_is_gone_on_with_by_the_next_run(estate: Estate) -> None:
    estate.want("private")
    estate.cas.slow = 25
    ended = estate.apply()
    assert ended.status == 4
    assert "has not issued" in ended.err
    estate.settle()
    assert len(estate.cas.sold) == 1


def test_a_ca_that_issues_nothing_says_why(estate: Estate) -> None:
    estate.want("private")
    estate.cas.cas[estate.arn].status = "DISABLED"
    ended = estate.apply()
    assert ended.status == 4
    assert "the CA is DISABLED" in ended.err
    assert "Traceback" not in ended.err
    estate.cas.cas[estate.arn].status = "ACTIVE"
    assert "is asked for no order before" in estate.plan()
    estate.settle("--replace", "certificate/web")


def test_acm_issues_by_itself_once_the_dns_records_are_there(estate: Estate) -> None:
    estate.want("amazon", "acm")
    ended = estate.apply()
    assert ended.status == 0, ended.err
    store = estate.aws.store()
    (asked,) = store.certificates.values()
    assert "create them" in estate.plan()
    assert "CNAME" in estate.plan()
    assert estate.apply().status == 0, "to wait is no failure"
    assert len(store.certificates) == 1
    acm_issuance.issue(asked, datetime.now(UTC))
    estate.settle()
    assert "web.example.com" in estate.run("inventory").out


def test_what_acm_issued_is_renewed_there_replaced_beside_and_removed(estate: Estate) -> None:
    estate.want("amazon", "acm")
    assert estate.apply().status == 0
    store = estate.aws.store()
    (first,) = store.certificates.values()
    acm_issuance.issue(first, datetime.now(UTC))
    estate.settle()
    acm_issuance.issue(first, datetime.now(UTC) + timedelta(seconds=1))
    assert "No changes" in estate.plan(), "a renewal is no drift"
    document = estate.repository.root / "web.yaml"
    document.write_text(document.read_text().replace("web.example.com", "new.example.com"))
    for _ in range(2):
        assert estate.apply().status == 0, "to wait is no failure"
        assert len(store.certificates) == 2, "the old one stays until the new one is issued"
    (second,) = [each for each in store.certificates.values() if each is not first]
    acm_issuance.issue(second, datetime.now(UTC))
    estate.settle()
    assert list(store.certificates.values()) == [second]
    estate.want("issuing", "acm")
    assert estate.apply().status == 0
    assert second in store.certificates.values(), "it may be in use until the new one is there"
    estate.settle()
    (ours,) = store.certificates.values()
    assert ours is not second, "what ACM issued cannot hold another certificate"
    document.unlink()
    estate.settle()
    assert not store.certificates
