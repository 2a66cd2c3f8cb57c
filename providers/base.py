"""The contract. The one file to read before writing a provider.

A **target** is a place certificates are installed at: a class with `capabilities`, `from_config`
and three verbs, `observe`, `install` and `remove`. What a target can do beyond that it says by
having the methods of one of the optional protocols in `providers.abilities`; who drives a target
asks with `isinstance`. Those of every cloud: `Finder`, `Inspector`, `Relabeler`, `Adopter`.

Every verb takes one frozen request, positionally. Add fields to a request, never parameters to a
verb. Every failure is a `providers.errors.ProviderError`; a target that cannot be read whole raises
`Unreachable` and is then *unknown*, which never reads as *empty*.

A target never logs a request, never returns a private key, and never touches an object that does
not carry its owner's label. Targets whose capabilities say `remote` are observed side by side, each
by a thread of its own; no target is used by two threads at once.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import ClassVar, Protocol, Self

from providers.secret import Secret
from schemas.capabilities import Capabilities
from schemas.request import KeyType
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
    self-signed certificates a relying party trusts. `private_key` is None where the key was made in
    the target and never left it.
    """

    certificate: bytes
    chain: tuple[bytes, ...]
    anchors: tuple[bytes, ...]
    private_key: Secret | None = field(repr=False)

    @property
    def held_key(self) -> Secret:
        """The private key of a bundle that has one; raises LookupError for any other."""
        if self.private_key is None:
            raise LookupError("the private key is in the target")
        return self.private_key


@dataclass(frozen=True, slots=True)
class Content:
    """What a certificate says, as far as a place tells; usages as in `schemas.certificate.Usage`."""

    common_name: str | None = None
    dns_names: tuple[str, ...] = ()
    ip_addresses: tuple[str, ...] = ()
    uris: tuple[str, ...] = ()
    email_addresses: tuple[str, ...] = ()
    issuer: str | None = None
    key: KeyType | None = None
    usages: tuple[str, ...] = ()
    not_before: datetime | None = None


class HostingState(StrEnum):
    """How far a place has come that issues a certificate by itself."""

    PENDING = "pending"
    ACTIVE = "active"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class DnsRecord:
    """A record that the owner of a domain has to create, so that a place may issue for it."""

    name: str
    type: str
    value: str


@dataclass(frozen=True, slots=True)
class Hosting:
    """A certificate that its place issues and renews by itself. `detail` says what it waits for."""

    state: HostingState
    detail: str = ""
    records: tuple[DnsRecord, ...] = ()


@dataclass(frozen=True, slots=True)
class Installed:
    """One object in a target, ours or not.

    `id` is the provider's own identity (a path, an ARN). `serial` (lower-case hex), `sha256` (hex,
    over the DER certificate), `not_after` and `trust` (digest over chain and anchors, see
    `providers.x509.trust_digest`) are None where the object is too broken to tell. `drift` says in
    words what differs from what was installed there, by file or attribute; `incomplete` what around a
    sound object is not as it should be, such as a name that it is not served for: an InstallRequest
    without the private key puts that right. `output_formats` are the additional files it was installed with,
    `keystores` the digest of what was wanted of its keystores.

    Where a place gives objects no names, `name` is the certificate's label of ours, and for anything
    else the identity; what another object supersedes has a name of its own. `used_by` names what
    refers to the object, as far as a listing tells; `installed_at` is when its content last came there.
    `hosting` is None for what certform installed.
    """

    id: str
    name: str
    labels: Mapping[str, str]
    serial: str | None
    sha256: str | None
    not_after: datetime | None
    trust: str | None = None
    drift: tuple[str, ...] = ()
    incomplete: tuple[str, ...] = ()
    dns_name: str | None = None
    output_formats: tuple[str, ...] = ()
    keystores: str = ""
    content: Content | None = None
    used_by: tuple[str, ...] = ()
    installed_at: datetime | None = None
    hosting: Hosting | None = None

    def owned_by(self, owner: str) -> bool:
        """Whether the object carries this owner's label."""
        return self.labels.get(OWNER) == owner


@dataclass(frozen=True, slots=True)
class Keystore:
    """Two files for Java: one with the key and its chain under `alias`, and one with the anchors.

    `form` and `profile` are as in `schemas.certificate`; the password opens both.
    """

    form: str
    alias: str
    password: Secret = field(repr=False)
    profile: str = ""


@dataclass(frozen=True, slots=True)
class Keystores:
    """The keystores of one object. `digest` tells what was wanted, and is the same for the same passwords."""

    digest: str = ""
    stores: tuple[Keystore, ...] = ()


NO_KEYSTORES = Keystores()


@dataclass(frozen=True, slots=True)
class InstallRequest:
    """Install or replace one object. `labels` are all its labels, the three of certform included.

    `predecessor` is what was observed under that name, None when nothing was: a target refuses with
    `Conflict` when it finds something else at the moment of the call. `replace` asks for a new object
    beside the predecessor, which it supersedes: for what the place cannot change in place (`Fixed`).
    """

    name: str
    bundle: Bundle
    labels: Mapping[str, str]
    output_formats: tuple[str, ...] = ()
    keystores: Keystores = NO_KEYSTORES
    predecessor: Installed | None = None
    replace: bool = False


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
class Publication:
    """A public file: a CRL (DER) or a CA certificate (DER), under its file name."""

    name: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Tree:
    """A folder of public files that appears whole, in one step: `files` by their paths below `name`.

    A path is of segments without a dot in front, divided by slashes.
    """

    name: str
    files: Mapping[str, bytes] = field(repr=False)

    @property
    def digest(self) -> str:
        """SHA-256 in hex over every path and content."""
        whole = hashlib.sha256()
        for path in sorted(self.files):
            whole.update(hashlib.sha256(path.encode()).digest())
            whole.update(hashlib.sha256(self.files[path]).digest())
        return whole.hexdigest()


class Publisher(Protocol):
    """A place that serves CRLs, CA certificates and, as trees, OCSP responses.

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

    def tree(self, name: str, /) -> Tree | None:
        """Return a tree of ours as it is, None where there is none, or raise `Unreachable`."""
        ...

    def publish_tree(self, tree: Tree, /) -> None:
        """Write a tree durably and show it in one step: no reader sees old and new files of it mixed."""
        ...
