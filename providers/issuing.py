"""The contract of CAs of others. The one file to read before writing an issuer.

An **issuer** is asked with a signing request, so that no private key ever crosses. It answers with the
certificate, or with `Pending`, which says how the next run goes on; whatever it calls the order (an
ARN, a URL) it hands to `IssueRequest.checkpoint` before it waits for anything: what is not recorded
there may be ordered once more after a crash, and what is recorded never is. Every failure is a
`providers.errors.ProviderError`: `Rejected` and `Denied` for what asking again does not change,
`Throttled` with the seconds the CA asks us to wait. What an issuer returns is believed only after
`providers.issued.check`.

Reading a configuration asks nobody: `plan` makes no issuer at all.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import ClassVar, Protocol, Self, runtime_checkable

from providers.errors import NotFound
from providers.secret import Secret
from schemas.issuer import IssuerSpec
from schemas.request import AuthorityRequest, LeafRequest
from schemas.revocation import RevocationReason
from schemas.secrets import SecretReference


def no_secrets(reference: SecretReference) -> Secret:
    """Open no secret: for an issuer that names none."""
    raise NotFound(f"nobody here opens {reference.name}")


def ignore() -> None:
    """Do nothing about it."""


@dataclass(frozen=True, slots=True)
class IssuerConfig:
    """What an issuer is made from. `root` is the folder that relative paths start at.

    `secret` opens what the issuer's document names in a sops file, each time it is called, and never for
    a plan; `files` are the other files that the document names, such as a `caBundle`, by their path.
    """

    name: str
    spec: IssuerSpec
    owner: str
    root: Path
    secret: Callable[[SecretReference], Secret] = no_secrets
    files: Mapping[str, bytes] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class IssueRequest:
    """Issue one certificate.

    `csr` is a signing request in DER (RFC 2986); `request` is what it asks for, in words, and the dates
    are those wanted. `token` is the same however often one order is tried, 32 hex digits, and never
    used for another. `checkpoint` makes an order's name durable, and returns once it is; with the same
    name again it tells, before each longer wait, that this run goes on. `resume` is the last one, or what
    `Pending` left, None for an order that is not known to have been made.
    `replaces` is the certificate (DER) that the new one takes the place of, for a CA that wants to know;
    `unreplaced` is called before it is ordered without that, because it may then count for a quota.
    """

    csr: bytes = field(repr=False)
    request: LeafRequest
    not_before: datetime
    not_after: datetime
    token: str
    checkpoint: Callable[[str], None]
    resume: str | None = None
    replaces: bytes | None = field(default=None, repr=False)
    unreplaced: Callable[[], None] = ignore


@dataclass(frozen=True, slots=True)
class Issued:
    """A certificate, and those above it: `chain` from its issuer upwards, `anchors` self-signed; all DER.

    `remarks` are what somebody should know although all went well, such as a wish that was not granted.
    """

    certificate: bytes
    chain: tuple[bytes, ...]
    anchors: tuple[bytes, ...]
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Pending:
    """An order that was taken and is not filled: `detail` says what it waits for, `resume` how to go on."""

    resume: str
    detail: str


class Issuer(Protocol):
    """A CA of others. `honours` are the fields of LeafRequest it obeys (`schemas.issuer`)."""

    honours: ClassVar[frozenset[str]]

    @classmethod
    def from_config(cls, config: IssuerConfig, /) -> Self:
        """Make the issuer; reads nothing and connects nowhere."""
        ...

    def issue(self, request: IssueRequest, /) -> Issued | Pending:
        """Order a certificate, or go on with the order, and wait for it a little while."""
        ...


@dataclass(frozen=True, slots=True)
class RevokeRequest:
    """Revoke a certificate (DER) of this issuer; `serial` is its own, lower-case hex.

    `key` is its private key (PKCS#8 DER) where that is at hand: some CAs take it as proof.
    """

    certificate: bytes
    serial: str
    reason: RevocationReason
    key: Secret | None = field(default=None, repr=False)


@runtime_checkable
class Revoker(Protocol):
    """Can revoke what it issued."""

    def revoke(self, request: RevokeRequest, /) -> None:
        """Revoke a certificate; one that is revoked already is no error."""
        ...


@dataclass(frozen=True, slots=True)
class Advice:
    """When a CA wants a certificate to be renewed (RFC 9773): at a random moment from `start` to `end`.

    `ask_again` is when it may be asked the next time. A CA that gave no answer of use has no window.
    `explanation` is the address of a page on why.
    """

    ask_again: datetime
    start: datetime | None = None
    end: datetime | None = None
    explanation: str | None = None


@runtime_checkable
class RenewalAdvisor(Protocol):
    """Says when what it issued should be renewed. Nobody has to log in to be told."""

    def advise(self, certificate: bytes, /) -> Advice | None:
        """Ask about a certificate (DER); None where this CA gives no such advice at all."""
        ...


@dataclass(frozen=True, slots=True)
class AuthorityOrder:
    """Sign a CA of ours; the fields are those of `IssueRequest`."""

    csr: bytes = field(repr=False)
    request: AuthorityRequest
    not_before: datetime
    not_after: datetime
    token: str
    checkpoint: Callable[[str], None]
    resume: str | None = None


@runtime_checkable
class AuthorityIssuer(Protocol):
    """Signs CAs of ours, too."""

    def issue_authority(self, order: AuthorityOrder, /) -> Issued | Pending:
        """Order a CA's certificate, or go on with the order, and wait for it a little while."""
        ...
