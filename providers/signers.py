"""The key services that CA keys can be at; a vendor's code is imported when its first key is used."""

from importlib import import_module
from typing import Any, Protocol

from providers.errors import MissingExtra
from providers.signer import Signer
from schemas.custody import RemoteKey

SIGNERS = {
    "aws-kms": "providers.aws.kms:AwsKmsSigner",
    "azure-key-vault": "providers.azure.keys:AzureKeySigner",
    "gcp-kms": "providers.gcp.kms:GcpKmsSigner",
}
"""Where the class of each kind is, as `module:Class`."""
EXTRAS = {"aws-kms": "aws", "azure-key-vault": "azure", "gcp-kms": "gcp"}
"""The optional dependencies that a kind needs."""


class SignerClass(Protocol):
    """A class of signers at one key service."""

    def open(self, settings: Any, /) -> Signer:
        """Return the signer of a key; asks nothing yet."""
        ...


def signer_class(kind: str) -> SignerClass:
    """Import the class of a kind of key service; raises `MissingExtra`."""
    module, _, name = SIGNERS[kind].partition(":")
    try:
        found: SignerClass = getattr(import_module(module), name)
    except ModuleNotFoundError as missing:
        if (missing.name or "").startswith("providers"):
            raise
        raise MissingExtra(EXTRAS[kind], f"a CA key in {kind}") from None
    return found


def open_signer(key: RemoteKey) -> Signer:
    """Return the signer of a key at a key service; asks nothing yet."""
    return signer_class(key.kind).open(key.settings)
