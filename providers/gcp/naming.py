"""Names of resources that we choose: the same every time, within the 63 characters there are."""

import hashlib
import re

from providers.abilities import HostRequest
from providers.base import SPEC, Installed

_SLUG, _DIGEST, _SUFFIX, _LONGEST = 40, 10, 8, 63


def tail(name: str) -> str:
    """Return a full name without its project, which goes by its id here and by its number there."""
    return name.split("/", 2)[-1]


def stable(prefix: str, hostname: str) -> str:
    """Return the name of what stands for a host name; its digest tells what the readable part does not."""
    slug = re.sub("[^a-z0-9]+", "-", hostname.lower()).strip("-")[:_SLUG].rstrip("-")
    digest = hashlib.sha256(hostname.encode()).hexdigest()[:_DIGEST]
    return f"{prefix}-{slug}-{digest}"


def successor(request: HostRequest, predecessor: Installed) -> str:
    """Return the name of what supersedes an object: another than its own."""
    digest = request.labels[SPEC]
    name = _suffixed(request.name, digest)
    if name != predecessor.name:
        return name
    return _suffixed(request.name, hashlib.sha256(f"{digest}/{name}".encode()).hexdigest())


def _suffixed(name: str, digest: str) -> str:
    return f"{name[: _LONGEST - _SUFFIX - 1]}-{digest[:_SUFFIX]}"
