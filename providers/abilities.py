"""What a target may be able to do beyond its three verbs: small protocols, asked for with `isinstance`."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from providers.base import OWNER, Installed, InstallRequest
from providers.errors import Conflict, ProviderError
from schemas.request import LeafRequest


@dataclass(frozen=True, slots=True)
class Staged:
    """One request written durably beside what is live, not yet visible to any reader."""

    request: InstallRequest
    token: str


@runtime_checkable
class Stager(Protocol):
    """Can write many objects first and make them visible afterwards, so that many installs mean one reload.

    Results stand in the order of the requests; a request that failed has its error in its place.
    """

    def stage(self, requests: Sequence[InstallRequest], /) -> Sequence[Staged | ProviderError]:
        """Write every object durably without showing it."""
        ...

    def switch(self, staged: Sequence[Staged], /) -> Sequence[Installed | ProviderError]:
        """Show every staged object; each appears whole and at once."""
        ...


@runtime_checkable
class Activator(Protocol):
    """Has a consumer that must be told."""

    def activate(self) -> None:
        """Let the consumer check its configuration, then reload it; raise `Rejected` when it refuses."""
        ...


@runtime_checkable
class Verifier(Protocol):
    """Can tell what is really served."""

    def verify(self, installed: Sequence[Installed], /) -> Iterable[Installed | ProviderError]:
        """Compare what is served (or stored) with what was installed; `Rejected` where it differs.

        Results stand in the order of what was given. Where asking is slow each is yielded once it is
        known, so that the caller can keep its lock; the patience with a server is one for all of them.
        """
        ...


@runtime_checkable
class Restorer(Protocol):
    """Keeps the previous object until the new one has proved itself."""

    def restore(self, installed: Installed, /) -> Installed | None:
        """Put the predecessor of an installed object back; None when there was none, and the object is gone.

        What is settled, and so has no predecessor any more, stays as it is and is returned.
        """
        ...

    def settle(self, installed: Sequence[Installed], /) -> None:
        """Drop predecessors, keys included: the new objects are verified."""
        ...


@runtime_checkable
class Withdrawer(Protocol):
    """Can take an object out of sight before it is deleted, so that its consumer is asked first.

    Until `remove` is called the object can be shown again, and is observed as being there. An
    `Activator` that is no `Withdrawer` is not told of removals.
    """

    def withdraw(self, installed: Installed, /) -> None:
        """Take an object of ours out of sight, durably; raises as `remove` does."""
        ...

    def reinstate(self, installed: Installed, /) -> None:
        """Show again what was withdrawn."""
        ...


@runtime_checkable
class Sweeper(Protocol):
    """May hold what a run that died left half made or half deleted, which `observe` does not show."""

    def sweep(self) -> None:
        """Delete it, keys included; asked before the ledger forgets that an object was there."""
        ...


@dataclass(frozen=True, slots=True)
class RelabelRequest:
    """Give an installed object other labels, and nothing else.

    `labels` are all it has afterwards: what `installed` has beyond them is taken off, and what came
    there since is left alone.
    """

    installed: Installed
    labels: Mapping[str, str]


@runtime_checkable
class Relabeler(Protocol):
    """Can change labels without touching the certificate."""

    def relabel(self, request: RelabelRequest, /) -> Installed:
        """Replace an object's labels."""
        ...


@runtime_checkable
class Marked(Protocol):
    """Marks its place, so that one whose content vanished can be told from a new one."""

    def confirm(self) -> None:
        """Raise `Unreachable`, saying what to do, unless the place carries our mark.

        Asked where a place is empty and the ledger knows that it was not.
        """
        ...


@runtime_checkable
class Finder(Protocol):
    """Can look one object up by its identity, where a listing may lag behind what was written."""

    def find(self, id_: str, /) -> Installed | None:
        """Return the object of that identity, None when it is certainly gone."""
        ...


@runtime_checkable
class Inspector(Protocol):
    """Can tell of an object what a listing leaves out, at the price of calls of its own."""

    def inspect(self, installed: Installed, /) -> Installed:
        """Return the object with `used_by` and `content` as complete as the place can tell."""
        ...


