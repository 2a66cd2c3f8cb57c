"""DNS-01 by Google Cloud DNS: a change deletes exactly the record set that was read, and adds the new one.

Cloud DNS does both at once or neither. https://cloud.google.com/dns/docs/reference/rest/v1/changes
"""

import re
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property, partial
from typing import Any, Self, TypeVar, cast

from google.api_core.client_options import ClientOptions
from google.auth.transport.requests import AuthorizedSession
from google.cloud.dns import Client

from providers.calls import Calls
from providers.errors import Ambiguous, Conflict, Denied, NotFound, Rejected
from providers.gcp.credentials import credentials
from providers.gcp.dns_errors import explain
from providers.gcp.errors import NOT_GOOGLE
from providers.recordsets import Held, Moved, add, remove, taken, wait
from providers.solving import SolverConfig, TxtRecord
from providers.zones import Zone, closest, every, plain
from schemas.solvers import CloudDns

Result = TypeVar("Result")
_NAME = re.compile(r"[a-z]([-a-z0-9]{0,61}[a-z0-9])?|[0-9]{1,20}")
"""A managed zone's name, or its number."""
_TYPE = "TXT"


@dataclass
class CloudDnsSolver:
    """One project. `sleep` takes seconds."""

    settings: CloudDns
    sleep: Callable[[float], None] = time.sleep
    calls: Calls = field(init=False)
    changes: list[tuple["_Records", str]] = field(default_factory=list)
    """What was changed and is not settled."""

    def __post_init__(self) -> None:
        self.calls = Calls(explain, sleep=self.sleep)

    @classmethod
    def from_config(cls, config: SolverConfig, /) -> Self:
        """Make the solver; reads nothing and connects nowhere."""
        return cls(config.of(CloudDns))

    def present(self, record: TxtRecord, /) -> None:
        """Add a value."""
        records = self._records(record)
        change = add(records, f'"{record.value}"', self.sleep)
        if change is not None:
            self.changes.append((records, change))

    def settle(self) -> None:
        """Wait until Cloud DNS says of all that was presented that it is done."""
        for records, change in taken(self.changes):
            done = partial(records.is_done, change)
            wait(done, f"the change {change} of Cloud DNS", self.sleep)

    def clean_up(self, record: TxtRecord, /) -> None:
        """Take a value out, and nothing else."""
        remove(self._records(record), f'"{record.value}"', self.sleep)

    def _records(self, record: TxtRecord) -> "_Records":
        project = f"the project {self.settings.project}"
        name = self.settings.zone or closest(record.name, self._zones, project).id
        if not _NAME.fullmatch(name):
            raise Rejected(f"{name!r} is no managed zone's name: that is its name in Cloud DNS")
        return _Records(self._client.zone(name), self.calls, f"{plain(record.name)}.")

    @cached_property
    def _zones(self) -> tuple[Zone, ...]:
        """The public zones of the project, listed once."""
        with _needing("dns.managedZones.list", self.settings.project):
            found = tuple(every(self._page))
        return tuple(
            Zone(plain(each["dnsName"]), each["name"])
            for each in found
            if each.get("visibility", "public") == "public"
        )

    def _page(self, mark: str | None) -> tuple[list[Mapping[str, Any]], str | None]:
        page = self.calls.read(
            lambda: _page(self._client.list_zones(page_token=mark), "managedZones", "dnsName")
        )
        return page.get("managedZones", []), str(page.get("nextPageToken") or "")

    @cached_property
    def _client(self) -> Client:
        return self.calls.read(self._connected)

    def _connected(self) -> Client:
        endpoint, known = self.settings.endpoint, credentials()
        session = cast("Any", AuthorizedSession)(known)
        session.max_redirects = 0  # Google never redirects, and whoever does is somebody else
        return Client(
            project=self.settings.project,
            credentials=known,
            _http=session,
            client_options=ClientOptions(api_endpoint=endpoint) if endpoint else None,
        )


@dataclass(frozen=True, slots=True)
class _Records:
    """The TXT records of a name in a managed zone."""

    zone: Any
    calls: Calls
    name: str

    def read(self) -> Held[str]:
        """Return what is there."""
        with _needing("dns.resourceRecordSets.list", self.zone.project):
            found = self.calls.read(self._listed)
        for each in found.get("rrsets", []):
            if (each["name"].lower(), each["type"]) == (self.name, _TYPE):
                return self._held(each)
        return Held()

    def _listed(self) -> Mapping[str, Any]:
        listing = self.zone.list_resource_record_sets()
        listing.extra_params = {"name": self.name, "type": _TYPE}
        return _page(listing, "rrsets", "type")

    def _held(self, found: Mapping[str, Any]) -> Held[str]:
        if "routingPolicy" in found:
            raise Conflict(
                f"the TXT records of {self.name} have a routing policy: certform changes none of those"
            )
        try:
            return Held(tuple(str(each) for each in found["rrdatas"]), int(found["ttl"]))
        except (KeyError, TypeError, ValueError):
            raise Ambiguous(NOT_GOOGLE) from None

    def swap(self, held: Held[str], values: tuple[str, ...], /) -> str:
        """Delete exactly what was read and add the new, in one change; returns the change's id."""
        changes = self.zone.changes()
        if held.values:
            changes.delete_record_set(self._set(held.values, held.ttl))
        if values:
            changes.add_record_set(self._set(values, held.ttl))
        try:
            with _needing(
                "dns.changes.create and dns.resourceRecordSets.create, .update and .delete",
                self.zone.project,
            ):
                self.calls.change(lambda: _understood(changes.create))
        except NotFound as gone:
            # what was to be deleted; of a zone that is gone the next look tells
            raise Moved(str(gone)) from None
        if not changes.name:
            raise Ambiguous(NOT_GOOGLE)
        return str(changes.name)

    def _set(self, values: tuple[str, ...], ttl: int) -> Any:
        return self.zone.resource_record_set(self.name, _TYPE, ttl, [*values])

    def is_done(self, change: str) -> bool:
        """Whether a change is done, by Cloud DNS's account."""
        changes = self.zone.changes()
        changes.name = change
        with _needing("dns.changes.get", self.zone.project):
            self.calls.read(lambda: _understood(changes.reload))
        return bool(changes.status == "done")


def _understood(call: Callable[[], Result]) -> Result:
    """Make a call of the SDK, which stumbles over what is no answer of Google's; that raises `Ambiguous`."""
    try:
        return call()
    except (AttributeError, KeyError, TypeError):
        raise Ambiguous(NOT_GOOGLE) from None


def _page(listing: Any, many: str, field_name: str) -> Mapping[str, Any]:
    """Return a page as it came, for the SDK leaves out whether a zone is private.

    Raises `Ambiguous` where that is not what Google lists: each of `many` has a name and one more field.
    """
    page = _understood(lambda: next(listing.pages).raw_page)
    kind, items = page.get("kind"), page.get(many, [])
    sound = _understood(
        lambda: all(isinstance(each[text], str) for each in items for text in ("name", field_name))
    )
    if not sound or not isinstance(kind, str) or not kind.startswith("dns#"):
        raise Ambiguous(NOT_GOOGLE)
    return cast("Mapping[str, Any]", page)


@contextmanager
def _needing(permissions: str, project: str) -> Iterator[None]:
    try:
        yield
    except Denied as why:
        raise Denied(
            f"Cloud DNS says {why}: certform needs {permissions} in the project {project}"
        ) from None
