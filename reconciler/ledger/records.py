"""The records of the ledger, one JSON file each, and the state they add up to.

The format is frozen by golden files under tests/golden/ledger; `docs/ledger.md` describes it.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field

from reconciler.ledger.issuing import AdviceRecord, SpendingRecord
from reconciler.ledger.publications import CrlKey, CrlRecord, OcspRecord
from reconciler.ledger.trust import TrustRecord
from schemas.base import Model
from schemas.certificate import Custody, OnRemove
from schemas.project import AgeRecipient, SshEd25519
from schemas.request import AuthorityRequest, LeafRequest
from schemas.revocation import RevocationReason
from schemas.scalars import Instant

LEDGER_FORMAT: Literal[1] = 1


class Lineage(Model):
    """Which ledger this is. `id` is random and never changes; with the project it is the owner label."""

    format: Literal[1] = LEDGER_FORMAT
    id: Annotated[str, Field(pattern=r"^[0-9a-f]{16}$")]
    project: str
    created_at: Instant
    public_key: SshEd25519
    leaf_recipient: AgeRecipient

    @property
    def owner(self) -> str:
        """The owner label's value."""
        return f"{self.project[:40]}_{self.id}"


class Status(StrEnum):
    """How far one issuance has come."""

    RESERVED = "reserved"
    ISSUED = "issued"
    REVOKED = "revoked"
    ABANDONED = "abandoned"


class Urls(Model):
    """Where the certificate says its issuer's CRL, certificate and OCSP responses are.

    RFC 5280 sections 4.2.1.13 and 4.2.2.1.
    """

    crl: str | None = None
    issuer: str | None = None
    ocsp: str | None = None


class Revoked(Model):
    """When and why a serial was revoked."""

    at: Instant
    reason: RevocationReason


class Issuance(Model):
    """One serial number, from its reservation on. What is reserved determines every byte that is signed.

    `serial` is lower-case hex; `spki` is base64 of the DER SubjectPublicKeyInfo; `digest` is the spec
    digest that was wanted; `bundle` names the key bundle that holds the leaf key, None once it is
    erased (always None for an authority: its key is the file beside the record).

    What a CA of others issues has a `reference` of ours: until the certificate is recorded it stands for
    the serial, which is not known before, and afterwards it goes on naming the key. `order` is what
    that CA calls the order, written before it is waited for; `chain` and `anchors` (PEM) are as it gave them.

    `signer` is the serial of the certificate of ours that it was signed under, its own where it is
    self-signed. Records of before 2026-12 do not have it: then it is the first one of that generation.
    `handed_at` is when the Vault that keeps a CA's key was seen to have its certificate.
    """

    serial: str
    status: Status
    request: Annotated[LeafRequest | AuthorityRequest, Field(discriminator="kind")]
    digest: str
    not_before: Instant
    not_after: Instant
    spki: str
    urls: Urls = Urls()
    custody: Custody | None = None
    bundle: str | None = None
    reserved_at: Instant
    issued_at: Instant | None = None
    certificate: str | None = None
    sha256: str | None = None
    revoked: Revoked | None = None
    reference: str | None = None
    order: str | None = None
    chain: tuple[str, ...] | None = None
    anchors: tuple[str, ...] | None = None
    signer: str | None = None
    handed_at: Instant | None = None

    @property
    def name(self) -> str:
        """What it is known by from its reservation on, and what its key is called in a bundle."""
        return self.reference or self.serial

    @property
    def generation(self) -> int:
        """Which generation of its CA a CA's certificate is of; 0 for a leaf's."""
        return self.request.generation if isinstance(self.request, AuthorityRequest) else 0


class Placement(Model):
    """A certificate that was, or was about to be, installed under `object_name` in `target`.

    It is written before the install and kept until a removal succeeded. `serial` is the last one
    verified there; `object_id` the place's own identity of the object then, or before anything was
    verified that of an object that is taken over.
    """

    target: str
    object_name: str
    serial: str | None = None
    verified_at: Instant | None = None
    object_id: str | None = None
    hosted: bool | None = None
    """Whether the place issued it by itself: then the identity alone tells that it is ours."""
    changes: tuple[Instant, ...] = ()
    """The moments of the last changes, newest last: what `Flapping` is told by."""

    @property
    def is_adopted(self) -> bool:
        """Whether somebody else's object was taken over, and nothing of ours was seen in it yet."""
        return self.serial is None and self.object_id is not None and not self.hosted


class Attempts(Model):
    """Failures to issue since the last success, as `show` tells them."""

    failures: int
    last_at: Instant
    error: str
    digest: str
    again_at: Instant | None = None
    """When it is tried again at the earliest: once the issuer will listen, and after a pause of ours."""
    first_at: Instant | None = None
    """When the first of them was; records of before 2026-12 do not have it."""
    silent: bool | None = None
    """True where none of them said anything of the certificate: its CA did not answer, or not now."""

    @property
    def since(self) -> datetime:
        """From when on nothing succeeded, as far as it is known."""
        return self.first_at or self.last_at


