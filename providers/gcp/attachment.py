"""Which host names a certificate map serves with our certificates.

A new certificate is attached before an old one is detached, so that a name is served all the time.
https://cloud.google.com/certificate-manager/docs/map-entries
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from providers.base import NAME, HostingState, Installed
from providers.errors import Conflict, Rejected
from providers.failpoints import reach
from providers.gcp.certificates import Certificates
from providers.gcp.entries import COLLECTION, Entries, is_attached
from providers.gcp.naming import tail
from providers.gcp.ownership import belongs

MOST = 4
"""Certificates that one entry takes."""


@dataclass(frozen=True, slots=True)
class Attachment:
    """The certificates of a location, and the entries of a map that refer to them."""

    certificates: Certificates
    entries: Entries

    def attach(self, installed: Installed) -> Installed:
        """Serve each DNS name of a certificate with it, and no name that it does not have any more."""
        wanted = {self.entries.named(name): name for name in dns_names(installed)}
        for path, name in wanted.items():
            self._attach(path, name, installed)
        reach("gcp.attached")
        here, kept = f"{tail(self.entries.path)}{COLLECTION}", set(map(tail, wanted))
        others = (user for user in installed.used_by if tail(user) not in kept)
        stale = ours(self.entries, (user for user in others if tail(user).startswith(here)))
        for entry in stale:
            detach(self.entries, entry, installed.id)
        return (self.certificates.find(installed.id) if stale else None) or installed

    def incomplete(self, found: Iterable[Installed]) -> Mapping[str, tuple[str, ...]]:
        """Say, by certificate, which of its names the map does not serve, and which others still."""
        served, owned = defaultdict[str, set[str]](set), defaultdict[str, set[str]](set)
        for entry in self.entries.every():
            for certificate in map(tail, entry.certificates):
                served[certificate].add(entry.hostname)
                if belongs(entry.labels, self.entries.owner):
                    owned[certificate].add(entry.hostname)
        return {
            each.id: tuple(
                _differences(dns_names(each), served[tail(each.id)], owned[tail(each.id)])
            )
            for each in found
        }

    def unburdened(self, installed: Installed) -> Installed:
        """Return a certificate without the users that go with it: our entries for its own names.

        They do not stand in the way of its removal, which looks again whose they are.
        """
        own = {tail(self.entries.named(name)) for name in dns_names(installed)}
        others = (each for each in installed.used_by if tail(each) not in own)
        return replace(installed, used_by=tuple(others))

    def _attach(self, path: str, name: str, installed: Installed) -> None:
        entry = self.entries.find(path)
        if entry is None:
            self.entries.ensure_map()
            self.entries.create(path, name, installed.id)
            return
        if not belongs(entry.labels, self.entries.owner):
            raise Conflict(f"{path} serves {name} and is not ours")
        if entry.hostname != name:
            raise Conflict(f"{path} is the entry of {entry.hostname}, not of {name}")
        if not is_attached(entry, installed.id):
            if len(entry.certificates) >= MOST:
                raise Rejected(f"{path} has {MOST} certificates for {name} already: remove one")
            self.entries.set(path, [*entry.certificates, installed.id])
            reach("gcp.added")
        for old in entry.certificates:
            if is_issued(installed) and self._is_superseded(old, installed):
                self.entries.wait_until_served(path, installed.id)
                detach(self.entries, path, old)

    def _is_superseded(self, other: str, installed: Installed) -> bool:
        """Whether another certificate stood for the same name of ours; what is side by side stays."""
        if tail(other) == tail(installed.id):
            return False
        found = self.certificates.find(other)
        same = found is not None and found.labels.get(NAME) == installed.labels.get(NAME)
        return same and found is not None and found.owned_by(self.entries.owner)


def is_issued(installed: Installed) -> bool:
    """Whether there is a certificate to serve: one that Google is to issue may take days."""
    return installed.hosting is None or installed.hosting.state is HostingState.ACTIVE


def ours(entries: Entries, users: Iterable[str]) -> Sequence[str]:
    """Return the entries of ours, of any map, among what refers to a certificate, by full name."""
    return [user for user in users if COLLECTION in user and entries.ours(user) is not None]


def detach(entries: Entries, path: str, certificate: str) -> None:
    """Take a certificate out of an entry, if that is ours; it is deleted where nothing is left in it.

    The entry is looked at just now: much may have come there while others were changed.
    """
    entry = entries.ours(path)
    if entry is None or not is_attached(entry, certificate):
        return
    rest = [each for each in entry.certificates if tail(each) != tail(certificate)]
    if rest:
        entries.set(path, rest)
    else:
        entries.delete(path)
    reach("gcp.detached")


def _differences(wanted: Sequence[str], served: set[str], owned: set[str]) -> Iterator[str]:
    if missing := sorted({*wanted} - served):
        yield f"the certificate map does not serve it for {', '.join(missing)}"
    if stale := sorted(owned - {*wanted}):
        yield f"the certificate map still serves it for {', '.join(stale)}"


def dns_names(installed: Installed) -> tuple[str, ...]:
    """Return the names that a certificate is for."""
    return installed.content.dns_names if installed.content else ()
