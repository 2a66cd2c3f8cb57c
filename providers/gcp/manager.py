"""Certificate Manager as a target: one location of one project."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar, Self

from google.cloud import certificate_manager_v1 as api

from providers.abilities import AdoptRequest, HostRequest, RelabelRequest
from providers.base import OWNER, Installed, InstallRequest, TargetConfig
from providers.calls import Calls, Pace
from providers.errors import Conflict, InUse, NotFound, ProviderError, Unreachable
from providers.gcp.attachment import Attachment, detach, ours
from providers.gcp.authorization import Authorizations
from providers.gcp.certificates import Certificates
from providers.gcp.entries import Entries
from providers.gcp.errors import explain
from providers.gcp.hosting import Hosted
from providers.gcp.labels import TRUST
from providers.gcp.service import Service, connect
from providers.gcp.trust import Trust
from providers.pairing import Pairing
from schemas.capabilities import GCP_CERTIFICATE_MANAGER, Capabilities
from schemas.clouds import GcpCertificateManager


def paced_calls() -> Calls:
    """Return calls at the pace that Google's quota allows changes."""
    return Calls(explain, Pace(GCP_CERTIFICATE_MANAGER.limits.installs_per_second))


class CertificateManagerTarget:
    """The certificates of one location; a map and a trust config beside them where settings say so."""

    capabilities: ClassVar[Capabilities] = GCP_CERTIFICATE_MANAGER

    def __init__(self, config: TargetConfig, settings: GcpCertificateManager, calls: Calls) -> None:
        self._owner = config.owner
        self._settings = settings
        self._calls = calls
        self._pairing = Pairing()
        self._connected: Service | None = None

    @classmethod
    def from_config(cls, config: TargetConfig, /) -> Self:
        """Make the target; reads nothing and connects nowhere."""
        settings = config.spec.gcp_certificate_manager
        if settings is None:
            raise TypeError(config.spec.kind)
        return cls(config, settings, paced_calls())

    def observe(self) -> Sequence[Installed]:
        """Return every certificate of the location, or raise `Unreachable`."""
        place = f"projects/{self._settings.project}, {', '.join(self._settings.locations)}"
        try:
            return tuple(self._observed())
        except Unreachable:
            raise
        except ProviderError as error:
            raise Unreachable(f"Certificate Manager of {place} cannot be read: {error}") from None

    def install(self, request: InstallRequest, /) -> Installed:
        """Create or replace in place, its trust first and its names last where settings say so."""
        pair = self._pairing.check(request.bundle)
        if (trust := self._trust()) is not None:
            trust.hold(request.bundle)  # whoever checks knows the anchor before it is needed
        made = self._certificates().install(request, pair)
        return self._served(made)

    def remove(self, installed: Installed, /) -> None:
        """Take a certificate of ours out of our map entries and delete it; raises `InUse`."""
        certificates, entries = self._certificates(), self._entries()
        found = certificates.ours(installed)
        if found is None:
            return
        attached = ours(entries, found.used_by)
        if others := set(found.used_by) - set(attached):
            raise InUse(f"{found.id} is in use: {', '.join(sorted(others))}")
        for path in attached:
            detach(entries, path, found.id)
        if attached and certificates.ours(installed) is None:
            return  # that took a while
        authorizations = certificates.authorizations(found.id) if found.hosting else ()
        certificates.delete(found)
        Authorizations(self._service(), self._owner).discard(authorizations)

    def host(self, request: HostRequest, /) -> Installed:
        """Let Google issue and renew; what is superseded stays in the map until it is removed."""
        certificates = self._certificates()
        hosted = Hosted(certificates, Authorizations(certificates.service, self._owner))
        return self._served(hosted.host(request))

    def find(self, id_: str, /) -> Installed | None:
        """Return the certificate of that full name, None when it is certainly gone."""
        found = self._certificates().find(id_)
        return None if found is None else self._told(found)

    def inspect(self, installed: Installed, /) -> Installed:
        """Return a certificate as it is now; raises `NotFound`."""
        found = self.find(installed.id)
        if found is None:
            raise NotFound(f"{installed.id} is gone")
        return found

    def relabel(self, request: RelabelRequest, /) -> Installed:
        """Replace the labels that were observed on a certificate of ours; what came since stays."""
        certificates = self._certificates()
        found = certificates.ours(request.installed)
        if found is None:
            raise Conflict(f"{request.installed.id} is gone, so it cannot be labelled")
        taken_off = request.installed.labels.keys() - request.labels.keys()
        if OWNER in taken_off:
            taken_off |= {TRUST}  # what is not ours keeps nothing of ours
        return self._told(certificates.relabel(found, request.labels, taken_off))

    def adopt(self, request: AdoptRequest, /) -> Installed:
        """Label a certificate that somebody else made; raises `NotFound`, or `Conflict`."""
        certificates = self._certificates()
        found = certificates.find(request.id)
        if found is None:
            raise NotFound(f"{request.id} is not there")
        if found.labels.get(OWNER, self._owner) != self._owner:
            raise Conflict(f"{request.id} is another owner's")
        request.check(found.serial, found.sha256)
        return self._told(certificates.relabel(found, request.labels))

    def _observed(self) -> Iterable[Installed]:
        service = self._service()
        listing = api.ListCertificatesRequest(parent=service.parent)
        resources = list(service.every(service.client.list_certificates, listing, "certificates"))
        found = self._certificates().told(resources)
        lacks = self._incomplete(resources, found)
        return (replace(self._told(each), incomplete=lacks.get(each.id, ())) for each in found)

    def _incomplete(
        self, resources: Sequence[Any], found: Sequence[Installed]
    ) -> Mapping[str, tuple[str, ...]]:
        """Say, by full name, what those lack around them that were made here."""
        ours = {each.id: each for each in found if each.owned_by(self._owner)}
        trust, attachment = self._trust(), self._attachment()
        brought = (each for each in resources if each.name in ours and ours[each.name].trust)
        made = (each for each in ours.values() if each.trust or each.hosting)
        untrusted = trust.incomplete(brought) if trust is not None else {}
        unserved = attachment.incomplete(made) if attachment is not None else {}
        return {path: (*untrusted.get(path, ()), *unserved.get(path, ())) for path in ours}

    def _served(self, made: Installed) -> Installed:
        attachment = self._attachment()
        return made if attachment is None else attachment.unburdened(attachment.attach(made))

    def _told(self, found: Installed) -> Installed:
        attachment = self._attachment()
        return found if attachment is None else attachment.unburdened(found)

    def _service(self) -> Service:
        if self._connected is None:
            self._connected = connect(self._settings, self._calls)
        return self._connected

    def _certificates(self) -> Certificates:
        return Certificates(self._service(), self._owner, self._settings.scope)

    def _entries(self) -> Entries:
        service = self._service()
        path = f"{service.parent}/certificateMaps/{self._settings.certificate_map}"
        return Entries(service, self._owner, path)

    def _attachment(self) -> Attachment | None:
        if self._settings.certificate_map is None:
            return None
        return Attachment(self._certificates(), self._entries())

    def _trust(self) -> Trust | None:
        if self._settings.trust_config is None:
            return None
        service = self._service()
        path = f"{service.parent}/trustConfigs/{self._settings.trust_config}"
        return Trust(service, self._owner, path)
