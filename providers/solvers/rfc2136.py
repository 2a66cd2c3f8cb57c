"""TXT records by dynamic update (RFC 2136), signed with TSIG (RFC 8945)."""

import base64
import binascii
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Self

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.rdataclass
import dns.rdatatype
import dns.rdtypes.ANY.TXT
import dns.tsig
import dns.update

from providers.calls import Calls
from providers.errors import Ambiguous, Conflict, NotFound, ProviderError, Rejected
from providers.issuing import no_secrets
from providers.secret import Secret
from providers.solvers.nameservers import (
    TIMEOUT,
    Address,
    addresses,
    ask,
    check_code,
    explain,
    question,
    texts,
)
from providers.solving import SolverConfig, TxtRecord
from schemas.secrets import SecretReference
from schemas.solvers import Rfc2136

TTL = 60
"""Seconds that others may remember a value."""
_PATIENCE = 15.0


@dataclass
class Rfc2136Solver:
    """One name server. `sleep` takes seconds; `timeout` is how many one answer may take."""

    settings: Rfc2136
    secret: Callable[[SecretReference], Secret] = no_secrets
    sleep: Callable[[float], None] = time.sleep
    timeout: float = TIMEOUT
    calls: Calls = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self.calls = Calls(self._explain, patience=_PATIENCE, sleep=self.sleep)

    @classmethod
    def from_config(cls, config: SolverConfig, /) -> Self:
        """Make the solver; reads nothing and connects nowhere."""
        return cls(config.of(Rfc2136), config.secret)

    def present(self, record: TxtRecord, /) -> None:
        """Add a value to a name; `Conflict` where a CNAME stands there, which shuts out all else."""
        session = self._session()
        self._change(session, record, there=True)
        if dns.rdatatype.CNAME in _kinds(self._answer(session, record)):
            said = f"{record.name} is a CNAME, so it takes no TXT record: write `cnameStrategy: Follow`"
            raise Conflict(said)

    def clean_up(self, record: TxtRecord, /) -> None:
        """Delete a value, and nothing else."""
        self._change(self._session(), record, there=False)

    def _session(self) -> "_Session":
        return _Session(addresses(self.settings.nameserver)[0], self._key(), self.timeout)

    def _key(self) -> dns.tsig.Key:
        reference = self.settings.tsig_secret_ref
        try:
            secret = base64.b64decode(self.secret(reference).reveal().strip(), validate=True)
        except (binascii.Error, ValueError):
            # raised below, so that what was read is not its context
            secret = b""
        if not secret:
            raise Rejected(f"{reference.name}: {reference.key} is not base64, as a TSIG secret is")
        try:
            return dns.tsig.Key(
                self.settings.tsig_key_name, secret, f"{self.settings.tsig_algorithm.value}."
            )
        except dns.exception.DNSException:
            raise Rejected(f"{self.settings.tsig_key_name} is no name of a TSIG key") from None

    def _change(self, session: "_Session", record: TxtRecord, *, there: bool) -> None:
        """Send an update. One whose answer was lost is read back, and sent once more by TCP if need be."""
        zone = self.calls.read(lambda: session.zone(record.name))
        update = partial(session.update, zone, record, there=there)
        try:
            self.calls.change(partial(update, tcp=False))
        except Ambiguous:
            if self._holds(session, record) is not there:
                self._insist(session, record, partial(update, tcp=True), there=there)

    def _insist(
        self, session: "_Session", record: TxtRecord, update: Callable[[], None], *, there: bool
    ) -> None:
        try:
            self.calls.change(update)
        except Ambiguous:
            if self._holds(session, record) is not there:
                raise

    def _holds(self, session: "_Session", record: TxtRecord) -> bool:
        return record.value.encode() in texts(self._answer(session, record))

    def _answer(self, session: "_Session", record: TxtRecord) -> dns.message.Message:
        return self.calls.read(lambda: session.ask(record.name, "TXT"))

    def _explain(self, error: Exception) -> ProviderError | None:
        return explain(error, self.settings.nameserver)


@dataclass(frozen=True, slots=True)
class _Session:
    """One name server and what is signed with for it."""

    address: Address
    key: dns.tsig.Key = field(repr=False)
    timeout: float

    def ask(self, name: str, kind: str) -> dns.message.Message:
        """Ask a question; it is not signed, since one that keeps no such zone may not sign its answer."""
        return ask(self.address, question(name, kind), self.timeout)

    def zone(self, name: str) -> dns.name.Name:
        """Return the zone that a name is in, by the SOA records that the server itself knows."""
        below = dns.name.from_text(name)
        while len(below) > 1:
            answer = self.ask(below.to_text(), "SOA")
            for rrset in (*answer.answer, *answer.authority):
                if rrset.rdtype == dns.rdatatype.SOA and below.is_subdomain(rrset.name):
                    return rrset.name
            cut = [r.name for r in answer.authority if r.rdtype == dns.rdatatype.NS]
            if cut and not answer.flags & dns.flags.AA:
                said = f"{self.address} leaves {cut[0].to_text(omit_final_dot=True)} to other name servers"
                raise NotFound(said)
            below = below.parent()
        raise NotFound(f"{self.address} keeps no zone that {name} is in")

    def update(self, zone: dns.name.Name, record: TxtRecord, *, there: bool, tcp: bool) -> None:
        """Add or delete one value, and let every other be."""
        name = dns.name.from_text(record.name)
        value = dns.rdtypes.ANY.TXT.TXT(
            dns.rdataclass.IN, dns.rdatatype.TXT, [record.value.encode()]
        )
        message = dns.update.UpdateMessage(zone, keyring=self.key, keyalgorithm=self.key.algorithm)
        if there:
            message.add(name, TTL, value)
        else:
            message.delete(name, value)
        answer = ask(self.address, message, self.timeout, tcp=tcp)
        who, where = str(self.address), zone.to_text(omit_final_dot=True)
        check_code(answer, who, f"an update of {where}")
        if not answer.had_tsig:
            raise Ambiguous(f"{who} answers an update of {where} without a signature")


def _kinds(answer: dns.message.Message) -> set[dns.rdatatype.RdataType]:
    return {rrset.rdtype for rrset in answer.answer}
