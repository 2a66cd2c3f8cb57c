"""Questions of a solver to DNS: CNAMEs, the zone a name is in, and who answers for that zone."""

from collections.abc import Iterable
from dataclasses import dataclass

import dns.exception
import dns.name
import dns.nameserver
import dns.resolver

from providers.errors import NotFound, Unreachable
from providers.solvers.nameservers import PORT, TIMEOUT, Address, addresses


@dataclass(frozen=True, slots=True)
class Server:
    """A name server: what it is called, and each of its addresses."""

    name: str
    addresses: tuple[Address, ...]


@dataclass(frozen=True, slots=True)
class Lookups:
    """Asks the name servers given (`HOST:PORT`), or this system's resolver.

    `port` is that of a zone's own name servers, `timeout` the seconds that one answer may take.
    """

    nameservers: tuple[str, ...] = ()
    port: int = PORT
    timeout: float = TIMEOUT

    def cname(self, name: str) -> str | None:
        """Return what a name is a CNAME for, None where it is none."""
        answer = self._resolve(name, "CNAME")
        targets = () if answer is None else answer.rrset or ()
        return next((_plain(rdata.target) for rdata in targets), None)

    def authoritative(self, name: str) -> tuple[Server, ...]:
        """Return the name servers of the zone that a name is in, with their addresses."""
        below = dns.name.from_text(name)
        while len(below) > 1:
            answer = self._resolve(below.to_text(), "NS")
            if answer is not None and answer.rrset is not None:
                return self._servers(_plain(rdata.target) for rdata in answer.rrset)
            below = below.parent()
        raise NotFound(f"no zone is known that {name} is in")

    def _servers(self, names: Iterable[str]) -> tuple[Server, ...]:
        """Return those that have an address: nobody else asks the others, either."""
        all_named = tuple(sorted(names))
        found = (Server(name, self._addresses(name)) for name in all_named)
        servers = tuple(server for server in found if server.addresses)
        if not servers:
            raise NotFound(f"no name server has an address: {', '.join(all_named)}")
        return servers

    def _addresses(self, name: str) -> tuple[Address, ...]:
        return tuple(
            Address(rdata.address, self.port)
            for kind in ("A", "AAAA")
            if (answer := self._resolve(name, kind)) is not None
            for rdata in answer.rrset or ()
        )

    def _resolve(self, name: str, kind: str) -> dns.resolver.Answer | None:
        """Look something up; None where there is no such name, or nothing of that kind."""
        try:
            return self._resolver().resolve(
                f"{name.rstrip('.')}.", kind, raise_on_no_answer=False, search=False
            )
        except dns.resolver.NXDOMAIN:
            return None
        except dns.exception.DNSException as error:
            who = ", ".join(self.nameservers) or "this system's resolver"
            said = f"{who} did not answer for the {kind} of {name.rstrip('.')}: {_reason(error)}"
        raise Unreachable(said)

    def _resolver(self) -> dns.resolver.Resolver:
        resolver = dns.resolver.Resolver(configure=not self.nameservers)
        if self.nameservers:
            resolver.nameservers = [
                dns.nameserver.Do53Nameserver(address.host, address.port)
                for written in self.nameservers
                for address in addresses(written)
            ]
        resolver.timeout, resolver.lifetime = self.timeout, 3 * self.timeout
        return resolver


def _plain(name: dns.name.Name) -> str:
    return name.to_text(omit_final_dot=True).lower()


def _reason(error: dns.exception.DNSException) -> str:
    return (type(error).__doc__ or type(error).__name__).strip().splitlines()[0].rstrip(".")
