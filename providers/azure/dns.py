"""DNS-01 by Azure DNS: a record set is written and deleted only under the ETag it was read with.

https://learn.microsoft.com/azure/dns/dns-zones-records#etags
"""

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Self, cast
from urllib.parse import urlsplit

from azure.core.credentials import TokenCredential
from azure.mgmt.dns import DnsManagementClient
from azure.mgmt.dns.models import RecordSet
from azure.mgmt.dns.models import TxtRecord as AzureTxtRecord

from providers.azure.connection import options
from providers.azure.credentials import credentials
from providers.azure.dns_errors import explain
from providers.azure.errors import Forbidden
from providers.calls import Calls
from providers.errors import Ambiguous, Conflict, Denied, NotFound
from providers.recordsets import Held, add, remove
from providers.solving import SolverConfig, TxtRecord
from providers.zones import Zone, closest, every, plain
from schemas.solvers import AzureDns

_PUBLIC_CLOUD = "https://management.azure.com"
_TYPE = "TXT"
_UNREADABLE = "the answer of Azure DNS could not be read"
Value = tuple[str, ...]
"""A TXT record's character strings, each of at most 255 octets."""


@dataclass
class AzureDnsSolver:
    """One resource group. `sleep` takes seconds."""

    settings: AzureDns
    sleep: Callable[[float], None] = time.sleep
    calls: Calls = field(init=False)

    def __post_init__(self) -> None:
        self.calls = Calls(explain, sleep=self.sleep)

    @classmethod
    def from_config(cls, config: SolverConfig, /) -> Self:
        """Make the solver; reads nothing and connects nowhere."""
        return cls(config.of(AzureDns))

    def present(self, record: TxtRecord, /) -> None:
        """Add a value; Azure DNS does not tell when its name servers have it."""
        add(self._records(record), (record.value,), self.sleep)

    def clean_up(self, record: TxtRecord, /) -> None:
        """Take a value out, and nothing else."""
        remove(self._records(record), (record.value,), self.sleep)

    def _records(self, record: TxtRecord) -> "_Records":
        zone, name = self._zone(record.name), plain(record.name)
        below = name.removesuffix(zone).removesuffix(".") or "@"
        return _Records(self._client, self.calls, self.settings.resource_group, zone, below)

    def _zone(self, name: str) -> str:
        if self.settings.zone is None:
            group = f"the resource group {self.settings.resource_group}"
            return closest(name, self._zones, group).id
        named = plain(self.settings.zone)
        if not f".{plain(name)}".endswith(f".{named}"):
            raise NotFound(f"{name} is not in the zone {named}, which the solver's settings name")
        return named

    @cached_property
    def _zones(self) -> tuple[Zone, ...]:
        """The public zones of the resource group, listed once."""
        with _needing("Microsoft.Network/dnsZones/read", "the resource group, or name the `zone`"):
            found = tuple(every(self._page))
        names = [plain(each.name or "") for each in found if each.zone_type != "Private"]
        return tuple(Zone(name, name) for name in names)

    def _page(self, mark: str | None) -> tuple[list[Any], str | None]:
        """Return a page and where the next is: at our own name for Azure, for our token goes nowhere else."""
        items, link = self.calls.read(lambda: self._listed(mark))
        if link is None:
            return items, None
        parts = urlsplit(link)
        return items, f"{self._endpoint}{parts.path}?{parts.query}"

    def _listed(self, mark: str | None) -> tuple[list[Any], str | None]:
        # every page has an iterator of its own: the SDK's goes to its end where an answer was unreadable
        listing = self._client.zones.list_by_resource_group(self.settings.resource_group)
        pages: Any = listing.by_page(continuation_token=mark)
        return list(next(pages)), pages.continuation_token

    @property
    def _endpoint(self) -> str:
        return self.settings.endpoint or _PUBLIC_CLOUD

    @cached_property
    def _client(self) -> DnsManagementClient:
        return DnsManagementClient(
            cast("TokenCredential", credentials().of(self.settings.tenant)),
            self.settings.subscription_id,
            self._endpoint,
            credential_scopes=[f"{self._endpoint}/.default"],
            **{**options(verify_challenge_resource=True), "raw_response_hook": _check},
        )


@dataclass(frozen=True, slots=True)
class _Records:
    """The TXT records of a name, `below` its zone; `rest` of what is held is the record set."""

    client: DnsManagementClient
    calls: Calls
    group: str
    zone: str
    below: str

    def read(self) -> Held[Value]:
        """Return what is there."""
        sets = self.client.record_sets
        try:
            with self._needing("read"):
                found = self.calls.read(lambda: sets.get(self.group, self.zone, self.below, _TYPE))
        except NotFound:
            return Held()
        return self._held(found)

    def _held(self, found: RecordSet) -> Held[Value]:
        if found.target_resource is not None and found.target_resource.id:
            raise Conflict(f"the TXT records of {self.below} in {self.zone} are an alias")
        values = tuple(tuple(each.value or ()) for each in found.txt_records or ())
        return Held(values, found.ttl or 0, found)

    def swap(self, held: Held[Value], values: tuple[Value, ...], /) -> None:
        """Write values where what was read still is; the last to go takes the record set along."""
        if values:
            self._write(held, values)
        else:
            self._delete(held.rest.etag)

    def _write(self, held: Held[Value], values: tuple[Value, ...]) -> None:
        old: RecordSet | None = held.rest
        new = RecordSet(
            ttl=held.ttl,
            metadata=old.metadata if old else None,
            txt_records=[AzureTxtRecord(value=[*each]) for each in values],
        )
        guard = {"if_match": old.etag} if old else {"if_none_match": "*"}
        sets = self.client.record_sets
        with self._needing("write"):
            self.calls.change(
                lambda: sets.create_or_update(
                    self.group, self.zone, self.below, _TYPE, new, **guard
                )
            )

    def _delete(self, etag: str) -> None:
        sets = self.client.record_sets
        with self._needing("delete"):
            self.calls.change(
                lambda: sets.delete(self.group, self.zone, self.below, _TYPE, if_match=etag)
            )

    def _needing(self, action: str) -> AbstractContextManager[None]:
        return _needing(f"Microsoft.Network/dnsZones/TXT/{action}", f"the zone {self.zone}")


def _check(response: Any) -> None:
    """Raise `Ambiguous` for a success that Azure DNS would not tell of so: a proxy may have answered."""
    asked, answer = response.http_request, response.http_response
    if not 200 <= answer.status_code < 300:
        return
    if asked.method == "DELETE" and not answer.text():
        return
    try:
        told = answer.json()
    except ValueError:
        told = None
    listing = urlsplit(asked.url).path.lower().endswith("/dnszones")
    wanted = {"value": list} if listing else {"etag": str, "properties": dict}
    if not isinstance(told, dict) or not all(isinstance(told.get(k), wanted[k]) for k in wanted):
        raise Ambiguous(_UNREADABLE)


@contextmanager
def _needing(action: str, where: str) -> Iterator[None]:
    try:
        yield
    except Forbidden as why:
        raise Denied(
            f"the permission {action} is missing: grant it on {where}, for instance by the role"
            f" DNS Zone Contributor ({why})"
        ) from None
