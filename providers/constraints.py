"""Name constraints in our one meaning: a domain stands for itself and everything below it.

Verifiers differ about leading dots, about a common name that looks like a host and about kinds that
are not mentioned, so what certform issues is checked here as well, by one rule for DNS names, URI
hosts and e-mail domains. Where anything is permitted, a kind with no permitted entry is shut.
"""

import ipaddress
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Protocol

from schemas.authority import NameConstraints, NameForms
from schemas.scalars import uri_host

_HOST = re.compile(r"(?:\*\.)?[a-z0-9_-]+(?:\.[a-z0-9_-]+)+", re.IGNORECASE)


class Named(Protocol):
    """Anything that carries the names of a leaf certificate."""

    @property
    def common_name(self) -> str | None:
        """The subject's common name."""
        ...

    @property
    def dns_names(self) -> tuple[str, ...]:
        """DNS names, a leading wildcard label allowed."""
        ...

    @property
    def ip_addresses(self) -> tuple[str, ...]:
        """IPv4 and IPv6 addresses."""
        ...

    @property
    def uris(self) -> tuple[str, ...]:
        """Absolute URIs with a host."""
        ...

    @property
    def email_addresses(self) -> tuple[str, ...]:
        """E-mail addresses."""
        ...


@dataclass(frozen=True, slots=True)
class Form:
    """One name, and what a constraint of its kind looks at: a host, or an address."""

    kind: str
    name: str
    subject: str


def forms(named: Named) -> Iterator[Form]:
    """Yield every name as constraints see it; a common name that is a host counts as one."""
    for name in named.dns_names:
        yield Form("DNS name", name, name)
    for address in named.ip_addresses:
        yield Form("IP address", address, address)
    for uri in named.uris:
        yield Form("URI", uri, uri_host(uri) or "")
    for email in named.email_addresses:
        yield Form("e-mail address", email, email.rpartition("@")[2].lower())
    if named.common_name is not None and named.common_name not in named.dns_names:
        yield from _common_name(named.common_name)


def _common_name(name: str) -> Iterator[Form]:
    if is_address(name):
        yield Form("IP address", name, name)
    elif _HOST.fullmatch(name):
        yield Form("DNS name", name, name.lower())


def violations(named: Named, constraints: NameConstraints) -> tuple[str, ...]:
    """Return a sentence for every name that a CA with these constraints may not issue for."""
    return tuple(filter(None, (violation(form, constraints) for form in forms(named))))


def violation(form: Form, constraints: NameConstraints) -> str | None:
    """Return why one name may not be issued, None when it may."""
    permitted, excluded = constraints.permitted, constraints.excluded
    said = f"the {form.kind} {form.name}"
    if touches(form, entries(excluded, form.kind)):
        return f"{said} is in what is excluded"
    if not covers(form, entries(permitted, form.kind)) and not is_open(permitted):
        return f"{said} is outside what is permitted"
    return None


def is_open(permitted: NameForms) -> bool:
    """Whether nothing is permitted by name, so that everything is."""
    return not any(entries(permitted, kind) for kind in _KINDS)


_KINDS = ("DNS name", "IP address", "URI", "e-mail address")


def entries(names: NameForms, kind: str) -> tuple[str, ...]:
    """Return the entries that speak of a kind of name."""
    match kind:
        case "DNS name":
            return names.dns_domains
        case "IP address":
            return names.ip_ranges
        case "URI":
            return names.uri_domains
        case _:
            return names.email_domains


def covers(form: Form, permitted: Iterable[str]) -> bool:
    """Whether some entry holds everything the name stands for."""
    if form.kind == "IP address":
        return _in_ranges(form.subject, permitted)
    host = form.subject.removeprefix("*.")
    return not is_address(host) and any(below(host, domain) for domain in permitted)


def touches(form: Form, excluded: Iterable[str]) -> bool:
    """Whether some entry holds anything the name stands for: a wildcard stands for one label."""
    if form.kind == "IP address":
        return _in_ranges(form.subject, excluded)
    host, wild = form.subject.removeprefix("*."), form.subject.startswith("*.")
    return any(
        below(host, domain) or (wild and domain.partition(".")[2] == host) for domain in excluded
    )


def below(host: str, domain: str) -> bool:
    """Whether a host is a domain or lies below it; both in lower case."""
    return host == domain or host.endswith("." + domain)


def is_address(host: str) -> bool:
    """Whether a host is an IP address; domains never hold one (RFC 5280 section 4.2.1.10)."""
    if not (host[-1:].isdigit() or ":" in host):
        return False
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _in_ranges(address: str, ranges: Iterable[str]) -> bool:
    ip = ipaddress.ip_address(address)
    return any(ip in ipaddress.ip_network(network) for network in ranges)


def widenings(child: NameConstraints, parent: NameConstraints) -> tuple[str, ...]:
    """Return a sentence for everything a CA would permit that its parent does not."""
    return tuple(
        f"the {kind} constraint {entry} is {problem}"
        for kind in _KINDS
        for entry in entries(child.permitted, kind)
        if (problem := _widening(kind, entry, parent))
    )


def _widening(kind: str, entry: str, parent: NameConstraints) -> str:
    inside = _inside_range if kind == "IP address" else below
    if any(inside(entry, domain) for domain in entries(parent.excluded, kind)):
        return "excluded by the parent"
    permitted = entries(parent.permitted, kind)
    if not is_open(parent.permitted) and not any(inside(entry, domain) for domain in permitted):
        return "outside what the parent permits"
    return ""


def _inside_range(inner: str, outer: str) -> bool:
    small, large = ipaddress.ip_network(inner), ipaddress.ip_network(outer)
    if isinstance(small, ipaddress.IPv4Network) and isinstance(large, ipaddress.IPv4Network):
        return small.subnet_of(large)
    if isinstance(small, ipaddress.IPv6Network) and isinstance(large, ipaddress.IPv6Network):
        return small.subnet_of(large)
    return False
