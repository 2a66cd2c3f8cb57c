"""Removing, relabelling and adopting: only what is ours, and only what was observed."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from azure.keyvault.certificates import CertificateClient, CertificatePolicy
from keyvault_emulator import KeyVault
from wire import Request, Response, Way

from providers import x509
from providers.abilities import AdoptRequest, RelabelRequest
from providers.azure.vault import KeyVaultTarget
from providers.base import OWNER, SPEC, Bundle
from providers.conformance import OURS, labels, request
from providers.errors import Ambiguous, Conflict, Denied, NotFound

Made = Callable[[], Bundle]
SELF = CertificatePolicy.get_default()


def test_a_removal_is_waited_for_until_it_is_done(
    vault: KeyVault, target: KeyVaultTarget, bundle: Made, slept: list[float]
) -> None:
    installed = target.install(request("web", bundle()))
    vault.store.slow_polls = 4
    target.remove(installed)
    assert vault.store.deleted["web"].polls < 0
    assert len(slept) == 4


def test_a_removal_that_does_not_end_is_waited_for_no_longer_than_a_minute(
    vault: KeyVault, target: KeyVaultTarget, bundle: Made, slept: list[float]
) -> None:
    installed = target.install(request("web", bundle()))
    vault.store.slow_polls = 10_000
    target.remove(installed)
    assert sum(slept) == 60
    assert list(target.observe()) == []


def test_a_removal_needs_no_permission_to_see_what_is_deleted(
    vault: KeyVault, target: KeyVaultTarget, bundle: Made
) -> None:
    installed = target.install(request("web", bundle()))
    vault.store.denied.add("GetDeletedCertificate")
    target.remove(installed)
    assert target.find(installed.id) is None


@pytest.mark.parametrize("way", [Way.UNANSWERED, Way.MISANSWERED])
def test_a_removal_whose_answer_was_lost_is_found_done(
    vault: KeyVault, target: KeyVaultTarget, bundle: Made, way: Way
) -> None:
    installed = target.install(request("web", bundle()))
    vault.wire.fail("DeleteCertificate", way)
    target.remove(installed)
    assert vault.wire.counts["DeleteCertificate"] == 1
    assert list(target.observe()) == []


def test_a_removal_that_may_have_happened_and_did_not_is_told(
    vault: KeyVault, target: KeyVaultTarget, bundle: Made
) -> None:
    installed = target.install(request("web", bundle()))
    vault.wire.fail("DeleteCertificate", Way.DROPPED)
    with pytest.raises(Ambiguous):
        target.remove(installed)
    assert list(target.observe()) == [installed]


def test_a_missing_permission_to_delete_is_named(
    vault: KeyVault, target: KeyVaultTarget, bundle: Made
) -> None:
    installed = target.install(request("web", bundle()))
    vault.store.denied.add("delete")
    with pytest.raises(Denied, match="`certificates/delete` is missing"):
        target.remove(installed)


def test_what_lost_its_labels_is_not_removed(
    target: KeyVaultTarget, client: CertificateClient, bundle: Made
) -> None:
    installed = target.install(request("web", bundle()))
    client.update_certificate_properties("web", tags={"theirs": "now"})
    with pytest.raises(Conflict, match="not ours"):
        target.remove(installed)
    assert target.find(installed.id) is not None


def test_relabelling_leaves_what_others_put_there_since_the_look(
    vault: KeyVault, target: KeyVaultTarget, client: CertificateClient, bundle: Made
) -> None:
    installed = target.install(request("web", bundle()))
    tags = {**vault.entry("web").tags, "cost-centre": "42"}
    client.update_certificate_properties("web", tags=tags)
    other = {**labels("web"), SPEC: "f" * 32}
    after = target.relabel(RelabelRequest(installed, other))
    assert after.labels == {**other, "cost-centre": "42"}
    assert after.serial == installed.serial
    assert list(target.observe()) == [after]


def test_a_version_that_comes_between_the_look_and_the_labels_gets_none_of_ours(
    vault: KeyVault, target: KeyVaultTarget, client: CertificateClient, bundle: Made
) -> None:
    installed = target.install(request("web", bundle()))
    serve = vault.wire.service

    def overtaken(asked: Request) -> Response:
        if asked.method == "PATCH" and asked.body:
            vault.wire.service = serve
            client.begin_create_certificate("web", SELF, tags={"theirs": "new"}).result()
        return serve(asked)

    vault.wire.service = overtaken
    with pytest.raises(Ambiguous, match="apply again"):
        target.relabel(RelabelRequest(installed, {**labels("web"), "team": "blue"}))
    assert [each.tags.get("theirs") for each in vault.entry("web").versions] == [None, "new"]
    assert vault.entry("web").tags == {"theirs": "new"}


def test_what_is_forgotten_keeps_nothing_of_ours(
    vault: KeyVault, target: KeyVaultTarget, client: CertificateClient, bundle: Made
) -> None:
    installed = target.install(request("web", bundle()))
    tags = {**vault.entry("web").tags, "cost-centre": "42"}
    client.update_certificate_properties("web", tags=tags)
    target.relabel(RelabelRequest(installed, {}))
    assert vault.entry("web").tags == {"cost-centre": "42"}


def test_relabelling_another_certificate_than_observed_is_refused(
    target: KeyVaultTarget, bundle: Made
) -> None:
    installed = target.install(request("web", bundle()))
    stale = replace(installed, serial="1", sha256="0" * 64)
    with pytest.raises(Conflict, match="not what was observed"):
        target.relabel(RelabelRequest(stale, labels("web")))


@pytest.mark.parametrize("way", [Way.UNANSWERED, Way.MISANSWERED])
def test_labels_whose_answer_was_lost_are_read_back(
    vault: KeyVault, target: KeyVaultTarget, bundle: Made, way: Way
) -> None:
    installed = target.install(request("web", bundle()))
    other = {**labels("web"), SPEC: "f" * 32}
    vault.wire.fail("UpdateCertificate", way)
    assert target.relabel(RelabelRequest(installed, other)).labels == other


def test_adopting_labels_and_changes_nothing_else(
    vault: KeyVault, target: KeyVaultTarget, client: CertificateClient
) -> None:
    client.begin_create_certificate("theirs", SELF, tags={"team": "blue"}).result()
    version = vault.entry("theirs").versions[-1]
    adopted = target.adopt(
        AdoptRequest(f"{vault.url}/certificates/theirs", "theirs", labels("theirs"))
    )
    assert adopted.labels == {**labels("theirs"), "team": "blue"}
    assert adopted.sha256 == x509.facts(version.der).sha256
    assert (vault.entry("theirs").versions, version.enabled) == ([version], True)
    vault.wire.asked.clear()
    assert list(target.observe()) == [adopted]
    assert vault.wire.counts["GetCertificate"] == 0


def test_adopting_twice_changes_nothing(target: KeyVaultTarget, client: CertificateClient) -> None:
    client.begin_create_certificate("theirs", SELF).result()
    (found,) = target.observe()
    wanted = AdoptRequest(found.id, "theirs", labels("theirs"))
    assert target.adopt(wanted) == target.adopt(wanted)


def test_what_belongs_to_another_owner_is_not_adopted(
    target: KeyVaultTarget, client: CertificateClient
) -> None:
    client.begin_create_certificate("theirs", SELF, tags={OWNER: "another"}).result()
    (found,) = target.observe()
    with pytest.raises(Conflict, match="another owner"):
        target.adopt(AdoptRequest(found.id, "theirs", labels("theirs")))
    assert not target.observe()[0].owned_by(OURS)


@pytest.mark.parametrize("end", ["/certificates/web", "/keys/theirs", "/certificates/", ""])
def test_what_is_not_there_is_not_adopted(
    vault: KeyVault, target: KeyVaultTarget, client: CertificateClient, end: str
) -> None:
    client.begin_create_certificate("theirs", SELF).result()
    with pytest.raises(NotFound):
        target.adopt(AdoptRequest(f"{vault.url}{end}", "web", labels("web")))


def test_another_vaults_certificate_of_the_same_name_is_not_adopted(
    vault: KeyVault, target: KeyVaultTarget, client: CertificateClient
) -> None:
    client.begin_create_certificate("theirs", SELF).result()
    elsewhere = "https://other.vault.azure.net/certificates/theirs"
    with pytest.raises(NotFound, match="no certificate of localhost"):
        target.adopt(AdoptRequest(elsewhere, "theirs", labels("theirs")))
    assert vault.entry("theirs").tags == {}


def test_an_identifier_with_a_version_names_the_certificate(
    target: KeyVaultTarget, client: CertificateClient
) -> None:
    client.begin_create_certificate("theirs", SELF).result()
    id_ = client.get_certificate("theirs").id or ""
    adopted = target.adopt(AdoptRequest(id_, "theirs", labels("theirs")))
    assert adopted.id == id_.rsplit("/", 1)[0]


def test_what_is_found_is_what_is_observed(target: KeyVaultTarget, bundle: Made) -> None:
    installed = target.install(request("web", bundle()))
    assert target.find(installed.id) == installed
    assert target.find(f"{installed.id}-other") is None
