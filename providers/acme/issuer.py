"""Certificates by ACME (RFC 8555): ordered once, proved, finalized once, and found again by the order's URL.

The order's URL is made durable before a challenge is answered and before anything is finalized, so that
a run that dies leaves no certificate that nobody knows of.
"""

import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cached_property, partial
from typing import ClassVar, Self

from providers.acme import accounts, advice, orders, revocation
from providers.acme.answers import Status
from providers.acme.challenges import Prover
from providers.acme.errors import describe, explain
from providers.acme.network import Network, Signer
from providers.acme.orders import Order, Orders
from providers.acme.proofs import Proofs
from providers.acme.transport import Transport, tls_context
from providers.acme.waiting import PATIENCE, Waiting
from providers.calls import Calls
from providers.errors import Denied, NotFound, Rejected
from providers.failpoints import reach
from providers.issuing import (
    Advice,
    Issued,
    IssuerConfig,
    IssueRequest,
    Pending,
    RevokeRequest,
    no_secrets,
)
from providers.secret import Secret
from schemas.acme import Acme
from schemas.issuer import ACME
from schemas.secrets import SecretReference

ADVICE_PATIENCE = 10.0
"""Seconds that a CA is asked for advice, which may as well be asked for later."""
SLOW, BRIEF = 3, 2.0
"""After so many orders in a row that a CA did not finish, the others are waited for so many seconds."""


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass
class AcmeIssuer:
    """One account at one CA, for one run. `sleep` takes seconds, as `ticks` gives them."""

    honours: ClassVar[frozenset[str]] = ACME.honours

    settings: Acme
    secret: Callable[[SecretReference], Secret] = no_secrets
    anchors: bytes | None = field(default=None, repr=False)
    patience: float = PATIENCE
    sleep: Callable[[float], None] = time.sleep
    ticks: Callable[[], float] = time.monotonic
    clock: Callable[[], datetime] = _now
    _opened: dict[SecretReference, Secret] = field(default_factory=dict, init=False, repr=False)
    _unfinished: int = field(default=0, init=False)
    """How many orders in a row the CA did not finish while it was waited for."""

    @classmethod
    def from_config(cls, config: IssuerConfig, /) -> Self:
        """Make the issuer; reads nothing and connects nowhere."""
        settings = config.spec.acme
        if settings is None:
            raise TypeError(config.spec.kind)
        anchors = config.files.get(settings.ca_bundle) if settings.ca_bundle else None
        return cls(settings, config.secret, anchors)

    def issue(self, request: IssueRequest, /) -> Issued | Pending:
        """Order a certificate, or go on with the order, and wait for it a little while.

        Of a CA that did not finish one in its time three times in a row hardly anything is waited for any
        more: others have to be served in the same run.
        """
        answer = self._answered(request)
        self._unfinished = self._unfinished + 1 if isinstance(answer, Pending) else 0
        return answer

    def _answered(self, request: IssueRequest) -> Issued | Pending:
        desk = self._orders
        if request.resume is not None:
            order = desk.resume(request.resume, request.request)
            waiting = self._waiting(request, order)
            self._prover.tidy(order.body.authorizations, orders.names(request.request), waiting)
        else:
            order = desk.place(request)
            reach("acme.ordered")
        request.checkpoint(order.url)
        reach("acme.noted")
        if order.status is Status.PENDING:
            order = self._proved(order, request)
        if order.status is Status.READY:
            reach("acme.ready")
            order = desk.finalize(order, request.csr)
        order = self._settled(order, Status.PROCESSING, self._waiting(request, order))
        return self._outcome(order, request)

    def revoke(self, request: RevokeRequest, /) -> None:
        """Revoke a certificate; one that is revoked already is no error."""
        revocation.revoke(self._network, lambda: self._account, request)

    def advise(self, certificate: bytes, /) -> Advice | None:
        """Ask when a certificate should be renewed, as nobody in particular; no account is needed."""
        return advice.advise(self._network, self._hasty, certificate, self.clock())

    def _proved(self, order: Order, request: IssueRequest) -> Order:
        """Prove the names, and return the order as it stands then."""
        waiting = self._waiting(request, order)
        self._prover.prove(order.body.authorizations, orders.names(request.request), waiting)
        return self._settled(self._orders.read(order.url), Status.PENDING, waiting)

    def _settled(self, order: Order, passing: Status, waiting: Waiting) -> Order:
        """Return an order once it has left a state, or when it was waited for long enough."""
        while order.status is passing and waiting.pause(order.wait):
            order = self._orders.read(order.url)
        return order

    def _outcome(self, order: Order, request: IssueRequest) -> Issued | Pending:
        if order.status is Status.VALID:
            reach("acme.valid")
            issued = self._orders.download(order, self.settings.preferred_chain)
            return replace(issued, remarks=(*issued.remarks, *self._prover.proofs.leftovers()))
        if order.status in (Status.PENDING, Status.READY, Status.PROCESSING):
            return Pending(order.url, f"the CA's order is {order.status}")
        with suppress(NotFound, Denied):  # the names say best why, as long as the CA keeps them
            self._prover.check(order.body.authorizations, orders.names(request.request))
        said = describe(order.body.error) if order.body.error else "the CA does not say why"
        raise Rejected(f"the CA's order is {order.status}: {said}")

    def _waiting(self, request: IssueRequest, order: Order) -> Waiting:
        alive = partial(request.checkpoint, order.url)
        slow = self._unfinished >= SLOW
        return Waiting(
            min(self.patience, BRIEF) if slow else self.patience, self.ticks, self.sleep, alive
        )

    def _open(self, reference: SecretReference) -> Secret:
        """Open a secret, once a run: a solver asks for its own with every record."""
        if reference not in self._opened:
            self._opened[reference] = self.secret(reference)
        return self._opened[reference]

    @cached_property
    def _network(self) -> Network:
        context = tls_context(self.anchors, self.settings.ca_bundle)
        return Network(self.settings.server, Transport(context), self.sleep)

    @cached_property
    def _hasty(self) -> Calls:
        return Calls(explain, patience=ADVICE_PATIENCE, sleep=self.sleep)

    @cached_property
    def _account(self) -> Signer:
        """The account, opened once a run and only when it is needed."""
        return accounts.log_in(self._network, self.settings, self._open)

    @cached_property
    def _orders(self) -> Orders:
        return Orders(self._network, self._account, self.settings.profile)

    @cached_property
    def _prover(self) -> Prover:
        made = Proofs(self._account.key, self.settings.choice, self._open)
        return Prover(self._network, self._account, made)
