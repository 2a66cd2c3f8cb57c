"""Entries of a certificate map, one for each host name: looked up, made, changed and deleted.

https://cloud.google.com/certificate-manager/docs/reference/certificate-manager/rest/v1/projects.locations.certificateMaps.certificateMapEntries
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from google.cloud import certificate_manager_v1 as api

from providers.base import OWNER
from providers.errors import Ambiguous, Conflict, NotFound
from providers.gcp.naming import stable, tail
from providers.gcp.ownership import belongs
from providers.gcp.service import Service

COLLECTION = "/certificateMapEntries/"


@dataclass(frozen=True, slots=True)
class Entries:
    """Those of one map, by its full name `path`; ours carry our label."""

    service: Service
    owner: str
    path: str

    def named(self, hostname: str) -> str:
        """Return the full name of our entry for a host name: the same every time, within 63 characters."""
        return f"{self.path}{COLLECTION}{stable('host', hostname)}"

    def find(self, path: str) -> Any | None:
        """Return an entry, None when it is not there."""
        return self.service.find(self.service.client.get_certificate_map_entry, path)

    def ours(self, path: str) -> Any | None:
        """Return an entry of ours, None when it is not there or somebody else's."""
        entry = self.find(path)
        return entry if entry is not None and belongs(entry.labels, self.owner) else None

    def every(self) -> Iterator[Any]:
        """Yield every entry of the map, none where there is no such map; raises `Unreachable`."""
        request = api.ListCertificateMapEntriesRequest(parent=self.path)
        method = self.service.client.list_certificate_map_entries
        try:
            yield from self.service.every(method, request, "certificate_map_entries")
        except NotFound:
            return  # the map is made with the first certificate

    def ensure_map(self) -> None:
        """Create the map unless there is one, whoever made it."""
        client = self.service.client
        if self.service.find(client.get_certificate_map, self.path) is not None:
            return
        parent, _, name = self.path.rsplit("/", 2)
        request = api.CreateCertificateMapRequest(
            parent=parent,
            certificate_map_id=name,
            certificate_map=api.CertificateMap(labels={OWNER: self.owner}),
        )
        self.service.settle(
            lambda: self.service.change(client.create_certificate_map, request),
            lambda: self.service.find(client.get_certificate_map, self.path),
            self.path,
        )

    def create(self, path: str, hostname: str, certificate: str) -> None:
        """Create our entry for a host name; raises `Conflict`, with the name of somebody else's."""
        parent, _, name = path.rsplit("/", 2)
        entry = api.CertificateMapEntry(
            hostname=hostname, certificates=[certificate], labels={OWNER: self.owner}
        )
        request = api.CreateCertificateMapEntryRequest(
            parent=parent, certificate_map_entry_id=name, certificate_map_entry=entry
        )
        create = self.service.client.create_certificate_map_entry
        try:
            self.service.settle(
                lambda: self.service.change(create, request),
                lambda: self._if(path, [certificate]),
                path,
            )
        except Conflict:
            others = (each.name for each in self.every() if each.hostname == hostname)
            other = next(others, self.path)
            raise Conflict(
                f"{other} serves {hostname} and is not certform's: delete it, or leave the name out"
            ) from None

    def set(self, path: str, certificates: Sequence[str]) -> None:
        """Let an entry of ours refer to just these certificates."""
        entry = api.CertificateMapEntry(name=path, certificates=list(certificates))
        request = api.UpdateCertificateMapEntryRequest(
            certificate_map_entry=entry, update_mask={"paths": ["certificates"]}
        )
        update = self.service.client.update_certificate_map_entry
        self.service.settle(
            lambda: self.service.change(update, request),
            lambda: self._if(path, certificates),
            path,
        )

    def delete(self, path: str) -> None:
        """Delete an entry of ours; one that is gone already is no error."""
        request = api.DeleteCertificateMapEntryRequest(name=path)
        delete = self.service.client.delete_certificate_map_entry
        try:
            self.service.settle(
                lambda: self.service.change(delete, request),
                lambda: self.find(path) is None or None,
                path,
            )
        except NotFound:
            return

    def wait_until_served(self, path: str, certificate: str) -> None:
        """Wait until an entry is served with a certificate; raises `Ambiguous` when it takes too long."""
        pauses = self.service.pauses()
        while not self._is_served(path, certificate):
            if not next(pauses, False):
                raise Ambiguous(
                    f"{path} is not served with {certificate} yet: what it had stays; apply again"
                )

    def _is_served(self, path: str, certificate: str) -> bool:
        entry = self.find(path)
        active = entry is not None and entry.state == api.ServingState.ACTIVE
        return active and is_attached(entry, certificate)

    def _if(self, path: str, certificates: Sequence[str]) -> Any | None:
        entry = self.find(path)
        if entry is None:
            return None
        return entry if set(map(tail, entry.certificates)) == set(map(tail, certificates)) else None


def is_attached(entry: Any, certificate: str) -> bool:
    """Whether an entry refers to a certificate."""
    return tail(certificate) in map(tail, entry.certificates)
