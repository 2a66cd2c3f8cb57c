"""Waiting until a TXT record is answered wherever a CA may look for it.

A CA asks any of a zone's name servers, from several places, and one that has the record not yet is a
failed proof: so all of them are asked first, past every cache.
"""

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

import dns.exception
import dns.message
import dns.rdatatype

from providers.errors import Transient
from providers.solvers.lookups import Lookups, Server
from providers.solvers.nameservers import Address, addresses, ask, question, texts
from providers.solving import TxtRecord
from schemas.scalars import format_duration
from schemas.solvers import Propagation

_FIRST, _LONGEST = 0.5, 10.0
"""Seconds of the first pause between two rounds, and of the longest; each is twice the one before."""
_TIMEOUT = 3.0


@dataclass
class PropagationWait:
    """Waits for records. `sleep` takes seconds, as `clock` gives them; `lookups` find a zone's servers."""

    settings: Propagation
    sleep: Callable[[float], None] = time.sleep
    clock: Callable[[], float] = time.monotonic
    lookups: Lookups = field(default_factory=Lookups)

    def until_answered(self, records: Iterable[TxtRecord]) -> None:
        """Return once every server answers every record.

        Raises `Transient`, which says what is missing where, after a while, and `NotFound` without servers.
        """
        end = self.clock() + self.settings.timeout.total_seconds()
        waiting = [(server, record) for record in records for server in self._servers(record.name)]
        pause = _FIRST
        while lacking := self._round(waiting):
            left = end - self.clock()
            if left <= 0:
                raise Transient(self._told([found for *_, found in lacking]))
            self.sleep(min(pause, left))
            pause = min(2 * pause, _LONGEST)
            waiting = [(server, record) for server, record, _ in lacking]

    def _servers(self, name: str) -> Sequence[Server]:
        if self.settings.nameservers:
            return [Server(written, addresses(written)) for written in self.settings.nameservers]
        return self.lookups.authoritative(name)

    def _round(
        self, waiting: Iterable[tuple[Server, TxtRecord]]
    ) -> list[tuple[Server, TxtRecord, str]]:
        """Ask once for each record; one that does not answer is not asked again in this round."""
        silent: set[Address] = set()
        recursive = bool(self.settings.nameservers)
        found = ((s, r, _lack(s, r, silent, recursive=recursive)) for s, r in waiting)
        return [(server, record, lack) for server, record, lack in found if lack is not None]

    def _told(self, lacks: Sequence[str]) -> str:
        more = f" (and {len(lacks) - 3} more)" if len(lacks) > 3 else ""
        waited = format_duration(self.settings.timeout)
        return f"not answered everywhere after {waited}: {'; '.join(lacks[:3])}{more}"


def _lack(
    server: Server, record: TxtRecord, silent: set[Address], *, recursive: bool
) -> str | None:
    """Return what a server lacks of a record, None where each address of it that answers has it."""
    answers = [_answer(a, record, silent, recursive=recursive) for a in server.addresses]
    given = [answer for answer in answers if answer is not None]
    if not given:
        return f"{server.name} gives no answer"
    return next((lack for answer in given if (lack := _missing(server, record, answer))), None)


def _answer(
    address: Address, record: TxtRecord, silent: set[Address], *, recursive: bool
) -> dns.message.Message | None:
    if address in silent:
        return None
    try:
        return ask(address, question(record.name, "TXT", recursive=recursive), _TIMEOUT)
    except (dns.exception.DNSException, OSError, EOFError):
        silent.add(address)
        return None


def _missing(server: Server, record: TxtRecord, answer: dns.message.Message) -> str | None:
    if record.value.encode() in texts(answer):
        return None
    aliases = [rrset for rrset in answer.answer if rrset.rdtype == dns.rdatatype.CNAME]
    hint = " (it is a CNAME: write `cnameStrategy: Follow`)" if aliases else ""
    return f"{server.name} does not have it at {record.name}{hint}"
