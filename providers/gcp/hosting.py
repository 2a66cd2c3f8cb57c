"""Certificates that Google issues and renews by itself, proved by DNS records.

Their domains never change: other domains mean a new certificate beside the old one.
https://cloud.google.com/certificate-manager/docs/certificates
"""

from dataclasses import dataclass

from google.cloud import certificate_manager_v1 as api

from providers.abilities import HostRequest
from providers.base import Installed
from providers.errors import Conflict, Rejected
from providers.failpoints import reach
from providers.gcp.authorization import Authorizations
from providers.gcp.certificates import Certificates
from providers.gcp.naming import successor
from providers.gcp.ownership import check_ours

_MOST = 100
"""Domains of one certificate."""


@dataclass(frozen=True, slots=True)
class Hosted:
    """The managed certificates of a location."""

    certificates: Certificates
    authorizations: Authorizations

    def host(self, request: HostRequest) -> Installed:
        """Ask for a certificate, and return it as it is at once; what is asked for already stays."""
        wanted = _Wanted(request)
        before = request.predecessor
        if before is None:
            return self._create(self.certificates.path(request.name), wanted)
        found = self.certificates.find(before.id)
        if found is None:
            raise Conflict(f"{before.id} is gone")
        check_ours(found, before, self.certificates.owner)
        if request.replace:
            return self._create(self.certificates.path(successor(request, found)), wanted)
        if not wanted.is_for(found):
            raise Rejected(f"{found.id}: the domains of a managed certificate cannot be changed")
        return self.certificates.relabel(found, request.labels)

    def _create(self, path: str, wanted: "_Wanted") -> Installed:
        authorizations = self.authorizations.ensure(wanted.domains)
        managed = api.Certificate.ManagedCertificate(
            domains=wanted.domains, dns_authorizations=authorizations
        )
        resource = api.Certificate(labels=dict(wanted.request.labels), managed=managed)
        made = self.certificates.create(path, resource, wanted.is_there, secretly=False)
        reach("gcp.hosted")
        return made


@dataclass(frozen=True, slots=True)
class _Wanted:
    """What is asked for; raises `Rejected` for what Google does not issue."""

    request: HostRequest

    def __post_init__(self) -> None:
        asked = self.request.request
        if asked.ip_addresses or asked.uris or asked.email_addresses:
            raise Rejected("Google issues certificates for DNS names only")
        if not 1 <= len(self.domains) <= _MOST:
            raise Rejected(f"Google issues certificates for 1 to {_MOST} DNS names")

    @property
    def domains(self) -> tuple[str, ...]:
        """The DNS names; a common name is Google's choice among them."""
        return self.request.request.dns_names

    def is_for(self, found: Installed) -> bool:
        """Whether a certificate is a managed one for just these domains."""
        names = found.content.dns_names if found.content else ()
        return found.hosting is not None and set(names) == set(self.domains)

    def is_there(self, found: Installed) -> bool:
        """Whether it is there already, with its labels."""
        return self.is_for(found) and self.request.labels.items() <= found.labels.items()
