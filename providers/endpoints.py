"""What a TLS server shows to whoever asks: nothing is verified, nothing is sent but a name."""

import ipaddress
import socket
import ssl

from providers.errors import Unreachable

TIMEOUT = 10.0
"""Seconds that connecting, and each answer of the handshake, may take."""
_LARGEST = 64
"""Certificates that one server may show; RFC 8446 section 4.4.2 sets no limit."""


def chain_served(connect: str, timeout: float = TIMEOUT) -> tuple[bytes, ...]:
    """Return the certificates (DER) that are served at host:port, the server's own first.

    The host is the name that is asked for (SNI, RFC 6066 section 3), unless it is an address. Raises
    `Unreachable` where nobody answers, or not with a certificate. Python before 3.13 tells only the
    first certificate by its documented means.
    """
    host, _, port = connect.rpartition(":")
    host = host.strip("[]")
    try:
        with (
            socket.create_connection((host, int(port)), timeout=timeout) as connection,
            _context().wrap_socket(connection, server_hostname=_server_name(host)) as session,
        ):
            return _shown(session)
    except (OSError, ValueError, OverflowError) as why:
        raise Unreachable(f"{connect}: {_words(why)}") from None


def _shown(session: ssl.SSLSocket) -> tuple[bytes, ...]:
    whole = getattr(session, "get_unverified_chain", None)
    chain = tuple(whole())[:_LARGEST] if whole else ()
    leaf = session.getpeercert(binary_form=True)
    if leaf is None:
        raise ssl.SSLError("the server showed no certificate")
    return chain or (leaf,)


def _server_name(host: str) -> str | None:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return host
    return None


def _words(why: Exception) -> str:
    if isinstance(why, TimeoutError):
        return "no answer in time"
    if isinstance(why, ssl.SSLError):
        return f"the handshake fails: {why.reason or why.strerror or 'no certificate'}"
    if isinstance(why, OSError) and why.strerror:
        return why.strerror
    return "it is not a host and a port that can be asked"


def _context() -> ssl.SSLContext:
    """Speak with old servers, too: the question is what they show, and nothing is told them."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
    context.set_ciphers("DEFAULT:@SECLEVEL=0")
    return context
