"""Listening on an address of this host, by IPv4 and IPv6."""

import errno
import socket

from providers.errors import Conflict, Denied, NotFound, ProviderError, Unreachable

_EVERYWHERE = "::"


def listen(address: str) -> socket.socket:
    """Listen on an address such as `[::]:80`, which stands for IPv4 as well where this host can do both.

    Raises `Conflict` where the port is taken, `Denied` where it may not be had.
    """
    host, _, port = address.rpartition(":")
    host = host.strip("[]")
    try:
        if host == _EVERYWHERE:
            return _everywhere(int(port))
        family, _, _, _, place = socket.getaddrinfo(host, int(port), type=socket.SOCK_STREAM)[0]
        return socket.create_server(place[:2], family=family)
    except OSError as error:
        raise _told(error, address) from None


def _everywhere(port: int) -> socket.socket:
    if not socket.has_ipv6:
        return socket.create_server(("", port))
    both = socket.has_dualstack_ipv6()
    try:
        return socket.create_server(
            (_EVERYWHERE, port), family=socket.AF_INET6, dualstack_ipv6=both
        )
    except OSError as error:
        if error.errno not in (errno.EAFNOSUPPORT, errno.EADDRNOTAVAIL):
            raise
    return socket.create_server(("", port))  # a kernel without IPv6


def _told(error: OSError, address: str) -> ProviderError:
    port = address.rpartition(":")[2]
    if error.errno == errno.EADDRINUSE:
        return Conflict(
            f"cannot listen on {address}: something else of this host has port {port}; "
            "let it serve a webroot, or forward the path to another port that `listen` names"
        )
    if error.errno in (errno.EACCES, errno.EPERM):
        return Denied(f"cannot listen on {address}: port {port} takes root or CAP_NET_BIND_SERVICE")
    if isinstance(error, socket.gaierror) or error.errno == errno.EADDRNOTAVAIL:
        return NotFound(f"cannot listen on {address}: this host has no such address")
    return Unreachable(f"cannot listen on {address}: {error.strerror or type(error).__name__}")
