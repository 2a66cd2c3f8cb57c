"""What a TLS server really serves."""

import hashlib
import socket
import ssl
import time

from providers.base import Installed
from providers.errors import Rejected
from schemas.target import Verify

PATIENCE = 10.0
"""Seconds to wait for a reload to take effect: servers reload in the background."""
OVERLAP = 0.3
"""Seconds in which old workers may still answer beside new ones: nginx keeps both for 0.1 s."""
_CONNECT = 5.0
_FIRST_PAUSE = 0.02
_LONGEST_PAUSE = 0.5


def verify(settings: Verify, installed: Installed) -> None:
    """Shake hands until the installed certificate is served; raises `Rejected` naming what is."""
    patience = PATIENCE if settings.timeout is None else settings.timeout.total_seconds()
    deadline = time.monotonic() + patience
    pause = _FIRST_PAUSE
    while (answer := _served(settings.connect, installed.dns_name)) != installed.sha256:
        if time.monotonic() + pause > deadline:
            raise Rejected(
                f"{settings.connect} should serve {installed.name} with SHA-256 "
                f"{installed.sha256}, but {_describe(answer)}"
            )
        time.sleep(pause)
        pause = min(2 * pause, _LONGEST_PAUSE)


def served(connect: str, dns_name: str | None) -> str:
    """Return the SHA-256 (hex, over DER) of the leaf served at host:port; raises OSError."""
    host, _, port = connect.rpartition(":")
    with (
        socket.create_connection((host.strip("[]"), int(port)), timeout=_CONNECT) as connection,
        _context().wrap_socket(connection, server_hostname=_server_name(dns_name)) as session,
    ):
        certificate = session.getpeercert(binary_form=True)
    if certificate is None:
        raise ssl.SSLError("the server showed no certificate")
    return hashlib.sha256(certificate).hexdigest()


def _served(connect: str, dns_name: str | None) -> str | OSError:
    try:
        return served(connect, dns_name)
    except OSError as error:
        return error


def _describe(answer: str | OSError) -> str:
    if isinstance(answer, OSError):
        return f"the handshake fails: {answer.strerror or answer}"
    return f"serves {answer}"


def _server_name(dns_name: str | None) -> str | None:
    """Return a name to ask for: any name will do where the certificate has a wildcard."""
    if dns_name is not None and dns_name.startswith("*."):
        return "certform" + dns_name[1:]
    return dns_name


def _context() -> ssl.SSLContext:
    context = ssl.create_default_context()
    # the question is which certificate is served, not whether this host would trust it
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context
