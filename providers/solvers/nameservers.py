"""Name servers: where they are, one question asked of one of them, and what went wrong with it."""

import ipaddress
import socket
from dataclasses import dataclass

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.query
import dns.rcode
import dns.rdatatype
import dns.tsig

from providers.errors import Ambiguous, Denied, NotFound, ProviderError, Rejected, Transient

TIMEOUT = 5.0
"""Seconds that one question may take."""
PORT = 53


@dataclass(frozen=True, slots=True)
class Address:
    """Where a name server listens."""

    host: str
    port: int = PORT

    def __str__(self) -> str:
        if self.port == PORT:
            return self.host
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def addresses(written: str) -> tuple[Address, ...]:
    """Return every address of a name server that is written `HOST:PORT`; raises `NotFound` for none."""
    host, _, port = written.rpartition(":")
    host = host.strip("[]")
    try:
        return (Address(str(ipaddress.ip_address(host)), int(port)),)
    except ValueError:
        pass
    try:
        found = socket.getaddrinfo(host, int(port), type=socket.SOCK_DGRAM)
    except OSError:
        raise NotFound(f"the name server {host} has no address here") from None
    return tuple(dict.fromkeys(Address(str(place[0]), int(port)) for *_, place in found))


def ask(
    address: Address, message: dns.message.Message, timeout: float = TIMEOUT, *, tcp: bool = False
) -> dns.message.Message:
    """Send a message by UDP, and by TCP where the answer does not fit or `tcp` says so.

    Raises what `explain` explains.
    """
    if tcp:
        return dns.query.tcp(message, address.host, timeout, address.port)
    answer, _ = dns.query.udp_with_fallback(
        message, address.host, timeout, address.port, ignore_unexpected=True
    )
    return answer


def question(name: str, kind: str, *, recursive: bool = False) -> dns.message.QueryMessage:
    """Return a question; without `recursive` it is for a server that knows by itself."""
    made = dns.message.make_query(dns.name.from_text(name), kind, use_edns=0, payload=1232)
    if not recursive:
        made.flags &= ~dns.flags.RD
    return made


def texts(answer: dns.message.Message) -> set[bytes]:
    """Return the values of the TXT records in an answer, whatever they are split into."""
    records = (each for each in answer.answer if each.rdtype == dns.rdatatype.TXT)
    return {b"".join(value.strings) for rrset in records for value in rrset}


_KEYS: dict[type[Exception], str] = {
    dns.tsig.PeerBadKey: "does not know the TSIG key, or gives it no right to this",
    dns.tsig.PeerBadSignature: "has another secret for the TSIG key",
    dns.tsig.PeerBadTime: "has a clock that differs from ours by more than five minutes",
    dns.tsig.PeerBadTruncation: "wants longer signatures",
    dns.tsig.PeerError: "does not accept the signature",
    dns.tsig.BadSignature: "signs with another secret than ours",
    dns.tsig.BadTime: "has a clock that differs from ours by more than five minutes",
    dns.tsig.BadKey: "signs with another key than ours",
    dns.tsig.BadAlgorithm: "signs with another algorithm than ours",
    dns.message.UnknownTSIGKey: "signs with another key than ours",
}


def explain(error: Exception, who: str) -> ProviderError | None:
    """Return what an exception of dnspython or of the network means; `who` is the server asked."""
    if (
        wrong := next((_KEYS[kind] for kind in type(error).mro() if kind in _KEYS), None)
    ) is not None:
        return Denied(f"{who} {wrong}")
    if isinstance(error, dns.exception.Timeout):
        return Ambiguous(f"{who} gave no answer in time")
    if isinstance(error, ConnectionRefusedError):
        return Transient(f"nothing answers at {who}")
    if isinstance(error, dns.exception.FormError):
        return Ambiguous(f"{who} gave an answer that is malformed, or not signed as it must be")
    if isinstance(error, dns.exception.DNSException | EOFError):
        return Ambiguous(f"{who} gave an answer that makes no sense: {type(error).__name__}")
    if isinstance(error, OSError):
        return Ambiguous(f"{who} cannot be spoken to: {error.strerror or type(error).__name__}")
    return None


def check_code(answer: dns.message.Message, who: str, what: str) -> None:
    """Raise for an answer that says no; `what` is what was asked for, after the server's name."""
    code = answer.rcode()
    said = f"{who} answers {dns.rcode.to_text(code)} to {what}"
    if code == dns.rcode.NOERROR:
        return
    if code == dns.rcode.REFUSED:
        raise Denied(said)
    if code in (dns.rcode.NOTAUTH, dns.rcode.NOTZONE):
        raise NotFound(said)
    if code == dns.rcode.SERVFAIL:
        raise Ambiguous(said)
    raise Rejected(said)
