"""The sides of every diff, as values: what is desired and what is observed.

The third side, the ledger, is `reconciler.ledger.records.LedgerState`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal

from providers.abilities import HeldTrust
from providers.base import Installed
from reconciler.keystores import DesiredKeystore, keystores_digest
from reconciler.leads import Lead
from reconciler.limits import NO_LIMITS, Limits
from reconciler.takeover import Takeover
from schemas.authority import OcspSettings
from schemas.certificate import Custody, OnRemove, Rollout, RotationPolicy
from schemas.custody import CaCustody, Kept, MountedKey, RemoteKey
from schemas.issuer import IssuerSpec
from schemas.plan import Source
from schemas.project import (
    AdviceAsking,
    GuardSettings,
    LedgerSettings,
    PublishSettings,
    Recipient,
)
from schemas.request import AuthorityRequest, LeafRequest
from schemas.revocation import RevocationReason
from schemas.target import TargetSpec

KEYRING = "keyring"
"""The address of the keyring in a plan."""


@dataclass(frozen=True, slots=True)
class DesiredAuthority:
    """One CA with every default filled in. `depth` is 0 for a root; `custody` None for a key in the ledger.

    A key that is not in the ledger has no recipients. `request` is of the generation that is to issue;
    `standby` is one after it, to be signed ahead. `crossed` asks for a cross-certificate by one
    before it. `sealed` is the sops file that its custody names: of the key itself, or of its token's PIN;
    `files` are those that one logs in to a Vault with, by path.
    A certificate of it is renewed, with the same key, `renew_before` its end: as long before
    as what it issues lives, where that does not have it renewed all the time. A CRL lives for
    `crl_duration`, and is signed anew `crl_refresh` before its nextUpdate.
    """

    name: str
    source: Source
    labels: Mapping[str, str]
    request: AuthorityRequest
    digest: str
    recipients: tuple[Recipient, ...]
    crl_duration: timedelta
    depth: int
    retired: bool = False
    custody: CaCustody | None = None
    standby: AuthorityRequest | None = None
    crossed: bool = False
    renew_before: timedelta = timedelta()
    crl_refresh: timedelta | None = None
    crl_shards: int = 1
    ocsp: OcspSettings | None = None
    limits: Limits = NO_LIMITS
    sealed: bytes | None = field(default=None, repr=False)
    existing: Takeover | None = None
    files: Mapping[str, bytes] = field(default_factory=dict, repr=False)

    @property
    def address(self) -> str:
        """The name of this CA in a plan."""
        return f"authority/{self.name}"

    @property
    def mounted(self) -> MountedKey | None:
        """Which mount of Vault's makes and keeps its key, if that is where it is."""
        return self.custody if isinstance(self.custody, MountedKey) else None

    @property
    def remote(self) -> RemoteKey | None:
        """The key at a key service or in a token, if that is where it is."""
        return self.custody if isinstance(self.custody, RemoteKey) else None

    @property
    def offline(self) -> bool:
        """Whether only a ceremony can sign with its key."""
        return self.custody is Kept.OFFLINE

    @property
    def is_anchor(self) -> bool:
        """Whether it is only trusted: nobody here has its key."""
        return self.custody is Kept.NONE


@dataclass(frozen=True, slots=True)
class DesiredInstall:
    """One certificate in one target. `name` is the object's name there.

    `formerly` are the names it may still go by in a target where objects have none of their own;
    `adopt` are the identities of objects that are taken over, each in whichever place of its target it is.
    `hosted` tells that the place is to issue it by itself: then the object may go by any name there.
    """

    target: str
    name: str
    output_formats: tuple[str, ...] = ()
    formerly: tuple[str, ...] = ()
    adopt: tuple[str, ...] = ()
    hosted: bool = False
    keystores: tuple[DesiredKeystore, ...] = ()

    @property
    def keystores_digest(self) -> str:
        """What is wanted of its keystores, passwords included; empty where none are."""
        return keystores_digest(self.keystores)


@dataclass(frozen=True, slots=True)
class DesiredCertificate:
    """One leaf with profile and defaults resolved. `renew_before` counts back from notAfter."""

    name: str
    source: Source
    labels: Mapping[str, str]
    formerly: tuple[str, ...]
    request: LeafRequest
    digest: str
    renew_before: Lead
    custody: Custody
    rotation_policy: RotationPolicy
    on_remove: OnRemove
    rollout: Rollout
    installs: tuple[DesiredInstall, ...]
    limits: Limits = NO_LIMITS

    @property
    def address(self) -> str:
        """The name of this certificate in a plan."""
        return f"certificate/{self.name}"


@dataclass(frozen=True, slots=True)
class DesiredTarget:
    """One place to install at."""

    name: str
    source: Source
    spec: TargetSpec
    digest: str


@dataclass(frozen=True, slots=True)
class DesiredIssuer:
    """One CA of others, or what a place issues by itself (`spec.capabilities.hosted`).

    `files` are those that it names, by path: sops files with its secrets, and its `caBundle`.
    """

    name: str
    source: Source
    spec: IssuerSpec
    files: Mapping[str, bytes] = field(default_factory=dict, repr=False)

    @property
    def hosted(self) -> bool:
        """Whether the place that a certificate is for issues and renews it by itself."""
        return self.spec.capabilities.hosted


