"""Sops: CA keys as ciphertext that git may hold, opened by whoever a recipient says."""

from providers.sops.binary import Sops
from providers.sops.recipients import recipients_of, wanted_recipients
from providers.sops.signer import SopsSigner

__all__ = ["Sops", "SopsSigner", "recipients_of", "wanted_recipients"]
