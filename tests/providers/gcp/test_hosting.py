"""Google issues and renews; each domain is authorized by a record, and a change means another object."""

from dataclasses import replace

import pytest
from certificate_manager_rig import OWNER_ID, PARENT, Rig, labels
from google.cloud import certificate_manager_v1 as api
from wire import Way

from providers.abilities import Host, HostRequest
from providers.base import SPEC, DnsRecord, HostingState, Installed
from providers.errors import Ambiguous, Conflict, Denied, Rejected
from providers.gcp.manager import CertificateManagerTarget
from schemas.certificate import Algorithm, Usage
from schemas.issuer import GoogleManagedIssuer
from schemas.request import KeyType, LeafRequest


def asking(
    *names: str,
    predecessor: Installed | None = None,
    replaces: bool = False,
    spec: str = "0" * 32,
    mail: tuple[str, ...] = (),
) -> HostRequest:
    request = LeafRequest(
        issuer="google",
        issuer_generation=1,
        dns_names=names,
        email_addresses=mail,
        usages=(Usage.SERVER_AUTH,),
        key=KeyType(algorithm=Algorithm.ECDSA, size=256),
        duration=90 * 86_400,
    )
    wanted = {**labels("web"), SPEC: spec}
    return HostRequest("web", request, wanted, GoogleManagedIssuer(), predecessor, replaces)


@pytest.fixture
def target(rig: Rig) -> CertificateManagerTarget:
    return rig.target()


def authorizations(rig: Rig) -> dict[str, api.DnsAuthorization]:
    found = rig.emulator.resources.values()
    return {each.domain: each for each in found if isinstance(each, api.DnsAuthorization)}


def test_the_target_is_able_to(target: CertificateManagerTarget) -> None:
    assert isinstance(target, Host)
    assert target.capabilities.hosts


def test_a_certificate_is_pending_until_its_records_are_there(
    rig: Rig, target: CertificateManagerTarget
) -> None:
    asked = target.host(asking("example.com", "*.example.com", "www.example.net"))
    assert (asked.name, asked.serial, asked.drift) == ("web", None, ())
    assert asked.labels == labels("web")
    assert asked.hosting is not None
    assert asked.hosting.state is HostingState.PENDING
    assert "DNS record" in asked.hosting.detail
    records = authorizations(rig)
    assert set(records) == {"example.com", "www.example.net"}
    assert asked.hosting.records == tuple(
        DnsRecord(f"_acme-challenge.{domain}.", "CNAME", records[domain].dns_resource_record.data)
        for domain in ("example.com", "www.example.net")
    )
    assert all(each.labels["certform-owner"] == OWNER_ID for each in records.values())
    assert list(target.observe()) == [asked]


def test_what_was_issued_is_told_and_its_renewals_are_no_drift(
    rig: Rig, target: CertificateManagerTarget
) -> None:
    asked = target.host(asking("example.com"))
    rig.emulator.provision(asked.id)
    rig.emulator.wire.asked.clear()
    (first,) = target.observe()
    assert rig.asked() == ["ListCertificates"]
    assert first.hosting is not None
    assert first.hosting.state is HostingState.ACTIVE
    assert first.hosting.records == ()
    assert first.serial is not None
    rig.emulator.provision(asked.id)
    (renewed,) = target.observe()
    assert renewed.serial != first.serial
    assert (renewed.id, renewed.drift) == (first.id, ())
    assert target.host(asking("example.com", predecessor=first)) == renewed
    target.remove(first)
    assert rig.emulator.resources == {}


def test_asking_twice_changes_nothing(rig: Rig, target: CertificateManagerTarget) -> None:
    asked = target.host(asking("example.com"))
    assert target.host(asking("example.com")) == asked
    assert target.host(asking("example.com", predecessor=asked)) == asked
    changes = ("CreateDnsAuthorization", "CreateCertificate", "UpdateCertificate")
    assert rig.asked(*changes).count("CreateDnsAuthorization") == 1
    assert "UpdateCertificate" not in rig.asked()


def test_what_google_gave_up_is_told_with_its_reason(
    rig: Rig, target: CertificateManagerTarget
) -> None:
    asked = target.host(asking("example.com"))
    rig.emulator.give_up(asked.id, "the CNAME of example.com was not found")
    (found,) = target.observe()
    assert found.hosting is not None
    assert found.hosting.state is HostingState.FAILED
    assert "CNAME of example.com" in found.hosting.detail
    assert found.hosting.records != ()


@pytest.mark.filterwarnings("ignore:Unrecognized FailureReason")
def test_a_reason_that_the_client_does_not_know_is_told_by_its_number(
    rig: Rig, target: CertificateManagerTarget
) -> None:
    asked = target.host(asking("example.com"))
    attempt = api.Certificate.ManagedCertificate.AuthorizationAttemptInfo.from_json(
        '{"domain": "example.com", "state": 2, "failureReason": 77}'
    )
    rig.resource("web").managed.authorization_attempt_info = [attempt]
    (found,) = target.observe()
    assert (found.id, found.hosting and found.hosting.detail) == (asked.id, "example.com: 77")