@dataclass(frozen=True, slots=True)
class DesiredRevocation:
    """Serials to revoke: listed, by certificate name and moment, or all of a CA's generation."""

    name: str
    source: Source
    certificates: tuple[str, ...]
    issued_before: datetime | None
    serials: tuple[str, ...]
    reason: RevocationReason
    authority: str | None = None
    generation: int | None = None
    immediate: bool = False


@dataclass(frozen=True, slots=True)
class DesiredBundle:
    """The anchors of some roots of ours, and of `others` (PEM), for the places in `installs`."""

    name: str
    source: Source
    authorities: tuple[str, ...]
    digest: str
    overlap: timedelta
    installs: tuple[DesiredInstall, ...]
    others: tuple[bytes, ...] = ()
    labels: Mapping[str, str] = field(default_factory=dict)

    @property
    def address(self) -> str:
        """The name of this bundle in a plan."""
        return f"bundle/{self.name}"


@dataclass(frozen=True, slots=True)
class DesiredException:
    """What a policy does not bind before `until`, and why."""

    policy: str
    source: Source
    certificates: tuple[str, ...]
    authorities: tuple[str, ...]
    until: datetime
    reason: str

    @property
    def names(self) -> tuple[str, ...]:
        """What it names."""
        return (*self.certificates, *self.authorities)


@dataclass(frozen=True, slots=True)
class Desired:
    """Everything the documents at one commit, or in one working tree, ask for.

    `uncommitted` tells that the working tree holds others than the commit `revision`. `renewal_information`
    says whether a plan asks CAs of others when they want renewals.
    """

    project: str
    revision: str | None
    keyring: tuple[Recipient, ...]
    ledger: LedgerSettings
    guard: GuardSettings
    publish: PublishSettings | None
    authorities: Mapping[str, DesiredAuthority]
    certificates: Mapping[str, DesiredCertificate]
    targets: Mapping[str, DesiredTarget]
    revocations: tuple[DesiredRevocation, ...]
    uncommitted: bool = False
    issuers: Mapping[str, DesiredIssuer] = field(default_factory=dict)
    bundles: Mapping[str, DesiredBundle] = field(default_factory=dict)
    exceptions: tuple[DesiredException, ...] = ()
    renewal_information: AdviceAsking = AdviceAsking.APPLY

    def hosting(self, certificate: DesiredCertificate) -> DesiredIssuer | None:
        """The issuer of a certificate that its place issues by itself; None for any other."""
        issuer = self.issuers.get(certificate.request.issuer)
        theirs = certificate.request.issuer_id is not None
        return issuer if theirs and issuer is not None and issuer.hosted else None

    def mounted(self, issuer: str) -> DesiredAuthority | None:
        """The CA of ours that the mount of an Issuer signs by, if it is one."""
        named = self.issuers.get(issuer)
        vault = named.spec.vault if named else None
        every = self.authorities.values() if vault else ()
        return next(
            (ca for ca in every if ca.mounted and vault and ca.mounted.mount == vault.mount), None
        )


def nothing(revision: str | None) -> Desired:
    """Return what a commit asks for that trusts nobody: without a Project, or with one that is not valid."""
    return Desired(
        project="",
        revision=revision,
        keyring=(),
        ledger=LedgerSettings(),
        guard=GuardSettings(),
        publish=None,
        authorities={},
        certificates={},
        targets={},
        revocations=(),
    )


@dataclass(frozen=True, slots=True)
class Observation:
    """One target as found. `status` is observed, not-here or unknown; `detail` says why it is unknown.

    `installed` and `trust` are its certificates and its bundles of anchors, by name. One that is
    `assumed` counts as observed, but nobody looked: `detail` says why.
    """

    status: Literal["observed", "not-here", "unknown"]
    installed: Mapping[str, Installed] = field(default_factory=dict)
    detail: str = ""
    assumed: bool = False
    trust: Mapping[str, HeldTrust] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Assumed:
    """What is taken to be there where nobody looks: by target, and in the directory that is published.

    Targets that are left out are looked at; so is the directory where `published` is None.
    """

    targets: Mapping[str, Observation] = field(default_factory=dict)
    published: Mapping[str, "PublishedFile"] | None = None

    def under(self, other: "Assumed") -> "Assumed":
        """Return both together; what `other` says of a place counts."""
        published = self.published if other.published is None else other.published
        return Assumed({**self.targets, **other.targets}, published)


@dataclass(frozen=True, slots=True)
class PublishedFile:
    """A published file as found: its digest, and for a CRL its number and the serials it revokes.

    `urls` are those that a shard says it is the list of; None where nobody looked. `dates` are a CRL's
    thisUpdate and nextUpdate. A tree of OCSP responses tells the `serials` that it is of.
    """

    sha256: str
    number: int | None = None
    revoked: frozenset[str] = frozenset()
    urls: frozenset[str] | None = None
    serials: frozenset[str] = frozenset()
    dates: tuple[datetime, datetime] | None = None


@dataclass(frozen=True, slots=True)
class Observed:
    """What is there now. `published` is None where the directory could not be read whole."""

    targets: Mapping[str, Observation]
    published: Mapping[str, PublishedFile] | None = field(default_factory=dict)
    published_detail: str = ""