@dataclass(frozen=True, slots=True)
class AdoptRequest:
    """Take over the object `id` under the certificate's name and labels, and change nothing else.

    `serial` and `sha256` are those that were reviewed, None where the observation did not know them.
    """

    id: str
    name: str
    labels: Mapping[str, str]
    serial: str | None = None
    sha256: str | None = None

    def check(self, serial: str | None, sha256: str | None) -> None:
        """Raise `Conflict` unless what is there is what was reviewed; asked before anything is changed."""
        pairs = ((self.serial, serial), (self.sha256, sha256))
        if any(known not in (None, found) for known, found in pairs):
            raise Conflict(f"{self.id} was changed by somebody else meanwhile: plan again")


@runtime_checkable
class Adopter(Protocol):
    """Can take over an object that somebody else made."""

    def adopt(self, request: AdoptRequest, /) -> Installed:
        """Label it; raises `NotFound`, and `Conflict` for another owner's or another than was reviewed."""
        ...


@dataclass(frozen=True, slots=True)
class KeyRequest:
    """Make a key inside the target for the object `name`; `labels` are those of its InstallRequest."""

    name: str
    request: LeafRequest
    labels: Mapping[str, str]


@runtime_checkable
class KeyMaker(Protocol):
    """Can make a key that never leaves it (`privateKey.custody: target`).

    A certificate for it is installed by an InstallRequest whose bundle has no private key; it is
    refused with `Conflict` unless its public key is the one that was made last and waits.
    """

    def make_key(self, request: KeyRequest, /) -> bytes:
        """Return a signing request (DER, RFC 2986); the one that waits already, if there is one like it."""
        ...


@dataclass(frozen=True, slots=True)
class HostRequest:
    """Let the place issue a certificate by itself, and renew it.

    `settings` are those of the Issuer document, by the vendor's own model. `predecessor` is as in
    InstallRequest; `replace` asks for a new object beside it, which supersedes it.
    """

    name: str
    request: LeafRequest
    labels: Mapping[str, str]
    settings: object
    predecessor: Installed | None = None
    replace: bool = False


@runtime_checkable
class Host(Protocol):
    """Issues and renews certificates by itself; such an object is observed with its `hosting`."""

    def host(self, request: HostRequest, /) -> Installed:
        """Ask for the certificate, and return what is there at once: as a rule it is pending. Idempotent."""
        ...


@dataclass(frozen=True, slots=True)
class HeldTrust:
    """A bundle of trust anchors in a place.

    `anchors` maps the SHA-256 fingerprint (hex, over the DER) of each certificate that is there to its PEM,
    in the order of the fingerprints. `id`, `labels` and `drift` are as in `Installed`.
    """

    id: str
    name: str
    labels: Mapping[str, str]
    anchors: Mapping[str, bytes]
    drift: tuple[str, ...] = ()

    def owned_by(self, owner: str) -> bool:
        """Whether the bundle carries this owner's label."""
        return self.labels.get(OWNER) == owner


@dataclass(frozen=True, slots=True)
class TrustRequest:
    """Install or replace one bundle of anchors (PEM), at least one; the other fields as in InstallRequest."""

    name: str
    anchors: tuple[bytes, ...]
    labels: Mapping[str, str]
    predecessor: HeldTrust | None = None


@runtime_checkable
class TrustHolder(Protocol):
    """Can hold bundles of trust anchors, under names that no certificate has there.

    `observe` leaves them out, and a certificate is never installed in the place of one.
    """

    def observe_trust(self) -> Sequence[HeldTrust]:
        """Return every bundle there, or raise `Unreachable`. Changes nothing."""
        ...

    def install_trust(self, request: TrustRequest, /) -> HeldTrust:
        """Create or replace a bundle in one step, durably, and return what was read back. Idempotent.

        Where there is a consumer it is told; what it refuses is undone, and `Rejected` raised.
        """
        ...

    def remove_trust(self, held: HeldTrust, /) -> None:
        """Remove a bundle of ours if its consumer can do without; raises as `Target.remove` does."""
        ...
