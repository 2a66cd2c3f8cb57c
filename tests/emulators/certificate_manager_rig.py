"""Targets that lead to the emulator, in a time that passes only while somebody sleeps."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from certificate_manager_emulator import CertificateManagerEmulator

from providers import x509
from providers.base import NAME, OWNER, SPEC, Bundle, Installed, InstallRequest, TargetConfig
from providers.calls import PATIENCE, Calls
from providers.gcp.errors import explain
from providers.gcp.manager import CertificateManagerTarget
from providers.signer import KeySigner
from providers.specimens import P256, Specimens
from schemas.certificate import Usage
from schemas.clouds import GcpCertificateManager
from schemas.request import LeafRequest
from schemas.target import TargetSpec

PROJECT = "example-project"
PARENT = f"projects/{PROJECT}/locations/global"
OWNER_ID = "certform_0123456789abcdef"
SOMEBODY = "certform_ffffffffffffffff"


@dataclass(slots=True)
class Clock:
    """Time that passes only while somebody sleeps; `at_sleep` is what happens meanwhile."""

    now: float = 0.0
    slept: list[float] = field(default_factory=list)
    at_sleep: Callable[[], None] = lambda: None

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds
        self.at_sleep()

    def time(self) -> float:
        return self.now


@dataclass(slots=True)
class Rig:
    """An emulator, certificates to install there, and targets to install them with."""

    emulator: CertificateManagerEmulator
    specimens: Specimens = field(default_factory=lambda: Specimens.make(datetime.now(UTC)))
    clock: Clock = field(default_factory=Clock)
    patience: float = PATIENCE

    def target(self, **settings: object) -> CertificateManagerTarget:
        """Return a target; `settings` are those of the document, in its own spelling."""
        config = self.config(**settings)
        given = config.spec.gcp_certificate_manager
        assert given is not None
        calls = Calls(explain, patience=self.patience, sleep=self.clock.sleep)
        return CertificateManagerTarget(config, given, calls)

    def config(self, **settings: object) -> TargetConfig:
        given = {"project": PROJECT, "endpoint": self.emulator.wire.url, **settings}
        spec = TargetSpec(gcp_certificate_manager=GcpCertificateManager.model_validate(given))
        return TargetConfig("gcp", spec, OWNER_ID, Path("/nonexistent"))

    def bundle(self, *names: str) -> Bundle:
        """Return a certificate with a new key for these DNS names."""
        key = x509.generate_key(P256)
        start, end = x509.validity(datetime.now(UTC), 7 * 86_400)
        request = LeafRequest(
            issuer="specimen",
            issuer_generation=1,
            dns_names=tuple(sorted(names)) or ("www.example.com",),
            usages=(Usage.SERVER_AUTH,),
            key=P256,
            duration=7 * 86_400,
        )
        tbs = x509.ToBeSigned(request, x509.new_serial(), start, end, x509.spki(key.public_key()))
        issuer = x509.IssuingAuthority.load(self.specimens.intermediate, (self.specimens.root,))
        return Bundle(
            certificate=x509.pem(x509.sign(tbs, issuer, KeySigner(self.specimens.key))),
            chain=(x509.pem(self.specimens.intermediate),),
            anchors=(x509.pem(self.specimens.root),),
            private_key=x509.key_pem(x509.encode_key(key)),
        )

    def request(
        self, name: str, bundle: Bundle | None = None, predecessor: Installed | None = None
    ) -> InstallRequest:
        wanted = bundle or self.bundle()
        return InstallRequest(name, wanted, labels(name), predecessor=predecessor)

    def resource(self, name: str, collection: str = "certificates") -> Any:
        """Return what the service holds under a name."""
        return self.emulator.resources[f"{PARENT}/{collection}/{name}"]

    def asked(self, *operations: str) -> list[str]:
        """Return the operations that were asked for, of these kinds or of all, in order."""
        return [each for each in self.emulator.wire.asked if not operations or each in operations]


def labels(name: str) -> dict[str, str]:
    """Return the three labels of an object."""
    return {OWNER: OWNER_ID, NAME: name, SPEC: "0" * 32}
