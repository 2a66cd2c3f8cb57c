"""A CA in memory that keeps limits as a public one does, and proves names: the desk of `token_buckets`.

It has orders with addresses and no tokens, as ACME has: what is ordered twice is two orders.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import ClassVar

from fleet import Fleet
from token_buckets import Buckets

from providers import x509
from providers.errors import Throttled, Transient, Unproved
from providers.issuing import Issued, Issuer, IssuerConfig, IssueRequest, Pending
from providers.signer import KeySigner
from providers.specimens import Specimens
from providers.x509.signing_request import requested_key
from schemas.acme import Acme
from schemas.issuer import ACME, IssuerSpec
from schemas.quotas import IssuerQuotas
from schemas.secrets import SecretReference
from schemas.solvers import Http01, Solver, Standalone

SERVER = "https://acme-v02.api.letsencrypt.org/directory"


def acme(server: str = SERVER, quotas: IssuerQuotas | None = None) -> IssuerSpec:
    """An Issuer that nobody can really ask."""
    return IssuerSpec(
        acme=Acme(
            server=server,
            private_key_secret_ref=SecretReference(name="acme.sops.yaml", key="key"),
            quotas=quotas,
            solvers=(Solver(http01=Http01(standalone=Standalone())),),
        )
    )


@dataclass
class Placed:
    """One order: its names, and what became of it."""

    names: tuple[str, ...]
    exempt: bool
    failed: str = ""
    certificate: bytes | None = None


@dataclass
class LimitedCa:
    """The CA, whoever asks. `proves` tells whether a name is proved at a moment."""

    clock: Callable[[], datetime]
    ca: Specimens
    proves: Callable[[str, datetime], bool] = lambda _name, _now: True
    buckets: Buckets = field(default_factory=Buckets)
    down: bool = False
    orders: dict[str, Placed] = field(default_factory=dict)
    asked: list[tuple[str, datetime]] = field(default_factory=list)
    """Every order that counts for an account, with its moment."""
    sold: list[tuple[str, datetime]] = field(default_factory=list)
    """Every certificate, by its set of names."""
    knocks: int = 0
    """How often somebody came while nobody was there."""
    replaced: set[bytes] = field(default_factory=set)

    def order(self, request: IssueRequest) -> str:
        """Take an order, or refuse it."""
        names, now = request.request.dns_names, self.clock()
        exempt = request.replaces is not None and request.replaces not in self.replaced
        if request.replaces is not None and not exempt:
            request.unreplaced()
        refusal = self.buckets.order(names, now, exempt=exempt)
        if refusal is not None:
            raise Throttled(refusal.why, refusal.retry_after)
        if exempt and request.replaces is not None:
            self.replaced.add(request.replaces)
        url = f"{SERVER}/order/{len(self.orders)}"
        self.orders[url] = Placed(names, exempt)
        if not exempt:
            self.asked.append(("", now))
        return url

    def fill(self, url: str, request: IssueRequest) -> bytes:
        """Prove the names of an order, and sell the certificate."""
        order, now = self.orders[url], self.clock()
        for name in order.names if order.certificate is None and not order.failed else ():
            if not self.proves(name, now):
                order.failed = name
                self.buckets.fail(name, now)
                self.replaced.discard(
                    request.replaces or b""
                )  # an order that failed replaces nothing
        if order.failed:
            raise Unproved(f"{order.failed} could not be proved", (order.failed,))
        if order.certificate is None:
            order.certificate = self._signed(request)
            self.buckets.issue(order.names, now, exempt=order.exempt)
            self.sold.append((" ".join(order.names), now))
        return order.certificate

    def _signed(self, request: IssueRequest) -> bytes:
        tbs = x509.ToBeSigned(
            request.request,
            x509.new_serial(),
            request.not_before,
            request.not_after,
            requested_key(request.csr)[1],
        )
        issuer = x509.IssuingAuthority.load(self.ca.intermediate, (self.ca.root,))
        return x509.sign(tbs, issuer, KeySigner(self.ca.key))


class LimitedIssuer:
    """The door of a `LimitedCa` for who has no wire."""

    honours: ClassVar[frozenset[str]] = ACME.honours

    def __init__(self, ca: LimitedCa) -> None:
        self.ca = ca

    @classmethod
    def from_config(cls, _config: IssuerConfig, /) -> "LimitedIssuer":
        raise NotImplementedError

    def issue(self, request: IssueRequest, /) -> Issued | Pending:
        """Order, make the order's address durable, then have it filled."""
        if self.ca.down:
            self.ca.knocks += 1
            raise Transient("the CA does not answer")
        url = request.resume or self.ca.order(request)
        request.checkpoint(url)
        certificate = self.ca.fill(url, request)
        return Issued(certificate, (self.ca.ca.intermediate,), (self.ca.ca.root,))


class LimitedFleet(Fleet):
    """A fleet whose Issuers are all doors of one CA with limits."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.ca = LimitedCa(self.clock, Specimens.make(self.now))
        self.door: type[LimitedIssuer] = LimitedIssuer

    def ask(self, config: IssuerConfig) -> Issuer:  # noqa: ARG002 - all Issuers are the same CA
        return self.door(self.ca)
