"""A place in memory that issues certificates by itself, as far as it is told to."""

from dataclasses import replace
from datetime import datetime

from providers.abilities import HostRequest
from providers.base import SPEC, Content, DnsRecord, Hosting, HostingState, Installed
from providers.errors import Conflict
from providers.memory import MemoryTarget
from providers.memory_store import MemoryObject, MemoryStore

PENDING = Hosting(
    HostingState.PENDING,
    "the domain is not validated",
    (DnsRecord("_x1.example.com", "CNAME", "_y1.validations.example"),),
)


class MemoryHost(MemoryTarget):
    """Takes orders at once, and fills them when `grant` says so."""

    def host(self, request: HostRequest, /) -> Installed:
        """Take an order, or return the one there is for the same thing."""
        self.store.tell("host")
        shown = self.store.objects.get(request.name)
        if shown is not None and self._is_it(shown, request):
            return shown.installed
        if (shown and shown.installed) != request.predecessor:
            raise Conflict(f"{request.name} is not what was observed")
        if shown is not None and request.replace:
            aside = replace(shown.installed, name=shown.installed.id)
            self.store.objects[aside.id] = replace(shown, installed=aside)
        keeps = shown is not None and not request.replace
        id_ = f"memory:{self._name}/{request.name}/{self.store.calls['host']}"
        wanted = request.request
        installed = Installed(
            id=shown.installed.id if shown and keeps else id_,
            name=request.name,
            labels=dict(request.labels),
            serial=None,
            sha256=None,
            not_after=None,
            content=Content(dns_names=wanted.dns_names, key=wanted.key),
            hosting=PENDING,
        )
        self.store.objects[request.name] = MemoryObject(installed)
        return installed

    def _is_it(self, shown: MemoryObject, request: HostRequest) -> bool:
        same = shown.installed.labels.get(SPEC) == request.labels.get(SPEC)
        before = request.predecessor
        anew = request.replace and before is not None and shown.installed.id == before.id
        return shown.installed.hosting is not None and same and not anew


def grant(store: MemoryStore, name: str, serial: str, not_after: datetime) -> None:
    """Let what was ordered be issued, or be renewed."""
    _put(store, name, Hosting(HostingState.ACTIVE), serial=serial, not_after=not_after)


def give_up(store: MemoryStore, name: str) -> None:
    """Let an order fail for ever."""
    _put(store, name, Hosting(HostingState.FAILED, "the domain's CAA records forbid it"))


def use(store: MemoryStore, name: str, *users: str) -> None:
    """Let others refer to an object."""
    held = store.objects[name]
    store.objects[name] = replace(held, installed=replace(held.installed, used_by=users))


def _put(
    store: MemoryStore,
    name: str,
    hosting: Hosting,
    *,
    serial: str | None = None,
    not_after: datetime | None = None,
) -> None:
    held = store.objects[name]
    installed = replace(held.installed, hosting=hosting, serial=serial, not_after=not_after)
    store.objects[name] = replace(held, installed=installed)
