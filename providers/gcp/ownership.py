"""The last look before a change: still ours, and still what was observed."""

from collections.abc import Mapping

from providers.base import OWNER, Installed
from providers.errors import Conflict


def check_ours(found: Installed, expected: Installed, owner: str) -> None:
    """Raise `Conflict` unless an object is its owner's, and the certificate that was observed.

    What Google issues by itself is known by its name alone: it is renewed at any time.
    """
    if not found.owned_by(owner):
        raise Conflict(f"{found.id} is not ours")
    hosted = found.hosting is not None and expected.hosting is not None
    seen = (found.serial, found.sha256) == (expected.serial, expected.sha256)
    if found.id != expected.id or not (hosted or seen):
        raise Conflict(f"{found.id} is not what was observed")


def belongs(labels: Mapping[str, str], owner: str) -> bool:
    """Whether something carries this owner's label."""
    return labels.get(OWNER) == owner
