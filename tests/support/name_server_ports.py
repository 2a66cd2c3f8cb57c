"""What a name server of this host answers, on whatever port."""

import time
from collections.abc import Callable

import dns.exception
import dns.message
import dns.query
import dns.rdatatype

HOST = "127.0.0.1"


def txt(port: int, name: str) -> frozenset[str]:
    """Return the TXT values that a name server on a port answers for a name, at the name itself."""
    answer = dns.query.tcp(dns.message.make_query(name, "TXT"), HOST, 5, port)
    return frozenset(
        b"".join(value.strings).decode()
        for rrset in answer.answer
        if rrset.rdtype == dns.rdatatype.TXT
        for value in rrset
    )


def wait_for(port: int, zone: str, is_alive: Callable[[], bool]) -> None:
    """Wait until a name server answers for a zone; RuntimeError where it never does."""
    end = time.monotonic() + 30
    while is_alive() and time.monotonic() < end:
        try:
            answer = dns.query.udp(dns.message.make_query(zone, "SOA"), HOST, 0.5, port)
        except (OSError, dns.exception.DNSException):
            time.sleep(0.05)
            continue
        if answer.answer:
            return
        time.sleep(0.05)
    raise RuntimeError(f"no name server for {zone} on port {port}")
