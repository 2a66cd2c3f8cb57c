"""Which host this is, for targets that exist only on some."""

import socket
from collections.abc import Collection

from schemas.target import TargetSpec


def here(spec: TargetSpec) -> bool:
    """Whether a target is observable on this host: among its `hosts`, or it names none."""
    if spec.local_directory is None or not spec.local_directory.hosts:
        return True
    hosts = _plain(spec.local_directory.hosts)
    # getfqdn may ask a name server, so it is asked only where a full name could match
    return called(hosts) or (
        any("." in host for host in hosts) and _plain([socket.getfqdn()]) <= hosts
    )


def called(names: Collection[str]) -> bool:
    """Whether this host calls itself one of these names, short or full, or there are none."""
    name = socket.gethostname().lower()
    return not names or not _plain(names).isdisjoint((name, name.partition(".")[0]))


def _plain(names: Collection[str]) -> frozenset[str]:
    return frozenset(name.lower().rstrip(".") for name in names)
