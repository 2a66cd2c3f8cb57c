"""Certificates that a CA known to the vault issues: ordered once, renewed by the vault, never drift."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from azure.keyvault.certificates import (
    CertificateClient,
    CertificatePolicy,
    CertificatePolicyAction,
)
from keyvault_emulator import KeyVault
from wire import Way

from providers.abilities import HostRequest, RelabelRequest
from providers.azure.vault import KeyVaultTarget
from providers.base import SPEC, Bundle, HostingState, Installed
from providers.conformance import labels, request
from providers.errors import Ambiguous, Conflict
from providers.specimens import P256
from schemas.certificate import Usage
from schemas.issuer import AmazonIssuer, VaultIssuer
from schemas.request import LeafRequest

Made = Callable[[], Bundle]
SETTINGS = VaultIssuer(issuer_name="DigiCert", certificate_type="OV-SSL")
OTHER = "f" * 32


def wanted(
    spec: str = "0" * 32, name: str = "www.example.com", predecessor: Installed | None = None
) -> HostRequest:
    leaf = LeafRequest(
        issuer="digicert",
        issuer_generation=1,
        common_name=name,
        dns_names=(name,),
        usages=(Usage.SERVER_AUTH,),
        key=P256,
        duration=365 * 86_400,
    )
    return HostRequest("web", leaf, {**labels("web"), SPEC: spec}, SETTINGS, predecessor)


@pytest.fixture(autouse=True)
def _issuer(vault: KeyVault) -> None:
    vault.store.issuers.add("DigiCert")


def state(installed: Installed) -> HostingState | None:
    return installed.hosting.state if installed.hosting else None


def orders(vault: KeyVault) -> int:
    return vault.wire.counts["CreateCertificate"]


def test_an_order_is_pending_until_it_is_filled(vault: KeyVault, target: KeyVaultTarget) -> None:
    ordered = target.host(wanted())
    assert state(ordered) is HostingState.PENDING
    assert (ordered.serial, ordered.labels, ordered.drift) == (None, labels("web"), ())
    assert list(target.observe()) == [ordered]
    vault.finish("web")
    (issued,) = target.observe()
    assert state(issued) is HostingState.ACTIVE
    assert issued.labels == labels("web")
    assert (issued.id, issued.drift) == (ordered.id, ())
    assert None not in (issued.serial, issued.sha256, issued.not_after)


def test_what_is_ordered_is_what_was_asked_for(
    target: KeyVaultTarget, client: CertificateClient
) -> None:
    target.host(wanted())
    policy = client.get_certificate_policy("web")
    assert (policy.issuer_name, policy.certificate_type) == ("DigiCert", "OV-SSL")
    assert (policy.subject, policy.san_dns_names) == ("CN=www.example.com", ["www.example.com"])
    assert policy.validity_in_months == 12
    actions = [each.action for each in policy.lifetime_actions or ()]
    assert actions == [CertificatePolicyAction.auto_renew]


def test_asking_again_orders_nothing(vault: KeyVault, target: KeyVaultTarget) -> None:
    ordered = target.host(wanted())
    assert target.host(wanted()) == ordered
    vault.finish("web")
    assert target.host(wanted()) in target.observe()
    assert orders(vault) == 1


def test_a_renewal_by_the_vault_is_no_drift(vault: KeyVault, target: KeyVaultTarget) -> None:
    target.host(wanted())
    vault.finish("web")
    (before,) = target.observe()
    vault.renew("web")
    (after,) = target.observe()
    assert (after.id, after.drift, state(after)) == (before.id, (), HostingState.ACTIVE)
    assert after.serial != before.serial
    assert target.relabel(RelabelRequest(before, labels("web"))) == after
    target.remove(before)
    assert list(target.observe()) == []


def test_a_refusal_is_told_in_the_words_of_the_ca_and_repeated_only_by_request(
    vault: KeyVault, target: KeyVaultTarget
) -> None:
    target.host(wanted())
    vault.refuse("web", "the domain is not validated")
    assert list(target.observe()) == []
    failed = target.host(wanted())
    assert failed.hosting is not None
    assert failed.hosting.state is HostingState.FAILED
    assert "DigiCert: the domain is not validated" in failed.hosting.detail
    assert target.find(failed.id) == failed
    assert orders(vault) == 1
    assert state(target.host(replace(wanted(), replace=True))) is HostingState.PENDING
    assert orders(vault) == 2


@pytest.mark.parametrize("pending_hides", [False, True])
def test_other_names_come_as_a_new_version(
    vault: KeyVault, target: KeyVaultTarget, pending_hides: bool
) -> None:
    vault.store.pending_hides = pending_hides
    target.host(wanted())
    vault.finish("web")
    (before,) = target.observe()
    changed = wanted(OTHER, "new.example.com", before)
    ordered = target.host(changed)
    assert (ordered.id, ordered.serial) == (before.id, None if pending_hides else before.serial)
    assert state(ordered) is HostingState.PENDING
    assert target.host(changed) == ordered
    assert orders(vault) == 2
    vault.finish("web")
    (after,) = target.observe()
    assert (after.labels[SPEC], state(after)) == (OTHER, HostingState.ACTIVE)
    assert len(vault.entry("web").versions) == 2


def test_an_order_that_is_not_wanted_any_more_is_dropped_for_the_next(
    vault: KeyVault, target: KeyVaultTarget
) -> None:
    ordered = target.host(wanted())
    assert state(target.host(wanted(OTHER, "new.example.com", ordered))) is HostingState.PENDING
    vault.finish("web")
    (after,) = target.observe()
    inspected = target.inspect(after)
    assert inspected.content is not None
    assert inspected.content.dns_names == ("new.example.com",)


def test_what_was_imported_can_be_issued_by_the_vault_from_now_on_and_back(
    vault: KeyVault, target: KeyVaultTarget, bundle: Made
) -> None:
    imported = target.install(request("web", bundle()))
    ordered = target.host(wanted(OTHER, predecessor=imported))
    assert state(ordered) is HostingState.PENDING
    back = target.install(request("web", bundle(), ordered))
    assert back.hosting is None
    assert list(target.observe()) == [back]


def test_what_waits_for_its_ca_can_be_removed(vault: KeyVault, target: KeyVaultTarget) -> None:
    target.remove(target.host(wanted()))
    assert list(target.observe()) == []
    assert state(target.host(wanted())) is HostingState.PENDING
    assert vault.entry("web").busy


def test_a_name_that_is_in_use_is_not_ordered_over(
    vault: KeyVault, target: KeyVaultTarget, bundle: Made
) -> None:
    target.install(request("web", bundle()))
    with pytest.raises(Conflict):
        target.host(wanted(OTHER))
    assert orders(vault) == 0


@pytest.mark.parametrize("way", [Way.UNANSWERED, Way.MISANSWERED])
def test_an_order_whose_answer_was_lost_is_found(
    vault: KeyVault, target: KeyVaultTarget, way: Way
) -> None:
    vault.wire.fail("CreateCertificate", way)
    assert state(target.host(wanted())) is HostingState.PENDING
    assert orders(vault) == 1


def test_an_order_that_was_not_placed_is_told(vault: KeyVault, target: KeyVaultTarget) -> None:
    vault.wire.fail("CreateCertificate", Way.DROPPED)
    with pytest.raises(Ambiguous, match="apply again"):
        target.host(wanted())


def test_somebody_elses_order_is_neither_taken_over_nor_dropped(
    vault: KeyVault, target: KeyVaultTarget, client: CertificateClient, bundle: Made
) -> None:
    imported = target.install(request("web", bundle()))
    client.begin_create_certificate("web", CertificatePolicy("DigiCert", subject="CN=theirs"))
    with pytest.raises(Conflict, match="somebody else's creation"):
        target.host(wanted(OTHER, predecessor=imported))
    assert vault.entry("web").busy


def test_another_kind_of_issuer_is_refused(target: KeyVaultTarget) -> None:
    with pytest.raises(Conflict, match="azure-key-vault alone"):
        target.host(replace(wanted(), settings=AmazonIssuer()))
