"""Where the TXT record of a name goes (RFC 8555 section 8.4), and where a CNAME sends it instead."""

from collections.abc import Callable

from providers.errors import Conflict
from providers.solvers.lookups import Lookups
from providers.solving import TxtRecord
from schemas.solvers import CnameStrategy, Dns01

LONGEST = 10
"""CNAMEs that are followed, one after the other."""


def challenge_name(name: str) -> str:
    """Return `_acme-challenge.NAME`; a wildcard is proved by the name it stands below."""
    return f"_acme-challenge.{name.removeprefix('*.')}"


def record_for(name: str, value: str, dns01: Dns01) -> TxtRecord:
    """Return the record that proves a name: at the name, or where its CNAMEs lead, if they are followed."""
    where = challenge_name(name)
    if dns01.cname_strategy is CnameStrategy.FOLLOW:
        where = followed(where, Lookups(dns01.propagation.nameservers).cname)
    return TxtRecord(where, value)


def followed(name: str, cname: Callable[[str], str | None]) -> str:
    """Return where CNAMEs lead from a name; `Conflict` where they lead nowhere. `cname` looks one up."""
    seen = [name]
    while (target := cname(seen[-1])) is not None:
        if target in seen:
            raise Conflict(f"the CNAMEs of {name} go in a circle: {' -> '.join((*seen, target))}")
        seen.append(target)
        if len(seen) > LONGEST + 1:
            raise Conflict(f"more than {LONGEST} CNAMEs follow from {name}: {' -> '.join(seen)}")
    return seen[-1]
