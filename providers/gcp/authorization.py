"""DNS authorizations: by a record of each domain its owner lets Google issue certificates for it.

One serves a domain and its wildcard, for every certificate; the record stays the same for its life.
https://cloud.google.com/certificate-manager/docs/dns-authorizations
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from google.cloud import certificate_manager_v1 as api

from providers.base import OWNER, DnsRecord
from providers.errors import NotFound
from providers.failpoints import reach
from providers.gcp.errors import Unmet
from providers.gcp.naming import stable
from providers.gcp.ownership import belongs
from providers.gcp.service import Service


@dataclass(frozen=True, slots=True)
class Authorizations:
    """Those of one location; ours carry our label, and others' are used where there are such."""

    service: Service
    owner: str

    def records(self) -> Mapping[str, DnsRecord]:
        """Return the record that each authorization asks for, by the authorization's full name."""
        return {each.name: _record(each) for each in self._every()}

    def ensure(self, domains: Iterable[str]) -> Sequence[str]:
        """Return the full names of authorizations for these domains; what is missing is created."""
        wanted = sorted({domain.removeprefix("*.") for domain in domains})
        there = {each.domain: each.name for each in sorted(self._every(), key=self._ours_last)}
        names = [there.get(domain) or self._create(domain) for domain in wanted]
        reach("gcp.authorized")
        return names

    def discard(self, names: Iterable[str]) -> None:
        """Delete those of ours that no certificate refers to any more."""
        client = self.service.client
        for name in names:
            found = self.service.find(client.get_dns_authorization, name)
            if found is not None and belongs(found.labels, self.owner):
                self._delete(name)

    def _delete(self, name: str) -> None:
        client = self.service.client
        request = api.DeleteDnsAuthorizationRequest(name=name)
        try:
            self.service.settle(
                lambda: self.service.change(client.delete_dns_authorization, request),
                lambda: self.service.find(client.get_dns_authorization, name) is None or None,
                name,
            )
        except (NotFound, Unmet):
            return  # gone, or another certificate refers to it

    def _every(self) -> Iterator[Any]:
        request = api.ListDnsAuthorizationsRequest(parent=self.service.parent)
        method = self.service.client.list_dns_authorizations
        return self.service.every(method, request, "dns_authorizations")

    def _ours_last(self, authorization: Any) -> bool:
        return belongs(authorization.labels, self.owner)

    def _create(self, domain: str) -> str:
        client, name = self.service.client, stable("certform", domain)
        path = f"{self.service.parent}/dnsAuthorizations/{name}"
        request = api.CreateDnsAuthorizationRequest(
            parent=self.service.parent,
            dns_authorization_id=name,
            dns_authorization=api.DnsAuthorization(domain=domain, labels={OWNER: self.owner}),
        )
        self.service.settle(
            lambda: self.service.change(client.create_dns_authorization, request),
            lambda: self.service.find(client.get_dns_authorization, path),
            path,
        )
        return path


def _record(authorization: Any) -> DnsRecord:
    record = authorization.dns_resource_record
    return DnsRecord(record.name, record.type_, record.data)
