"""Certificates come there in one call, in place, and only where what is there is what was observed."""

from dataclasses import replace

import pytest
from certificate_manager_rig import PARENT, Rig, labels
from google.cloud import certificate_manager_v1 as api

from providers import x509
from providers.abilities import RelabelRequest
from providers.base import NAME, SPEC
from providers.errors import Conflict, NotFound, Rejected
from providers.gcp.labels import TRUST
from providers.gcp.manager import CertificateManagerTarget
from providers.registry import target_class
from providers.specimens import Specimens
from schemas.certificate import Algorithm
from schemas.request import KeyType


def test_the_registry_knows_it() -> None:
    assert target_class("gcp-certificate-manager") is CertificateManagerTarget


def test_a_target_is_made_without_credentials_or_network(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", "/nonexistent/key.json")
    CertificateManagerTarget.from_config(rig.config())
    assert rig.asked() == []


def test_a_first_install_is_one_create_and_one_look(rig: Rig) -> None:
    wanted = rig.request("web")
    installed = rig.target(scope="all-regions").install(wanted)
    assert rig.asked() == ["CreateCertificate", "GetCertificate"]
    held = rig.resource("web")
    assert held.pem_certificate.encode() == wanted.bundle.certificate + wanted.bundle.chain[0]
    assert held.scope is api.Certificate.Scope.ALL_REGIONS
    assert {k: v for k, v in held.labels.items() if k != TRUST} == labels("web")
    assert installed.id == f"{PARENT}/certificates/web"
    assert installed.trust == x509.trust_digest(wanted.bundle.chain, wanted.bundle.anchors)
    assert installed.content is not None
    assert installed.content.dns_names == ("www.example.com",)
    assert installed.installed_at is not None


def test_a_renewal_is_one_patch_of_content_and_labels(rig: Rig) -> None:
    target = rig.target()
    before = target.install(rig.request("web"))
    rig.emulator.wire.asked.clear()
    after = target.install(rig.request("web", predecessor=before))
    assert rig.asked() == ["GetCertificate", "UpdateCertificate", "GetCertificate"]
    assert (after.id, after.labels) == (before.id, before.labels)
    assert after.sha256 != before.sha256


def test_an_operation_that_takes_its_time_is_waited_for(rig: Rig) -> None:
    rig.emulator.service.operations.polls = 4
    rig.target().install(rig.request("web"))
    assert rig.asked("GetOperation") == ["GetOperation"] * 4
    assert len(rig.clock.slept) == 4
    assert rig.clock.slept == sorted(rig.clock.slept)


def test_labels_of_others_stay_when_a_certificate_is_renewed(rig: Rig) -> None:
    target = rig.target()
    before = target.install(rig.request("web"))
    rig.resource("web").labels["cost-centre"] = "42"
    after = target.install(rig.request("web", predecessor=before))
    assert after.labels == {**labels("web"), "cost-centre": "42"}


def test_the_scope_of_a_certificate_stays_when_that_of_the_target_changes(rig: Rig) -> None:
    before = rig.target().install(rig.request("web"))
    rig.target(scope="all-regions").install(rig.request("web", predecessor=before))
    assert rig.resource("web").scope is api.Certificate.Scope.DEFAULT


def test_another_chain_or_other_labels_are_installed_over_the_same_certificate(rig: Rig) -> None:
    target = rig.target()
    wanted = rig.request("web")
    before = target.install(wanted)
    rootless = replace(wanted.bundle, anchors=())
    after = target.install(replace(wanted, bundle=rootless, predecessor=before))
    assert after.sha256 == before.sha256
    assert after.trust == x509.trust_digest(rootless.chain, ())
    other = {**labels("web"), SPEC: "1" * 32}
    assert (
        target.install(replace(wanted, bundle=rootless, labels=other, predecessor=after)).labels
        == other
    )


def test_what_came_there_meanwhile_is_a_conflict(rig: Rig) -> None:
    target = rig.target()
    before = target.install(rig.request("web"))
    now = target.install(rig.request("web", predecessor=before))
    for predecessor in (None, before):
        with pytest.raises(Conflict):
            target.install(rig.request("web", predecessor=predecessor))
    assert list(target.observe()) == [now]


def test_a_predecessor_that_is_gone_is_a_conflict(rig: Rig) -> None:
    target = rig.target()
    before = target.install(rig.request("web"))
    rig.emulator.resources.clear()
    with pytest.raises(Conflict, match="gone"):
        target.install(rig.request("web", predecessor=before))


@pytest.mark.parametrize(
    "kind",
    [KeyType(algorithm=Algorithm.ED25519, size=256), KeyType(algorithm=Algorithm.ECDSA, size=521)],
    ids=str,
)
def test_a_kind_of_key_that_is_not_served_is_refused_in_the_words_of_the_service(
    rig: Rig, kind: KeyType
) -> None:
    now = x509.facts(rig.bundle().certificate).not_before
    bundle = Specimens.make(now).bundle("www.example.com", now, kind)
    with pytest.raises(Rejected, match="key algorithm"):
        rig.target().install(rig.request("web", bundle))


def test_other_names_in_place_are_refused_where_the_service_does(rig: Rig) -> None:
    rig.emulator.service.rules.keeps_names = True
    target = rig.target()
    before = target.install(rig.request("web"))
    with pytest.raises(Rejected, match="domain names"):
        target.install(rig.request("web", rig.bundle("new.example.com"), before))
    assert list(target.observe()) == [before]


def test_labels_that_the_service_does_not_take_are_refused(rig: Rig) -> None:
    wanted = rig.request("web")
    for bad in ({"Team": "web"}, {"team": "Web"}, {f"l{n}": "" for n in range(61)}):
        with pytest.raises(Rejected, match=r"[Ll]abel"):
            rig.target().install(replace(wanted, labels={**wanted.labels, **bad}))
    assert rig.emulator.resources == {}


def test_sixty_three_labels_leave_room_for_ours_to_hold_the_trust(rig: Rig) -> None:
    wanted = rig.request("web")
    many = {**wanted.labels, **{f"l{n}": "x" * 63 for n in range(60)}}
    assert rig.target().install(replace(wanted, labels=many)).labels == many
    assert len(rig.resource("web").labels[TRUST]) == 63


def test_a_certificate_without_its_key_is_refused(rig: Rig) -> None:
    wanted = rig.request("web")
    with pytest.raises(Rejected, match="key"):
        rig.target().install(replace(wanted, bundle=replace(wanted.bundle, private_key=None)))
    assert rig.asked() == []


def test_a_certificate_goes_to_the_location_of_its_target(rig: Rig) -> None:
    here, there = rig.target(), rig.target(locations=("europe-west1",))
    installed = there.install(rig.request("web"))
    assert "/locations/europe-west1/" in installed.id
    assert list(here.observe()) == []


def test_relabelling_keeps_what_came_since_and_the_trust(rig: Rig) -> None:
    target = rig.target()
    before = target.install(rig.request("web"))
    rig.resource("web").labels["cost-centre"] = "42"
    after = target.relabel(RelabelRequest(before, {**labels("web"), NAME: "other"}))
    assert after.labels == {**labels("web"), NAME: "other", "cost-centre": "42"}
    assert after.trust == before.trust


def test_what_is_not_as_observed_is_not_labelled(rig: Rig) -> None:
    target = rig.target()
    before = target.install(rig.request("web"))
    target.install(rig.request("web", predecessor=before))
    with pytest.raises(Conflict):
        target.relabel(RelabelRequest(before, {}))
    rig.emulator.resources.clear()
    with pytest.raises(Conflict, match="gone"):
        target.relabel(RelabelRequest(before, {}))


def test_labels_that_are_there_already_are_not_written_again(rig: Rig) -> None:
    target = rig.target()
    before = target.install(rig.request("web"))
    assert target.relabel(RelabelRequest(before, labels("web"))) == before
    assert rig.asked("UpdateCertificate") == []


def test_a_certificate_is_found_by_its_identity(rig: Rig) -> None:
    target = rig.target()
    installed = target.install(rig.request("web"))
    assert target.find(installed.id) == installed
    assert target.find(f"{installed.id}x") is None
    assert target.inspect(installed) == installed
    rig.emulator.resources.clear()
    with pytest.raises(NotFound):
        target.inspect(installed)
