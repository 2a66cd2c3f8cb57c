"""The fleet in places of clouds that fail as told: real targets without patience, the ledger in memory."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

from cloud_rig import Clouds
from fleet import Fleet
from fleet_documents import HERE, LINEAGE

from providers.aws.acm import AcmTarget
from providers.azure.credentials import Credentials
from providers.azure.errors import explain as azure_explain
from providers.azure.vault import KeyVaultTarget
from providers.base import Target, TargetConfig
from providers.calls import Calls
from providers.errors import ProviderError
from providers.gcp.errors import explain as gcp_explain
from providers.gcp.manager import CertificateManagerTarget
from providers.registry import make_target
from providers.specimens import P256
from reconciler.apply import apply
from reconciler.events import Event, EventStatus
from reconciler.planning import make_plan, pending
from reconciler.state import Desired, DesiredAuthority, DesiredCertificate, DesiredTarget
from schemas.base import digest
from schemas.plan import Action

Explain = Callable[[Exception], ProviderError | None]
PATIENCE = 0.15
"""Seconds for which a call is tried again and again: long enough for storms that end, not for others."""


@dataclass
class DisturbedFleet(Fleet):
    """A fleet whose `targets` are names of places of the clouds."""

    clouds: Clouds | None = None
    root: Path = Path()
    targets: tuple[str, ...] = ()
    publish: bool = False
    now: datetime = field(default_factory=lambda: datetime.now(UTC).replace(microsecond=0))
    made: dict[str, Target] = field(default_factory=dict)
    known: Credentials = field(default_factory=Credentials)

    def desired(self) -> Desired:
        """What the documents ask for, with keys that clouds take."""
        wanted = super().desired()
        return replace(
            wanted,
            authorities={n: _authority(each) for n, each in wanted.authorities.items()},
            certificates={n: _certificate(each) for n, each in wanted.certificates.items()},
            targets={name: self._place(name) for name in self.targets},
        )

    def reach(self) -> Mapping[str, Target]:
        """The targets of this run."""
        for name in self.targets:
            if name not in self.made:
                self.made[name] = self._made(self._config(name))
        return {name: self.made[name] for name in self.targets}

    def run(self) -> tuple[int, list[Event]]:
        """Plan and apply; return the exit code by the rules of the command line, and how it went."""
        self.made.clear()
        session = self.session()
        plan = make_plan(session.world)
        events = [each for each in apply(session, pending(plan.changes)) if each.final]
        undone = any(each.status is not EventStatus.DONE for each in events)
        blocked = any(step.action is Action.BLOCKED for step in plan.changes)
        return 4 if undone or blocked else 0, events

    def _place(self, name: str) -> DesiredTarget:
        spec = self._clouds.specs()[name]
        return DesiredTarget(name, HERE, spec, digest(spec.to_json()))

    def _config(self, name: str) -> TargetConfig:
        return TargetConfig(name, self._clouds.specs()[name], LINEAGE.owner, self.root)

    def _made(self, config: TargetConfig) -> Target:
        match config.spec.kind:
            case "aws-acm":
                return AcmTarget(config, briefly, PATIENCE)
            case "azure-key-vault":
                return KeyVaultTarget(config, self.known, _calls(azure_explain))
            case "gcp-certificate-manager":
                settings = config.spec.gcp_certificate_manager
                assert settings is not None
                return CertificateManagerTarget(config, settings, _calls(gcp_explain))
        return make_target(config)

    @property
    def _clouds(self) -> Clouds:
        assert self.clouds is not None
        return self.clouds


def briefly(seconds: float) -> None:
    """Sleep a hundredth of the time, and not for long."""
    time.sleep(min(seconds / 100, 0.005))


def _calls(explain: Explain) -> Calls:
    return Calls(explain, patience=PATIENCE, sleep=briefly)


def _authority(each: DesiredAuthority) -> DesiredAuthority:
    request = each.request.model_copy(update={"key": P256})
    return replace(each, request=request, digest=digest(request.to_json()))


def _certificate(each: DesiredCertificate) -> DesiredCertificate:
    request = each.request.model_copy(update={"key": P256})
    return replace(each, request=request, digest=digest(request.to_json()))
