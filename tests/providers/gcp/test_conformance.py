"""Certificate Manager keeps the contract, alone and with a certificate map and a trust config."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from certificate_manager_emulator import CertificateManagerEmulator
from certificate_manager_rig import PARENT, Rig
from google.cloud import certificate_manager_v1 as api

from providers.base import Bundle, Target, TargetConfig
from providers.calls import Calls
from providers.conformance import OURS, TargetConformance, declared, request
from providers.gcp.errors import explain
from providers.gcp.manager import CertificateManagerTarget
from providers.specimens import Specimens


class TestCertificateManager(TargetConformance):
    @pytest.fixture
    def settings(self) -> dict[str, object]:
        return {}

    @pytest.fixture
    def config(self, rig: Rig, settings: dict[str, object]) -> TargetConfig:
        return TargetConfig("conformance", rig.config(**settings).spec, OURS, rig.emulator.folder)

    @pytest.fixture
    def target(self, config: TargetConfig) -> Target:
        settings = config.spec.gcp_certificate_manager
        assert settings is not None
        return CertificateManagerTarget(config, settings, Calls(explain))  # at any pace

    @pytest.fixture
    def intrude(
        self, emulator: CertificateManagerEmulator, bundle: Callable[[], Bundle]
    ) -> Callable[[], str]:
        def put() -> str:
            made = bundle()
            resource = api.Certificate(
                name=f"{PARENT}/certificates/foreign",
                labels={"team": "payments"},
                self_managed=api.Certificate.SelfManagedCertificate(),
                pem_certificate=made.certificate.decode(),
            )
            emulator.resources[resource.name] = resource
            return "foreign"

        return put

    @pytest.fixture
    def lose(self, emulator: CertificateManagerEmulator) -> Callable[[], None]:
        return lambda: emulator.service.denied.add("certificatemanager.certs.list")


class TestCertificateManagerWithMap(TestCertificateManager):
    @pytest.fixture
    def settings(self) -> dict[str, object]:
        return {"certificateMap": "front", "trustConfig": "clients"}

    def test_every_declared_key_algorithm_can_be_installed(
        self, target: Target, specimens: Specimens
    ) -> None:
        kinds = declared(target.capabilities)
        for number, kind in enumerate(kinds):
            made = specimens.bundle(f"{number}.example.com", datetime.now(UTC), kind)
            target.install(request(f"key-{number}", made))
        assert len(target.observe()) == len(kinds)
