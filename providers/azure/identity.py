"""Whether what is in a vault is what was observed there, and ours; asked before every change."""

from urllib.parse import urlsplit

from providers.azure.held import Held, read
from providers.base import Installed
from providers.errors import Conflict, NotFound


def name_in(url: str, id_: str) -> str:
    """Return the name in an identifier, with version or without; raises `NotFound` for another vault's."""
    vault, parts = urlsplit(url).hostname, urlsplit(id_)
    _, kind, name, *_ = (*parts.path.split("/"), "", "", "")
    if parts.hostname != vault or kind != "certificates" or not name:
        raise NotFound(f"{id_} is no certificate of {vault}: it is {url}/certificates/NAME")
    return name


def check_owner(held: Held, owner: str) -> Held:
    """Return what is ours; raises `Conflict` for anything else."""
    if not held.owned_by(owner):
        raise Conflict(f"{held.id} is not ours: adopt it, or choose another objectName")
    return held


def check_same(expected: Installed, held: Held | None, owner: str) -> Held:
    """Return what is as it was observed; raises `Conflict` for what is gone, not ours or changed.

    What the vault renews by itself may have another certificate since.
    """
    if held is None:
        raise Conflict(f"{expected.id} is gone")
    check_owner(held, owner)
    told = None if held.certificate is None else read(held.certificate)
    serial, sha256 = (told.serial, told.sha256) if told else (None, None)
    changed = (serial, sha256) != (expected.serial, expected.sha256)
    if held.id.lower() != expected.id.lower() or (changed and expected.hosting is None):
        raise Conflict(f"{expected.id} is not what was observed: plan again")
    return held


def check_vacant(held: Held | None, owner: str) -> Held | None:
    """Return a name of ours that has no certificate yet, or None; raises `Conflict` for anything else."""
    if held is not None and check_owner(held, owner).thumbprint is not None:
        raise Conflict(f"{held.id} holds a certificate that was not observed: plan again")
    return held
