"""The emulated Certificate Manager refuses what the real one does."""

from collections.abc import Callable
from typing import Any

import pytest
from certificate_manager_rig import PARENT, Rig
from google.api_core.exceptions import BadRequest, Conflict, NotFound, Unauthorized
from google.cloud import certificate_manager_v1 as api

CERTIFICATE = f"{PARENT}/certificates/web"
MAP = f"{PARENT}/certificateMaps/front"
ENTRY = f"{MAP}/certificateMapEntries/www"
Call = Callable[[str, Any], Any]


@pytest.fixture
def call(rig: Rig) -> Call:
    """Call a method of Google's own client."""
    client = rig.target()._service().client

    def make(method: str, request: Any) -> Any:
        return getattr(client, method)(request=request, retry=None, timeout=10.0)

    return make


def patching(resource: Any, field: str, kind: str = "certificate") -> dict[str, Any]:
    return {kind: resource, "update_mask": {"paths": [field]}}


def put_map(rig: Rig) -> None:
    rig.target(certificateMap="front").install(rig.request("web"))


@pytest.mark.parametrize("field", ["scope", "managed", "pem_certificate", "name"])
def test_what_is_fixed_of_a_certificate_stays(rig: Rig, call: Call, field: str) -> None:
    rig.target().install(rig.request("web"))
    with pytest.raises(BadRequest, match="immutable"):
        call("update_certificate", patching(api.Certificate(name=CERTIFICATE), field))


def test_a_patch_says_what_it_changes(rig: Rig, call: Call) -> None:
    rig.target().install(rig.request("web"))
    with pytest.raises(BadRequest, match="update_mask"):
        call("update_certificate", {"certificate": api.Certificate(name=CERTIFICATE)})


def test_no_answer_holds_a_key(rig: Rig, call: Call) -> None:
    rig.target().install(rig.request("web"))
    found = call("get_certificate", {"name": CERTIFICATE})
    assert "self_managed" in found
    assert found.self_managed == api.Certificate.SelfManagedCertificate()
    assert found.pem_certificate


def test_a_key_of_another_certificate_and_a_broken_chain_are_refused(rig: Rig, call: Call) -> None:
    one, other = rig.bundle(), rig.bundle()
    for pem, key in (
        (one.certificate, other.held_key),
        (one.certificate + other.certificate, one.held_key),
        (b"nonsense", one.held_key),
    ):
        given = api.Certificate.SelfManagedCertificate(
            pem_certificate=pem.decode(), pem_private_key=key.reveal().decode()
        )
        resource = api.Certificate(self_managed=given)
        request = {"parent": PARENT, "certificate_id": "bad", "certificate": resource}
        with pytest.raises(BadRequest):
            call("create_certificate", request)


def test_what_is_referred_to_is_not_deleted(rig: Rig, call: Call) -> None:
    put_map(rig)
    with pytest.raises(BadRequest, match="in use"):
        call("delete_certificate", {"name": CERTIFICATE})
    with pytest.raises(BadRequest, match="in use"):
        call("delete_certificate_map", {"name": MAP})


def test_an_entry_has_one_to_four_certificates_that_exist(rig: Rig, call: Call) -> None:
    put_map(rig)
    (path,) = (name for name in rig.emulator.resources if name.startswith(f"{MAP}/"))
    five = [f"{CERTIFICATE}-{number}" for number in range(5)]
    for certificates, refusal in (
        ([], BadRequest),
        (five, BadRequest),
        ([CERTIFICATE] * 2, BadRequest),
        (five[:1], NotFound),
    ):
        entry = api.CertificateMapEntry(name=path, certificates=certificates)
        with pytest.raises(refusal):
            call(
                "update_certificate_map_entry",
                patching(entry, "certificates", "certificate_map_entry"),
            )


def test_a_host_name_has_one_entry(rig: Rig, call: Call) -> None:
    put_map(rig)
    entry = api.CertificateMapEntry(hostname="www.example.com", certificates=[CERTIFICATE])
    request = {"parent": MAP, "certificate_map_entry_id": "www", "certificate_map_entry": entry}
    with pytest.raises(Conflict):
        call("create_certificate_map_entry", request)


@pytest.mark.parametrize(
    "domains", [["*.example.com"], ["no dots"], [], [f"{n}.example.com" for n in range(101)]]
)
def test_domains_that_cannot_be_proved_are_refused(call: Call, domains: list[str]) -> None:
    managed = api.Certificate.ManagedCertificate(domains=domains)
    request = {
        "parent": PARENT,
        "certificate_id": "managed",
        "certificate": api.Certificate(managed=managed),
    }
    with pytest.raises(BadRequest):
        call("create_certificate", request)


def test_an_authorization_is_for_a_domain_and_its_wildcard_together(call: Call) -> None:
    wildcard = api.DnsAuthorization(domain="*.example.com")
    request = {"parent": PARENT, "dns_authorization_id": "a", "dns_authorization": wildcard}
    with pytest.raises(BadRequest):
        call("create_dns_authorization", request)
    plain = api.DnsAuthorization(domain="example.com")
    call("create_dns_authorization", {**request, "dns_authorization": plain})
    again = {**request, "dns_authorization": plain, "dns_authorization_id": "b"}
    with pytest.raises(Conflict):
        call("create_dns_authorization", again)


def test_a_stale_etag_is_refused(rig: Rig, call: Call) -> None:
    rig.target(trustConfig="clients").install(rig.request("web"))
    path = f"{PARENT}/trustConfigs/clients"
    config = api.TrustConfig(name=path, etag="stale")
    with pytest.raises(Conflict, match="etag"):
        call("update_trust_config", patching(config, "trust_stores", "trust_config"))


def test_a_scope_is_for_the_location_global(rig: Rig, call: Call) -> None:
    bundle = rig.bundle()
    given = api.Certificate.SelfManagedCertificate(
        pem_certificate=bundle.certificate.decode(),
        pem_private_key=bundle.held_key.reveal().decode(),
    )
    resource = api.Certificate(self_managed=given, scope=api.Certificate.Scope.EDGE_CACHE)
    parent = "projects/example-project/locations/europe-west1"
    with pytest.raises(BadRequest, match="EDGE_CACHE"):
        call(
            "create_certificate",
            {"parent": parent, "certificate_id": "web", "certificate": resource},
        )


def test_a_map_is_for_the_location_global(call: Call) -> None:
    parent = "projects/example-project/locations/europe-west1"
    new = {"parent": parent, "certificate_map_id": "front", "certificate_map": api.CertificateMap()}
    with pytest.raises(BadRequest, match="global only"):
        call("create_certificate_map", new)


def test_who_has_no_token_is_told_so(rig: Rig, call: Call) -> None:
    rig.emulator.service.tokens.refuse_all = True
    with pytest.raises(Unauthorized):
        call("get_certificate", {"name": CERTIFICATE})
