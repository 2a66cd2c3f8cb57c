"""Sops: CA keys as ciphertext that git may hold, opened by whoever a recipient says."""

from providers.sops.binary import Sops, recipients_of
from providers.sops.signer import SopsSigner

__all__ = ["Sops", "SopsSigner", "recipients_of"]
