"""The contract. The one file to read before writing a provider.

A **target** is a place certificates are installed at: a class with `capabilities`, `from_config`
and three verbs, `observe`, `install` and `remove`. What a target can do beyond that it says by
having the methods of one of the optional protocols below (`Stager`, `Activator`, `Verifier`,
`Restorer`, `Withdrawer`, `Sweeper`, `Relabeler`, `Marked`); apply asks with `isinstance`.

Every verb takes one frozen request, positionally. Add fields to a request, never parameters to a
verb. Every failure is a `providers.errors.ProviderError`; a target that cannot be read whole raises
`Unreachable` and is then *unknown*, which never reads as *empty*.

A target never logs a request, never returns a private key, and never touches an object that does
not carry its owner's label.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import ClassVar, Protocol, Self, runtime_checkable

from providers.errors import ProviderError
from providers.secret import Secret
from schemas.capabilities import Capabilities
from schemas.target import TargetSpec

OWNER = "certform-owner"
NAME = "certform-name"
SPEC = "certform-spec"
"""The three labels by which certform knows its own: whose, which, and the digest of what was wanted."""


@dataclass(frozen=True, slots=True)
class TargetConfig:
    """What a target is made from. `root` is the folder that relative paths start at."""

    name: str
    spec: TargetSpec
    owner: str
    root: Path


@dataclass(frozen=True, slots=True)
class Bundle:
    """A certificate and what travels with it, PEM throughout.

    `chain` runs from the certificate's issuer upwards and stops below the anchor; `anchors` are the
    self-signed certificates a relying party trusts.
    """

    certificate: bytes
    chain: tuple[bytes, ...]
    anchors: tuple[bytes, ...]
    private_key: Secret = field(repr=False)


@dataclass(frozen=True, slots=True)
class Installed:
    """One object in a target, ours or not.

    `id` is the provider's own identity (a path, an ARN). `serial` (lower-case hex), `sha256` (hex,
    over the DER certificate), `not_after` and `trust` (digest over chain and anchors, see
    `providers.x509.trust_digest`) are None where the object is too broken to tell. `drift` says in
    words what differs from what was installed there, by file or attribute. `output_formats` are the
    additional files it was installed with.
    """

    id: str
    name: str
    labels: Mapping[str, str]
    serial: str | None
    sha256: str | None
    not_after: datetime | None
    trust: str | None = None
    drift: tuple[str, ...] = ()
    dns_name: str | None = None
    output_formats: tuple[str, ...] = ()

    def owned_by(self, owner: str) -> bool:
        """Whether the object carries this owner's label."""
        return self.labels.get(OWNER) == owner


@dataclass(frozen=True, slots=True)
class InstallRequest:
    """Install or replace one object. `labels` are all its labels, the three of certform included.

    `predecessor` is what was observed under that name, None when nothing was: a target refuses with
    `Conflict` when it finds something else at the moment of the call.
    """

    name: str
    bundle: Bundle
    labels: Mapping[str, str]
    output_formats: tuple[str, ...] = ()
    predecessor: Installed | None = None


@dataclass(frozen=True, slots=True)
class RelabelRequest:
    """Give an installed object other labels, and nothing else."""

    installed: Installed
    labels: Mapping[str, str]


class Target(Protocol):
    """One place certificates are installed at."""

    capabilities: ClassVar[Capabilities]

    @classmethod
    def from_config(cls, config: TargetConfig, /) -> Self:
        """Make the target; reads nothing and connects nowhere."""
        ...

    def observe(self) -> Sequence[Installed]:
        """Return everything there, ours and others', or raise `Unreachable`. Changes nothing."""
        ...

    def install(self, request: InstallRequest, /) -> Installed:
        """Create or replace in place, durably, and return what is there now. Idempotent."""
        ...

    def remove(self, installed: Installed, /) -> None:
        """Remove an object of ours; one that is gone already is no error, a changed one is `Conflict`."""
        ...


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


@dataclass(frozen=True, slots=True)
class Publication:
    """A public file: a CRL (DER) or a CA certificate (DER), under its file name."""

    name: str
    content: bytes


class Publisher(Protocol):
    """A place that serves CRLs and CA certificates.

    One that is `Marked` as well is prepared before the ledger says that anything is published there.
    """

    def prepare(self) -> None:
        """Make the place ready to be published to, and put our mark there, durably."""
        ...

    def published(self) -> Mapping[str, bytes]:
        """Return every published file of ours by name, or raise `Unreachable`."""
        ...

    def publish(self, publications: Sequence[Publication], /) -> None:
        """Write files durably, each appearing whole; one that is there already is replaced."""
        ...