def test_other_labels_alone_are_set_in_place(rig: Rig, target: CertificateManagerTarget) -> None:
    asked = target.host(asking("example.com"))
    after = target.host(asking("example.com", predecessor=asked, spec="1" * 32))
    assert (after.id, after.labels[SPEC]) == (asked.id, "1" * 32)


def test_other_domains_are_refused_in_place_and_replaced_beside(
    rig: Rig, target: CertificateManagerTarget
) -> None:
    old = target.host(asking("example.com"))
    with pytest.raises(Rejected, match="cannot be changed"):
        target.host(asking("example.net", predecessor=old))
    wanted = asking("example.net", predecessor=old, replaces=True, spec="abcdef12" * 4)
    new = target.host(wanted)
    assert new.name == "web-abcdef12"
    assert target.host(wanted) == new
    assert {found.id for found in target.observe()} == {old.id, new.id}
    again = target.host(replace(wanted, predecessor=new))
    assert again.name not in (old.name, new.name)
    assert again.name.startswith("web-")


def test_names_are_moved_only_when_the_new_certificate_is_there(rig: Rig) -> None:
    target = rig.target(certificateMap="front")
    old = target.host(asking("example.com"))
    rig.emulator.provision(old.id)
    old = target.inspect(old)
    wanted = asking("example.com", predecessor=old, replaces=True, spec="abcdef12" * 4)
    new = target.host(wanted)
    (entry,) = (
        e for e in rig.emulator.resources.values() if isinstance(e, api.CertificateMapEntry)
    )
    path = entry.name
    assert list(rig.emulator.resources[path].certificates) == [old.id, new.id]
    assert [found.incomplete for found in target.observe()] == [(), ()]
    rig.emulator.provision(new.id)
    target.host(wanted)
    assert list(rig.emulator.resources[path].certificates) == [new.id]
    target.remove(target.inspect(old))
    assert set(authorizations(rig)) == {"example.com"}
    target.remove(target.inspect(new))
    assert authorizations(rig) == {}


def test_the_authorization_of_somebody_else_is_used_and_left_alone(
    rig: Rig, target: CertificateManagerTarget
) -> None:
    path = f"{PARENT}/dnsAuthorizations/by-hand"
    rig.emulator.resources[path] = api.DnsAuthorization(name=path, domain="example.com")
    asked = target.host(asking("example.com"))
    assert list(rig.resource("web").managed.dns_authorizations) == [path]
    target.remove(asked)
    assert list(rig.emulator.resources) == [path]


def test_what_google_does_not_issue_is_refused_before_anything_is_made(
    rig: Rig, target: CertificateManagerTarget
) -> None:
    for bad in (asking("a.example.com", mail=("a@example.com",)), asking()):
        with pytest.raises(Rejected):
            target.host(bad)
    assert rig.asked() == []


def test_a_name_that_is_taken_is_a_conflict(rig: Rig, target: CertificateManagerTarget) -> None:
    installed = target.install(rig.request("web"))
    with pytest.raises(Conflict):
        target.host(asking("www.example.com"))
    with pytest.raises(Rejected):
        target.host(asking("www.example.com", predecessor=installed))
    assert [found.hosting for found in target.observe()] == [None]


def test_a_key_cannot_be_brought_to_what_google_issues(
    rig: Rig, target: CertificateManagerTarget
) -> None:
    asked = target.host(asking("www.example.com"))
    with pytest.raises(Rejected, match="type"):
        target.install(rig.request("web", predecessor=asked))


@pytest.mark.parametrize("operation", ["CreateDnsAuthorization", "CreateCertificate"])
def test_what_was_not_answered_is_looked_for(
    rig: Rig, target: CertificateManagerTarget, operation: str
) -> None:
    rig.emulator.wire.fail(operation, Way.UNANSWERED)
    assert target.host(asking("example.com")) in target.observe()
    assert rig.asked(operation) == [operation]


def test_a_run_that_breaks_off_is_finished_by_the_next(
    rig: Rig, target: CertificateManagerTarget
) -> None:
    rig.emulator.wire.fail("CreateCertificate", Way.DROPPED)
    with pytest.raises(Ambiguous):
        target.host(asking("example.com"))
    target.host(asking("example.com"))
    assert rig.asked("CreateDnsAuthorization") == ["CreateDnsAuthorization"]


def test_a_permission_that_is_missing_is_named(rig: Rig, target: CertificateManagerTarget) -> None:
    rig.emulator.service.denied.add("certificatemanager.dnsauthorizations.use")
    with pytest.raises(Denied, match=r"certificatemanager\.dnsauthorizations\.use"):
        target.host(asking("example.com"))
