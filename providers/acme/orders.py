"""Orders (RFC 8555 section 7.4): placed, read by their address, finalized once, and downloaded."""

from contextlib import suppress
from dataclasses import dataclass
from ipaddress import ip_address

from acme import messages
from cryptography.x509 import load_der_x509_csr
from josepy.json_util import field as json_field

from providers.acme import answers, chains
from providers.acme.advice import certificate_id
from providers.acme.answers import OrderBody, Status
from providers.acme.errors import LONGEST, OrderNotReady, Unauthorized, retry_after
from providers.acme.network import Network, Signer
from providers.acme.transport import Answer
from providers.errors import Ambiguous, Conflict, Denied, NotFound, ProviderError, Rejected
from providers.failpoints import reach
from providers.issuing import Issued, IssueRequest
from providers.words import printable
from schemas.request import LeafRequest


class NewOrder(messages.NewOrder):
    """An order; `replaces` names the certificate that it takes the place of (RFC 9773 section 5)."""

    replaces: str | None = json_field("replaces", omitempty=True)


@dataclass(frozen=True, slots=True)
class Order:
    """An order as it stands; `wait` are the seconds until the CA wants to be asked again."""

    url: str
    body: OrderBody
    wait: float | None = None

    @property
    def status(self) -> Status:
        """How it stands with it."""
        return self.body.status


@dataclass(frozen=True, slots=True)
class Orders:
    """The orders of one account."""

    network: Network
    signer: Signer
    profile: str | None = None

    def place(self, request: IssueRequest) -> Order:
        """Order. An order is no certificate, so one whose answer is lost is placed once more."""
        check_profile(self.network, self.profile)
        answer = self._taking_over(request) or self._ask(request.request)
        placed = _read(answer.headers.get("Location", ""), answer)
        self.network.own(placed.url)  # before it is written down, to be read again and again
        return checked(placed, request.request)

    def _taking_over(self, request: IssueRequest) -> Answer | None:
        """Order what takes the place of another; None where the CA does not let it."""
        if request.replaces is None:
            return None
        advises = self.network.directory.renewal_info is not None
        if advises and (replaced := certificate_id(request.replaces)):
            # refused where it is replaced already, or unknown to this CA: then it is an order like others
            with suppress(Rejected, Denied, NotFound, Conflict):
                return self._ask(request.request, replaced)
        request.unreplaced()
        return None

    def _ask(self, request: LeafRequest, replaces: str | None = None) -> Answer:
        wanted = NewOrder(
            identifiers=_identifiers(request), profile=self.profile, replaces=replaces
        )
        url = self.network.directory.new_order
        try:
            return self.network.change(url, wanted, self.signer)
        except Ambiguous:
            return self.network.change(url, wanted, self.signer)

    def resume(self, url: str, request: LeafRequest) -> Order:
        """Read an order of before; `NotFound` where it is gone, or another account's."""
        try:
            return checked(self.read(url), request)
        except Unauthorized as why:
            raise NotFound(f"the order is not this account's: {why}") from None

    def read(self, url: str) -> Order:
        """Read an order."""
        return _read(url, self.network.read(url, self.signer))

    def finalize(self, order: Order, csr: bytes) -> Order:
        """Ask for the certificate. Whatever became of that is read back, and it is never asked for again."""
        wanted = messages.CertificateRequest(csr=load_der_x509_csr(csr))
        try:
            answer = self.network.change(order.body.finalize, wanted, self.signer)
        except (OrderNotReady, Ambiguous) as why:
            return self._read_back(order, why)
        except Unauthorized as why:  # the account may, or it could not have read the order
            raise Rejected(str(why)) from None
        reach("acme.finalized")
        return _read(order.url, answer)

    def _read_back(self, order: Order, why: ProviderError) -> Order:
        there = self.read(order.url)
        if there.status is Status.READY:
            raise Ambiguous(f"{why}; the next run looks at the order") from None
        return there

    def download(self, order: Order, preferred: str | None) -> Issued:
        """Return the certificate of a valid order, with the chain that is preferred."""
        if order.body.certificate is None:
            raise Rejected("the CA calls the order valid and names no certificate")
        issued = chains.download(self.network, self.signer, order.body.certificate, preferred)
        reach("acme.downloaded")
        return issued


def names(request: LeafRequest) -> frozenset[str]:
    """Return the names to prove; the common name is one of them."""
    return frozenset(normal(name) for name in (*request.dns_names, *request.ip_addresses))


def normal(name: str) -> str:
    """Return a name in the one way of writing it."""
    try:
        return str(ip_address(name))
    except ValueError:
        return name.lower()


def _identifiers(request: LeafRequest) -> tuple[messages.Identifier, ...]:
    addresses = {normal(address) for address in request.ip_addresses}
    return tuple(
        messages.Identifier(
            typ=messages.IDENTIFIER_IP if name in addresses else messages.IDENTIFIER_FQDN,
            value=name,
        )
        for name in sorted(names(request))
    )


def check_profile(network: Network, profile: str | None) -> None:
    """Raise `Rejected` for a profile that the CA does not offer."""
    offered = network.directory.meta.profiles
    if profile is None or profile in offered:
        return
    if not offered:
        raise Rejected(f"the CA offers no profiles: take `profile: {profile}` out of the Issuer")
    known = printable(", ".join(sorted(offered)), LONGEST)
    raise Rejected(f"the CA offers no profile {profile}, but {known}")


_MOST_PROOFS = 2
"""Authorizations for each name: the CA decides how many it wants, and each is read."""


def _read(url: str, answer: Answer) -> Order:
    if not url.startswith("https://") or len(url) > answers.LONGEST_URL or not url.isprintable():
        raise Conflict("the CA does not say what the order is called (RFC 8555 section 7.4)")
    body = answers.read(OrderBody, answer.body, "order")
    return Order(url, body, retry_after(answer.headers))


def checked(order: Order, request: LeafRequest) -> Order:
    """Return an order that is for the names asked for; raises `Rejected` for one that is not."""
    if {normal(identifier.value) for identifier in order.body.identifiers} != names(request):
        raise Rejected("the CA's order is for other names than were asked for")
    if len(order.body.authorizations) > _MOST_PROOFS * len(names(request)):
        raise Rejected("the CA wants more names proved than were asked for")
    return order
