"""Whether what is in a vault is what was observed there, and ours; asked before every change."""

from providers.azure.held import Held, read
from providers.base import Installed
from providers.errors import Conflict


def check_owner(held: Held, owner: str) -> Held:
    """Return what is ours; raises `Conflict` for anything else."""
    if not held.owned_by(owner):
        raise Conflict(f"{held.id} is not ours: adopt it, or choose another objectName")
    return held


def check_same(expected: Installed, held: Held | None, owner: str) -> Held:
    """Return what is as it was observed; raises `Conflict` for what is gone, not ours or changed."""
    if held is None:
        raise Conflict(f"{expected.id} is gone")
    found = check_owner(held, owner).installed(owner)
    told = None if held.certificate is None else read(held.certificate)
    serial, sha256 = (told.serial, told.sha256) if told else (None, None)
    if (found.id, serial, sha256) != (expected.id, expected.serial, expected.sha256):
        raise Conflict(f"{expected.id} is not what was observed: plan again")
    return held


def check_vacant(held: Held | None, owner: str) -> Held | None:
    """Return a name of ours that has no certificate yet, or None; raises `Conflict` for anything else."""
    if held is not None and check_owner(held, owner).thumbprint is not None:
        raise Conflict(f"{held.id} holds a certificate that was not observed: plan again")
    return held
