"""What Key Vault and Certificate Manager issue by themselves, as the engine and their own clients see it."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from certificate_manager_emulator import CertificateManagerEmulator
from cloud_fleet import OWNER_LABEL, CloudFleet
from fleet_documents import Leaf, at
from fleet_sights import named, reasons, shown
from keyvault_emulator import KeyVault

from providers.azure.credentials import Credentials
from providers.azure.errors import explain
from providers.azure.vault import KeyVaultTarget
from providers.base import Target, TargetConfig
from providers.calls import Calls
from providers.registry import make_target
from schemas.clouds import AzureKeyVault, GcpCertificateManager
from schemas.issuer import GoogleManagedIssuer, IssuerSpec, VaultIssuer
from schemas.plan import Action, Reason
from schemas.target import TargetSpec

WEB = "certificate/web"
DIGICERT = IssuerSpec(azure_key_vault=VaultIssuer(issuer_name="DigiCert"))
GOOGLE = IssuerSpec(gcp_certificate_manager=GoogleManagedIssuer())


@pytest.fixture
def vault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[KeyVault]:
    with KeyVault.made(tmp_path / "vault") as made:
        made.store.issuers.add("DigiCert")
        for name, value in made.environment().items():
            monkeypatch.setenv(name, value)
        yield made


@pytest.fixture
def azure(vault: KeyVault, tmp_path: Path) -> CloudFleet:
    known = Credentials()

    def make(name: str, spec: TargetSpec) -> Target:
        config = TargetConfig(name, spec, OWNER_LABEL, tmp_path)
        return KeyVaultTarget(config, known, Calls(explain, sleep=lambda _: None))

    settings = AzureKeyVault(vault=vault.url, verify_challenge_resource=False)
    places = {"kv": TargetSpec(azure_key_vault=settings)}
    leaves = {"web": Leaf("digicert", at("kv"), days=365)}
    issuers = {"digicert": DIGICERT}
    return CloudFleet(places=places, make=make, publish=False, leaves=leaves, issuers=issuers)


@pytest.fixture
def manager(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[CertificateManagerEmulator]:
    with CertificateManagerEmulator.running(tmp_path) as running:
        for name, value in running.environment().items():
            monkeypatch.setenv(name, value)
        yield running


@pytest.fixture
def google(manager: CertificateManagerEmulator, tmp_path: Path) -> CloudFleet:
    def make(name: str, spec: TargetSpec) -> Target:
        return make_target(TargetConfig(name, spec, OWNER_LABEL, tmp_path))

    settings = GcpCertificateManager(project="example-project", endpoint=manager.wire.url)
    places = {"gcp": TargetSpec(gcp_certificate_manager=settings)}
    leaves, issuers = {"web": Leaf("google", at("gcp"))}, {"google": GOOGLE}
    return CloudFleet(places=places, make=make, publish=False, leaves=leaves, issuers=issuers)


def test_a_vault_orders_changes_in_place_and_gives_back(azure: CloudFleet, vault: KeyVault) -> None:
    azure.apply()
    assert reasons(azure.plan(), f"{WEB}@kv") == {Action.BLOCKED: Reason.PENDING}
    vault.finish("web")
    azure.converge()
    azure.edit("web", names=("new.example.com",))
    assert reasons(azure.plan(), f"{WEB}@kv") == {Action.INSTALL: Reason.SPEC_CHANGED}
    azure.apply()
    assert reasons(azure.plan(), f"{WEB}@kv") == {Action.BLOCKED: Reason.PENDING}
    vault.finish("web")
    azure.converge()
    assert len(azure.journal.state.certificates["web"].placements) == 1
    azure.edit("web", issuer="root").converge()
    azure.edit("web", issuer="digicert").apply()
    vault.finish("web")
    azure.converge()
    del azure.leaves["web"]
    azure.converge()


def test_a_vault_that_failed_orders_again_on_request(azure: CloudFleet, vault: KeyVault) -> None:
    azure.apply()
    vault.refuse("web", "the organization is not validated")
    blocked = named(azure.plan(), Action.BLOCKED, f"{WEB}@kv")
    assert blocked.reason is Reason.FAILED
    assert "the organization is not validated" in blocked.message
    azure.replace = frozenset({WEB})
    azure.apply()
    azure.replace = frozenset()
    assert reasons(azure.plan(), f"{WEB}@kv") == {Action.BLOCKED: Reason.PENDING}
    vault.finish("web")
    azure.converge()


def test_google_takes_records_renews_and_replaces_beside(
    google: CloudFleet, manager: CertificateManagerEmulator
) -> None:
    google.apply()
    blocked = named(google.plan(), Action.BLOCKED, f"{WEB}@gcp")
    assert "_acme-challenge.www.example.com. CNAME" in blocked.message
    (first,) = manager.waiting()
    manager.provision(first)
    google.converge()
    manager.provision(first)
    assert [c for c in shown(google.plan()) if c[1].startswith(WEB)] == []
    google.edit("web", names=("new.example.com",))
    google.apply()
    (second,) = manager.waiting()
    assert first in manager.resources
    manager.provision(second)
    google.converge()
    assert first not in manager.resources
    assert len(google.journal.state.certificates["web"].placements) == 1
    del google.leaves["web"]
    google.converge()
    assert second not in manager.resources


def test_google_takes_over_from_a_ca_of_ours_and_gives_back(
    google: CloudFleet, manager: CertificateManagerEmulator
) -> None:
    google.edit("web", issuer="root").converge()
    google.edit("web", issuer="google").apply()
    assert reasons(google.plan(), f"{WEB}@gcp") == {Action.BLOCKED: Reason.PENDING}
    (asked,) = manager.waiting()
    manager.provision(asked)
    google.converge()
    google.edit("web", issuer="root").converge()
    assert asked not in manager.resources


def test_what_google_issued_keeps_its_name_so_that_a_certificate_of_ours_needs_another(
    google: CloudFleet, manager: CertificateManagerEmulator
) -> None:
    google.apply()
    (asked,) = manager.waiting()
    manager.provision(asked)
    google.converge()
    google.edit("web", issuer="root")
    blocked = named(google.plan(), Action.BLOCKED, f"{WEB}@gcp")
    assert "give this one another objectName" in blocked.message
    google.edit("web", targets=(("gcp", "web-ours"),)).converge()
    assert asked not in manager.resources
