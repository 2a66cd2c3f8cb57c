"""An issuer that is a dictionary: for tests of what drives issuers, and as the shortest example of one.

The desk outlives the issuer, as a real CA would.
"""

import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import ClassVar, Self

from providers import x509
from providers.errors import Ambiguous, NotFound, ProviderError
from providers.issuing import (
    Advice,
    AuthorityOrder,
    Issued,
    IssuerConfig,
    IssueRequest,
    Pending,
    RevokeRequest,
)
from providers.signer import KeySigner
from providers.specimens import Specimens
from providers.x509.signing_request import requested_key
from schemas.issuer import REQUEST_FIELDS
from schemas.revocation import RevocationReason


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(slots=True)
class Desk:
    """A CA and its orders. `waits` answers come before a certificate; `lost` answers never arrive.

    `failures` are raised, one a call. `orders` holds each certificate by the token it was ordered with.
    """

    ca: Specimens
    clock: Callable[[], datetime] = _now
    waits: int = 0
    lost: int = 0
    failures: list[ProviderError] = field(default_factory=list)
    orders: dict[str, bytes] = field(default_factory=dict)
    revoked: dict[str, RevocationReason] = field(default_factory=dict)
    calls: Counter[str] = field(default_factory=Counter)
    life: timedelta | None = None
    """How long what it issues lives at most, whatever is asked for."""
    advice: Callable[[bytes], Advice | None] | None = None
    """What it says of when to renew a certificate (DER), if it says anything."""
    lock: threading.Lock = field(default_factory=threading.Lock)
    remembers: bool = True
    """Whether the same token means the same order, as it does for a while with every CA that has tokens."""


class MemoryIssuer:
    """A CA in memory that obeys in everything."""

    honours: ClassVar[frozenset[str]] = REQUEST_FIELDS

    def __init__(self, desk: Desk) -> None:
        self.desk = desk

    @classmethod
    def from_config(cls, _config: IssuerConfig, /) -> Self:
        """Make an issuer with a CA of its own."""
        return cls(Desk(Specimens.make(_now())))

    def issue(self, request: IssueRequest, /) -> Issued | Pending:
        """Take the order, make it known, then fill it."""
        return self._filled(request)

    def issue_authority(self, order: AuthorityOrder, /) -> Issued | Pending:
        """Take the order, make it known, then fill it; a CA ends with the one that signs it."""
        return self._filled(order)

    def _filled(self, request: IssueRequest | AuthorityOrder) -> Issued | Pending:
        order = request.resume or self._ordered(request)
        request.checkpoint(order)
        if self.desk.waits:
            self.desk.waits -= 1
            return Pending(order, "the desk is busy")
        if order not in self.desk.orders:
            raise NotFound(f"there is no order {order}")
        ca = self.desk.ca
        return Issued(self.desk.orders[order], (ca.intermediate,), (ca.root,))

    def revoke(self, request: RevokeRequest, /) -> None:
        """Remember that a serial is revoked."""
        self._call("revoke")
        self.desk.revoked.setdefault(request.serial, request.reason)

    def advise(self, certificate: bytes, /) -> Advice | None:
        """Say when it wants a certificate renewed, where the desk does."""
        self._call("advise")
        return self.desk.advice(certificate) if self.desk.advice else None

    def _ordered(self, request: IssueRequest | AuthorityOrder) -> str:
        self._call("issue")
        order = request.token if self.desk.remembers else f"{request.token}-{len(self.desk.orders)}"
        if order not in self.desk.orders:
            self.desk.orders[order] = self._signed(request)
        if self.desk.lost:
            self.desk.lost -= 1
            raise Ambiguous("the answer did not arrive")
        return order

    def _signed(self, request: IssueRequest | AuthorityOrder) -> bytes:
        ca = self.desk.ca
        issuer = x509.IssuingAuthority.load(ca.intermediate, (ca.root,))
        tbs = x509.ToBeSigned(
            request.request,
            x509.new_serial(),
            request.not_before,
            min(self._end(request), issuer.not_after),
            requested_key(request.csr)[1],
        )
        return x509.sign(tbs, issuer, KeySigner(ca.key))

    def _end(self, request: IssueRequest | AuthorityOrder) -> datetime:
        life = self.desk.life
        return (
            request.not_after if life is None else min(request.not_after, request.not_before + life)
        )

    def _call(self, verb: str) -> None:
        with self.desk.lock:  # advice is asked for side by side
            self.desk.calls[verb] += 1
            failure = self.desk.failures.pop(0) if self.desk.failures else None
        if failure is not None:
            raise failure
