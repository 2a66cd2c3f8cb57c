"""The aws-acm target: certificates in AWS Certificate Manager, of one account in one region.

https://docs.aws.amazon.com/acm/latest/APIReference/Welcome.html
"""

import time
from collections.abc import Callable, Sequence
from typing import ClassVar, Self

from providers.abilities import AdoptRequest, HostRequest, RelabelRequest
from providers.aws import hosting, importing, labelling, listing, removal
from providers.aws.errors import explain
from providers.aws.service import Service
from providers.aws.sessions import Access
from providers.base import Installed, InstallRequest, TargetConfig
from providers.calls import PATIENCE, Calls, Pace
from providers.errors import NotFound, ProviderError, Unreachable
from providers.pairing import Pairing
from schemas.capabilities import AWS_ACM, Capabilities


class AcmTarget:
    """One region of ACM. The account is that of the role, or of the SDK's own credentials."""

    capabilities: ClassVar[Capabilities] = AWS_ACM

    def __init__(
        self,
        config: TargetConfig,
        sleep: Callable[[float], None] = time.sleep,
        patience: float = PATIENCE,
    ) -> None:
        settings = config.spec.aws_acm
        if settings is None:
            raise ValueError("the target is not of kind aws-acm")
        (region,) = settings.regions
        pace = Pace(self.capabilities.limits.installs_per_second, sleep=sleep)
        self._name = f"ACM in {region} (target {config.name})"
        self._pairing = Pairing()
        self._service = Service(
            Access(region, settings.role, settings.external_id),
            config.owner,
            Calls(explain, patience=patience, sleep=sleep),
            Calls(explain, pace, patience=patience, sleep=sleep),
        )

    @classmethod
    def from_config(cls, config: TargetConfig, /) -> Self:
        """Make the target; connects nowhere."""
        return cls(config)

    def observe(self) -> Sequence[Installed]:
        """Return every certificate of the region, whoever made it, or raise `Unreachable`."""
        try:
            return listing.observe(self._service)
        except ProviderError as why:
            raise Unreachable(f"{self._name} cannot be read: {why}") from None

    def install(self, request: InstallRequest, /) -> Installed:
        """Import a certificate, into the predecessor's ARN where there is one."""
        return importing.install(self._service, request, self._pairing.check(request.bundle))

    def remove(self, installed: Installed, /) -> None:
        """Delete a certificate of ours; raises `InUse` with what uses it."""
        removal.remove(self._service, installed)

    def find(self, id_: str, /) -> Installed | None:
        """Return the certificate of an ARN as it is now, None when it is gone."""
        record = self._service.read(id_, whole=True)
        if record is None:
            return None
        return record.installed(listing.name_of(self._service, record), self._service.owner)

    def inspect(self, installed: Installed, /) -> Installed:
        """Return the object as it is now, with the ARNs of all that uses it and all that it says itself."""
        record = self._service.read(installed.id, whole=True)
        if record is None:
            raise NotFound(f"{installed.id} is gone")
        return record.installed(installed.name, self._service.owner)

    def relabel(self, request: RelabelRequest, /) -> Installed:
        """Set the tags that differ; tags of others stay."""
        return labelling.relabel(self._service, request)

    def adopt(self, request: AdoptRequest, /) -> Installed:
        """Tag a certificate that somebody else made as ours."""
        return labelling.adopt(self._service, request)

    def host(self, request: HostRequest, /) -> Installed:
        """Ask ACM for a public certificate, which it issues once the domains are validated, and renews."""
        return hosting.host(self._service, request)
