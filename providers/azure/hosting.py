"""Certificates that a CA known to the vault issues, and the vault renews: it keeps the key, and the name.

https://learn.microsoft.com/azure/key-vault/certificates/create-certificate-scenarios
"""

from collections.abc import Mapping
from dataclasses import dataclass

from providers.abilities import HostRequest
from providers.azure.creation import Creation
from providers.azure.errors import CreationPending, SoftDeleted
from providers.azure.held import HOSTED, Held
from providers.azure.identity import check_same, check_vacant
from providers.azure.installing import Installer, taken
from providers.azure.labelling import added
from providers.azure.policies import renewed_by_vault
from providers.azure.service import Service
from providers.base import SPEC, Hosting, HostingState
from providers.errors import Ambiguous, Conflict
from providers.failpoints import reach
from providers.seal import CONTENT
from schemas.issuer import VaultIssuer


@dataclass(frozen=True, slots=True)
class Hoster:
    """Has certificates issued for the installer's owner."""

    installer: Installer

    def host(self, request: HostRequest) -> Held:
        """Order a certificate as a new version, unless one as wanted is there or ordered already."""
        return self._over(request, self.installer.service.get(request.name))

    def _over(self, request: HostRequest, held: Held | None) -> Held:
        owner = self.installer.owner
        if held is not None and held.owned_by(owner) and self._is_ordered(held, request):
            return held
        if request.predecessor is not None:
            check_same(request.predecessor, held, owner)
        else:
            check_vacant(held, owner)
        if held is not None and self._waits_for_labels(held, request):
            return self._labelled(request.name, _tags(request, held))
        self.installer.clear(request.name, held)
        return self._order(request, held)

    def _is_ordered(self, held: Held, request: HostRequest) -> bool:
        """Whether it was ordered as wanted, even if the order failed: that is repeated only by request."""
        same = held.hosted and held.tags.get(SPEC) == request.labels[SPEC]
        if request.replace or not same:
            return False
        return held.thumbprint is not None or self.installer.service.creation(held.name) is not None

    def _waits_for_labels(self, held: Held, request: HostRequest) -> bool:
        """Whether it was ordered as wanted by a run that ended before what is there was labelled."""
        creation = None if held.hosted else self.installer.service.creation(held.name)
        return (
            creation is not None
            and creation.under_way
            and creation.issuer == _issuer(request)
            and creation.is_like(request.request.key)
            and creation.dns_names == set(request.request.dns_names)
        )

    def _order(self, request: HostRequest, held: Held | None) -> Held:
        service, name = self.installer.service, request.name
        tags = _tags(request, held)
        try:
            service.create(name, _policy(request), tags)
        except SoftDeleted:
            return self._over(request, self.installer.recover(name))
        except CreationPending:
            raise taken(name) from None
        except Ambiguous:
            self._check_ordered(request)
        reach("azure.ordered")
        return self._labelled(name, tags)

    def _labelled(self, name: str, tags: Mapping[str, str]) -> Held:
        """Label what is there until the order is filled, so that the next run finds the order its own."""
        held = self.installer.service.get(name)
        if held is None:
            raise Ambiguous(f"the vault does not show {name} yet: apply again")
        return held if held.tags == tags else self.installer.service.update(held, tags)

    def _check_ordered(self, request: HostRequest) -> None:
        creation = self.installer.service.creation(request.name)
        if creation is None or not creation.under_way or creation.issuer != _issuer(request):
            raise Ambiguous(
                f"the vault did not answer, and shows no order for {request.name}: apply again"
            )


def hosting(service: Service, held: Held) -> Hosting:
    """Return how far the last order for a certificate has come: one call."""
    creation = service.creation(held.name)
    if creation is not None and creation.under_way:
        return Hosting(HostingState.PENDING, creation.detail or f"{creation.issuer} is to issue it")
    if creation is not None and creation.failed:
        return Hosting(HostingState.FAILED, _reason(creation))
    if held.thumbprint is None:
        return Hosting(HostingState.FAILED, "its order was cancelled")
    return Hosting(HostingState.ACTIVE)


def _reason(creation: Creation) -> str:
    return f"{creation.issuer}: {creation.error or creation.detail or creation.status}"


def _tags(request: HostRequest, held: Held | None) -> Mapping[str, str]:
    return added({**request.labels, CONTENT: HOSTED}, held)


def _policy(request: HostRequest) -> Mapping[str, object]:
    settings = _settings(request)
    return renewed_by_vault(request.request, settings.issuer_name, settings.certificate_type)


def _issuer(request: HostRequest) -> str:
    return _settings(request).issuer_name


def _settings(request: HostRequest) -> VaultIssuer:
    if not isinstance(request.settings, VaultIssuer):
        raise Conflict("a Key Vault issues by an Issuer of kind azure-key-vault alone")
    return request.settings
