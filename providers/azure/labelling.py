"""The tags of a certificate: ours, the seal, and those of others, which stay."""

import hashlib
from collections.abc import Mapping

from providers.abilities import RelabelRequest
from providers.azure.held import Held
from providers.base import OWNER
from providers.errors import QuotaExceeded
from providers.pairing import Pair
from providers.seal import CONTENT, Seal, unsealed

_MOST = 15


def thumbprint(certificate: bytes) -> str:
    """Return a certificate's (DER) SHA-1 in hex, by which a vault's listing tells it from others."""
    return hashlib.sha1(certificate, usedforsecurity=False).hexdigest()


def sealed(
    labels: Mapping[str, str], held: Held | None, pair: Pair, witness: str
) -> dict[str, str]:
    """Return the tags of what is being installed; raises `QuotaExceeded` for more than 15."""
    return added({**labels, CONTENT: str(Seal.of(pair, witness))}, held)


def added(tags: Mapping[str, str], held: Held | None) -> dict[str, str]:
    """Return these tags and those of others on what is there now; raises `QuotaExceeded`."""
    return _counted({**(unsealed(held.tags) if held is not None else {}), **tags})


def relabelled(request: RelabelRequest, held: Held) -> dict[str, str]:
    """Return the tags without those that are left out; what came there since stays.

    The seal does as well, as long as the certificate is ours.
    """
    gone = request.installed.labels.keys() - request.labels.keys()
    if OWNER in gone:
        gone |= {CONTENT}
    kept = {key: value for key, value in held.tags.items() if key not in gone}
    return _counted({**kept, **request.labels})


def _counted(tags: dict[str, str]) -> dict[str, str]:
    if len(tags) > _MOST:
        raise QuotaExceeded(
            f"there would be {len(tags)} tags, and Key Vault takes {_MOST}: remove some of others,"
            " or some `tags` of the Target"
        )
    return tags