class CertificateRecord(Model):
    """Everything known of one certificate name. Issuances oldest first.

    Expired ones are dropped once no placement names them.
    """

    name: str
    on_remove: OnRemove = OnRemove.REMOVE
    issuances: tuple[Issuance, ...] = ()
    placements: tuple[Placement, ...] = ()
    attempts: Attempts | None = None

    @property
    def current(self) -> Issuance | None:
        """The last certificate that was issued, revoked or not."""
        for issuance in reversed(self.issuances):  # asked too often for a generator
            if issuance.status is Status.ISSUED or issuance.status is Status.REVOKED:
                return issuance
        return None

    @property
    def pending(self) -> Issuance | None:
        """A reservation that is not yet a certificate."""
        last = self.issuances[-1] if self.issuances else None
        return last if last is not None and last.status is Status.RESERVED else None

    def placement(self, target: str, object_name: str) -> Placement | None:
        """The placement under a name in a target, if there is one."""
        spot = (target, object_name)
        return next((p for p in self.placements if (p.target, p.object_name) == spot), None)


class AuthorityRecord(Model):
    """Everything known of one CA: its certificates and reservations, oldest first.

    A generation is a key and a name. It has a certificate, another one each time it is renewed or gets
    another parent, and perhaps one that the generation before it signed, a cross-certificate. `attempts`
    are those at a CA of others.
    """

    name: str
    issuances: tuple[Issuance, ...] = ()
    attempts: Attempts | None = None

    def generation(self, number: int) -> Issuance | None:
        """The newest certificate of a generation, revoked or not, or the reservation for its first one."""
        return self.issued(number) or self.pending(number)

    def issued(self, number: int) -> Issuance | None:
        """The newest certificate of a generation, revoked or not."""
        return next(self.own(number), None)

    def lasting(self, number: int) -> Issuance | None:
        """The certificate of a generation that ends last, revoked or not: until then it has lists.

        A newer one for the same key may end sooner, below another parent.
        """
        return max(self.own(number), key=lambda issuance: issuance.not_after, default=None)

    def own(self, number: int) -> Iterator[Issuance]:
        """Yield every certificate of a generation but the cross-certificates, newest first."""
        live = (Status.ISSUED, Status.REVOKED)
        yield from (i for i in self._of(number) if i.status in live)

    def before(self, number: int) -> Iterator[Issuance]:
        """Yield the newest certificate of each generation before one, the last of them first."""
        # by the numbers that there are: a document may ask for any
        known = {issuance.generation for issuance in self.issuances}
        earlier = sorted((each for each in known if each < number), reverse=True)
        every = map(self.issued, earlier)
        yield from (issuance for issuance in every if issuance is not None)

    def first(self, number: int) -> Issuance | None:
        """The oldest certificate of a generation: what signed whatever names no signer."""
        return next(reversed(tuple(self.own(number))), None)

    def pending(self, number: int) -> Issuance | None:
        """A reservation of a generation that is not yet a certificate, newer than what it has."""
        newest = next(self._of(number), None)
        return newest if newest is not None and newest.status is Status.RESERVED else None

    def crossing(self, number: int) -> Issuance | None:
        """The newest cross-certificate of a generation, or the reservation for it."""
        return next((i for i in self._of(number, crossed=True)), None)

    def crossed(self, number: int) -> Issuance | None:
        """The newest cross-certificate of a generation, revoked or not."""
        return next(self.crosses(number), None)

    def crosses(self, number: int) -> Iterator[Issuance]:
        """Yield every cross-certificate of a generation, newest first."""
        live = (Status.ISSUED, Status.REVOKED)
        yield from (i for i in self._of(number, crossed=True) if i.status in live)

    def _of(self, number: int, *, crossed: bool = False) -> Iterator[Issuance]:
        """Yield the issuances of a generation, newest first."""
        for issuance in reversed(self.issuances):
            request = issuance.request
            if not isinstance(request, AuthorityRequest) or request.generation != number:
                continue
            if (request.issuer == self.name) == crossed:
                yield issuance


class PastEntry(Model):
    """A certificate that a CA issued before it was taken over; `not_after` None where nobody knows."""

    serial: str
    not_after: Instant | None = None
    subject: str | None = None
    revoked: Revoked | None = None


class PastRecord(Model):
    """What a CA generation issued and revoked before it was taken over, and the number of its last CRL."""

    authority: str
    generation: int
    number: int | None = None
    entries: tuple[PastEntry, ...] = ()

    def unexpired(self, now: datetime) -> tuple[PastEntry, ...]:
        """What somebody may still rely on, revoked or not; what nobody knows the end of counts."""
        return tuple(e for e in self.entries if e.not_after is None or e.not_after > now)


@dataclass(frozen=True, slots=True)
class LedgerState:
    """The ledger at one commit. `bundles` are the key bundles that still exist.

    `keyring` and `ca_keys` are who can open the keyring and each CA key, by (authority, generation),
    as their ciphertext says; what does not say so is left out.
    """

    tip: str
    lineage: Lineage
    authorities: Mapping[str, AuthorityRecord]
    certificates: Mapping[str, CertificateRecord]
    crls: Mapping[CrlKey, CrlRecord]
    bundles: frozenset[str]
    tip_time: Instant
    keyring: frozenset[str] | None = None
    ca_keys: Mapping[tuple[str, int], frozenset[str]] = field(default_factory=dict)
    ocsp: Mapping[tuple[str, int], OcspRecord] = field(default_factory=dict)
    trust: Mapping[str, TrustRecord] = field(default_factory=dict)
    past: Mapping[tuple[str, int], PastRecord] = field(default_factory=dict)
    spending: Mapping[tuple[str, str], SpendingRecord] = field(default_factory=dict)
    advice: Mapping[str, AdviceRecord] = field(default_factory=dict)
