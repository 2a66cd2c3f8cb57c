"""What a certificate map lacks is put right with the certificate that is there: its key is long erased."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from certificate_manager_emulator import CertificateManagerEmulator
from cloud_fleet import OWNER_LABEL, CloudFleet
from fleet_documents import Leaf, at
from fleet_sights import named, reasons
from google.cloud import certificate_manager_v1 as api
from wire import Response, Way

from providers.base import Target, TargetConfig
from providers.registry import make_target
from reconciler.events import EventStatus
from schemas.clouds import GcpCertificateManager
from schemas.issuer import GoogleManagedIssuer, IssuerSpec
from schemas.plan import Action, Reason
from schemas.target import TargetSpec

WEB = "certificate/web"
INSTALL = f"{WEB}@gcp"
GOOGLE = IssuerSpec(gcp_certificate_manager=GoogleManagedIssuer())


@pytest.fixture
def manager(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[CertificateManagerEmulator]:
    with CertificateManagerEmulator.running(tmp_path) as running:
        for name, value in running.environment().items():
            monkeypatch.setenv(name, value)
        yield running


def place(manager: CertificateManagerEmulator, certificate_map: str | None) -> TargetSpec:
    settings = GcpCertificateManager(
        project="example-project", endpoint=manager.wire.url, certificate_map=certificate_map
    )
    return TargetSpec(gcp_certificate_manager=settings)


@pytest.fixture
def fleet(manager: CertificateManagerEmulator, tmp_path: Path) -> CloudFleet:
    def make(name: str, spec: TargetSpec) -> Target:
        return make_target(TargetConfig(name, spec, OWNER_LABEL, tmp_path))

    names = ("a.example.com", "b.example.com")
    leaves, issuers = {"web": Leaf("root", at("gcp"), names=names)}, {"google": GOOGLE}
    places = {"gcp": place(manager, None)}
    return CloudFleet(places=places, make=make, publish=False, leaves=leaves, issuers=issuers)


def serving(manager: CertificateManagerEmulator) -> dict[str, list[str]]:
    return {
        each.hostname: [name.rsplit("/", 1)[1] for name in each.certificates]
        for each in manager.resources.values()
        if isinstance(each, api.CertificateMapEntry)
    }


BOTH = {"a.example.com": ["web"], "b.example.com": ["web"]}


def test_a_map_that_is_added_to_a_target_serves_what_is_there_already(
    fleet: CloudFleet, manager: CertificateManagerEmulator
) -> None:
    serial = fleet.converge().current("web").serial
    fleet.places = {"gcp": place(manager, "front")}
    assert reasons(fleet.plan(), INSTALL) == {Action.INSTALL: Reason.INCOMPLETE}
    assert reasons(fleet.plan(), WEB) == {}
    assert "a.example.com, b.example.com" in named(fleet.plan(), Action.INSTALL, INSTALL).message
    fleet.converge()
    assert serving(manager) == BOTH
    assert fleet.current("web").serial == serial


def test_labels_that_are_edited_at_the_same_time_are_set_as_well(
    fleet: CloudFleet, manager: CertificateManagerEmulator
) -> None:
    serial = fleet.converge().current("web").serial
    fleet.places = {"gcp": place(manager, "front")}
    fleet.edit("web", labels={"team": "edge"}).converge()
    assert serving(manager) == BOTH
    assert fleet.world().observation("gcp").installed["web"].labels["team"] == "edge"
    assert fleet.current("web").serial == serial


def test_an_entry_that_somebody_deleted_comes_back(
    fleet: CloudFleet, manager: CertificateManagerEmulator
) -> None:
    fleet.places = {"gcp": place(manager, "front")}
    serial = fleet.converge().current("web").serial
    (path,) = (n for n, e in manager.resources.items() if getattr(e, "hostname", "")[:1] == "b")
    del manager.resources[path]
    assert reasons(fleet.plan(), INSTALL) == {Action.INSTALL: Reason.INCOMPLETE}
    fleet.converge()
    assert serving(manager) == BOTH
    assert fleet.current("web").serial == serial


def test_a_run_that_could_not_attach_is_finished_without_another_certificate(
    fleet: CloudFleet, manager: CertificateManagerEmulator
) -> None:
    fleet.places = {"gcp": place(manager, "front")}
    refused = Response(403, b'{"error": {"status": "PERMISSION_DENIED", "message": "no"}}')
    manager.wire.fail("CreateCertificateMapEntry", Way.REFUSED, refused, times=None)
    assert EventStatus.FAILED in {event.status for event in fleet.apply()}
    serial = fleet.current("web").serial
    assert reasons(fleet.plan(), INSTALL) == {Action.INSTALL: Reason.UNVERIFIED}
    assert "does not serve" in named(fleet.plan(), Action.INSTALL, INSTALL).message
    manager.wire.heal()
    fleet.converge()
    assert serving(manager) == BOTH
    assert fleet.current("web").serial == serial


def test_what_google_issued_is_served_under_the_same_identity(
    fleet: CloudFleet, manager: CertificateManagerEmulator
) -> None:
    fleet.edit("web", issuer="google").apply()
    (path,) = manager.waiting()
    manager.provision(path)
    fleet.converge()
    fleet.places = {"gcp": place(manager, "front")}
    assert reasons(fleet.plan(), INSTALL) == {Action.INSTALL: Reason.INCOMPLETE}
    fleet.converge()
    assert serving(manager) == BOTH
    assert [n for n, each in manager.resources.items() if isinstance(each, api.Certificate)] == [
        path
    ]
