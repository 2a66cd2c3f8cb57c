"""The CA/Browser Forum's Baseline Requirements for TLS (v2.2.6), as data: what holds, and from which day on.

Sections 4.9.7, 4.9.10, 6.1.5, 6.3.2 and 7.1.2. A day is 86,400 seconds, and any second more is another day.
"""

import ipaddress
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from schemas.authority import OcspSettings
from schemas.certificate import Algorithm, Usage
from schemas.policy import Baseline
from schemas.request import KeyType
from schemas.scalars import format_duration

DAY = timedelta(days=1)
BEGINNING = datetime(1950, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Bound:
    """The longest life of what is issued from a moment on; a day less is what it should have at most."""

    since: datetime
    longest: timedelta

    @property
    def advised(self) -> timedelta:
        """The longest life that nobody can count a second too long."""
        return self.longest - DAY


SCHEDULE: dict[Baseline, tuple[Bound, ...]] = {
    Baseline.CABF_TLS: (
        Bound(BEGINNING, 398 * DAY),
        Bound(datetime(2026, 3, 15, tzinfo=UTC), 200 * DAY),
        Bound(datetime(2027, 3, 15, tzinfo=UTC), 100 * DAY),
        Bound(datetime(2029, 3, 15, tzinfo=UTC), 47 * DAY),
    )
}
"""Section 6.3.2, by ballot SC-081v3; the earliest first."""

SMALLEST_RSA = 2048
CURVES = frozenset({256, 384, 521})
USAGES = frozenset({Usage.SERVER_AUTH, Usage.CLIENT_AUTH})
REVERSE_ZONES = ("in-addr.arpa", "ip6.arpa")
_INTERNAL = (
    *(
        "alt",
        "corp",
        "example",
        "home",
        "home.arpa",
        "host",
        "internal",
        "intranet",
        "invalid",
        "lan",
    ),
    *("local", "localdomain", "localhost", "mail", "private", "test"),
)
"""Domains that no registry gives to anybody: RFC 2606, 6761, 6762, 8375, 9476, and what ICANN reserved."""

LONGEST_CRL = 10 * DAY
LONGEST_CRL_OF_CAS = 366 * DAY
CRL_EVERY = 4 * DAY
CRL_EVERY_WITH_OCSP = 7 * DAY
"""How often a CRL of leaves is signed anew; the latter where all of them can be asked about by OCSP."""
SHORTEST_OCSP, LONGEST_OCSP = timedelta(hours=8), 10 * DAY


def bound_at(baseline: Baseline, moment: datetime) -> Bound:
    """Return what holds for what is issued at a moment."""
    return [bound for bound in SCHEDULE[baseline] if bound.since <= moment][-1]


def bounds_after(baseline: Baseline, moment: datetime) -> tuple[Bound, ...]:
    """Return what will hold later, the earliest first."""
    return tuple(bound for bound in SCHEDULE[baseline] if bound.since > moment)


def days(life: timedelta) -> int:
    """Return how many days a life counts as: what has begun is one."""
    return -(-life // DAY)


def key_problem(key: KeyType) -> str:
    """Say why a key is none for public TLS (section 6.1.5); empty where it is one."""
    if key.algorithm is Algorithm.ECDSA and key.size in CURVES:
        return ""
    if key.algorithm is Algorithm.RSA and key.size >= SMALLEST_RSA and key.size % 8 == 0:
        return ""
    return f"{key} is none of RSA with 2048 bits or more, and ECDSA on P-256, P-384 or P-521"


def name_problem(kind: str, name: str) -> str:
    """Say why a name is none for public TLS (section 7.1.2.7.12); empty where it is one."""
    if kind == "IP address":
        return (
            "" if ipaddress.ip_address(name).is_global else "is reserved: nobody else can reach it"
        )
    if kind != "DNS name":
        return "is neither a DNS name nor an IP address"
    return _domain_problem(name.removeprefix("*."))


def _domain_problem(name: str) -> str:
    if any(is_below(name, zone) for zone in REVERSE_ZONES):
        return "is in a reverse zone"
    if "." not in name or any(is_below(name, domain) for domain in _INTERNAL):
        return "is an internal name: no registry knows it"
    if not re.fullmatch(r"[a-z0-9.-]+", name):
        return "has a label that is not of letters, digits and hyphens"
    return ""


def is_below(name: str, domain: str) -> bool:
    """Whether a name is a domain, or below it."""
    return name == domain or name.endswith(f".{domain}")


def usage_problem(usages: tuple[Usage, ...]) -> str:
    """Say why usages are none for public TLS (section 7.1.2.7.10); empty where they are."""
    if others := [usage for usage in usages if usage not in USAGES]:
        return f"the usage {others[0]} is none of server auth and client auth"
    return "" if Usage.SERVER_AUTH in usages else "the usage server auth is missing"


def crl_problems(life: timedelta, every: timedelta, *, ocsp: bool) -> Iterator[str]:
    """Yield what is wrong with the CRLs of a CA that issues leaves (section 4.9.7).

    `every` is how long after one the next is signed; `ocsp` whether all it issues can be asked about.
    """
    if life > LONGEST_CRL:
        yield f"{format_duration(life)} is longer than {format_duration(LONGEST_CRL)}"
    most = CRL_EVERY_WITH_OCSP if ocsp else CRL_EVERY
    if every > most:
        words = f"signed anew every {format_duration(every)}, not every {format_duration(most)}"
        yield f"{words}: set crl.refreshBefore"


def ocsp_problems(settings: OcspSettings) -> Iterator[str]:
    """Yield what is wrong with how long OCSP responses live, and are signed anew (section 4.9.10)."""
    life = settings.duration
    early = settings.refresh_before or life / 2
    if not SHORTEST_OCSP <= life <= LONGEST_OCSP:
        yield f"{format_duration(life)} is not between 8h and 10d"
    elif life < 2 * SHORTEST_OCSP and early < life / 2:
        yield "responses that live for less than 16h are signed anew at half of it"
    elif life >= 2 * SHORTEST_OCSP and (early < SHORTEST_OCSP or life - early > CRL_EVERY):
        yield "responses are signed anew 8h before they end, and within 4d"
