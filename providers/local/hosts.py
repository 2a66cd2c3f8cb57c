"""Which host this is, for targets that exist only on some."""

import socket

from schemas.target import TargetSpec


def here(spec: TargetSpec) -> bool:
    """Whether a target is observable on this host: among its `hosts`, or it names none."""
    if spec.local_directory is None or not spec.local_directory.hosts:
        return True
    hosts = {name.lower().rstrip(".") for name in spec.local_directory.hosts}
    name = socket.gethostname().lower()
    if hosts & {name, name.partition(".")[0]}:
        return True
    # getfqdn may ask a name server, so it is asked only where a full name could match
    return any("." in host for host in hosts) and socket.getfqdn().lower().rstrip(".") in hosts
