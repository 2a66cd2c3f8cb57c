"""What a place cannot change of an object: it takes a new one instead, with an identity of its own."""

from providers.base import Installed
from schemas.capabilities import Capabilities, Fixed
from schemas.certificate import Usage
from schemas.request import AuthorityRequest, KeyType, LeafRequest

KEPT_ANYWAY = frozenset({Usage.CLIENT_AUTH})
"""The one usage that AWS lets a certificate lose in place."""


def unchangeable(
    capabilities: Capabilities,
    found: Installed,
    had: LeafRequest | AuthorityRequest | None,
    want: LeafRequest,
) -> str:
    """Say what of an object cannot become what is wanted; empty when all can.

    `had` is what its certificate was issued for, None where that is not known: then what the place
    itself tells of it counts.
    """
    if found.hosting is not None:
        return "the place issued it by itself"
    key, usages = _known(found, had)
    if Fixed.KEY_TYPE in capabilities.fixed and key is not None and key != want.key:
        return f"its key is {key}, and the type of a key cannot be changed there"
    lost = sorted(usages - set(want.usages) - KEPT_ANYWAY)
    if Fixed.REMOVED_USAGES in capabilities.fixed and lost:
        return f"it would lose {', '.join(lost)}, and usages cannot be taken away there"
    return ""


def _known(
    found: Installed, had: LeafRequest | AuthorityRequest | None
) -> tuple[KeyType | None, frozenset[str]]:
    if isinstance(had, LeafRequest):
        return had.key, frozenset(had.usages)
    content = found.content
    return (content.key, frozenset(content.usages)) if content else (None, frozenset())
