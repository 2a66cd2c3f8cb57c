"""What a TLS server really serves."""

import hashlib
import socket
import ssl
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TypeGuard

from providers.base import Installed
from providers.errors import ProviderError, Rejected
from schemas.target import Verify

PATIENCE = 10.0
"""Seconds to wait for a reload to take effect: servers reload in the background."""
OVERLAP = 0.3
"""Seconds in which old workers may still answer beside new ones: nginx keeps both for 0.1 s."""
_CONNECT = 5.0
_LEAST = 1.0
"""Seconds one handshake may take, and those it may take when patience is at its end."""
_FIRST_PAUSE = 0.02
_LONGEST_PAUSE = 0.5


def verify(
    settings: Verify, stored: Iterable[Installed | ProviderError]
) -> Iterator[Installed | ProviderError]:
    """Yield each certificate that is served, `Rejected` naming what is in the place of another.

    One patience is for all: when it is at its end each is asked for once more, and none any more
    once nobody answers. What is an error already stays one.
    """
    patience = PATIENCE if settings.timeout is None else settings.timeout.total_seconds()
    server = _Server(settings.connect, time.monotonic() + patience)
    for each in stored:
        yield each if isinstance(each, ProviderError) else server.check(each)


def served(connect: str, dns_name: str | None, timeout: float = _CONNECT) -> str:
    """Return the SHA-256 (hex, over DER) of the leaf served at host:port.

    Raises OSError, and ValueError for a name that no server can be asked for.
    """
    host, _, port = connect.rpartition(":")
    with (
        socket.create_connection((host.strip("[]"), int(port)), timeout=timeout) as connection,
        _context().wrap_socket(connection, server_hostname=_server_name(dns_name)) as session,
    ):
        certificate = session.getpeercert(binary_form=True)
    if certificate is None:
        raise ssl.SSLError("the server showed no certificate")
    return hashlib.sha256(certificate).hexdigest()


@dataclass(slots=True)
class _Server:
    """A server that may be busy with a reload until the deadline, on the monotonic clock."""

    connect: str
    deadline: float
    settled: bool = False
    absent: OSError | None = None

    def check(self, installed: Installed) -> Installed | ProviderError:
        answer = self._await(installed)
        if answer == installed.sha256 and not self.settled:
            # the first answer may be a new worker's, and the next one an old worker's
            time.sleep(OVERLAP)
            self.settled = True
            answer = self._await(installed)
        if answer == installed.sha256:
            return installed
        return Rejected(
            f"{self.connect} should serve {installed.name} with SHA-256 "
            f"{installed.sha256}, but {_describe(answer)}"
        )

    def _await(self, installed: Installed) -> str | Exception:
        """Ask until the right certificate is served or patience is at its end; the last answer."""
        pause = _FIRST_PAUSE
        while (answer := self._ask(installed.dns_name)) != installed.sha256:
            if time.monotonic() + pause > self.deadline:
                self.absent = answer if _is_silence(answer) else None
                break
            time.sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE)
        return answer

    def _ask(self, dns_name: str | None) -> str | Exception:
        if self.absent is not None:
            return self.absent
        left = self.deadline - time.monotonic()
        try:
            return served(self.connect, dns_name, max(_LEAST, min(_CONNECT, left)))
        except (OSError, ValueError, OverflowError) as error:
            return error


def _is_silence(answer: str | Exception) -> TypeGuard[OSError]:
    """Whether nobody was there: a refusal and an alert are answers, and come at once."""
    return isinstance(answer, OSError) and not isinstance(answer, ssl.SSLError | ConnectionError)


def _describe(answer: str | Exception) -> str:
    if isinstance(answer, str):
        return f"serves {answer}"
    cause = answer.strerror if isinstance(answer, OSError) else None
    return f"the handshake fails: {cause or answer}"


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
