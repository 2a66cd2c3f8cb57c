"""Where CA keys can be outside the ledger; a vendor's code is imported when its first key is used."""

from collections.abc import Callable
from importlib import import_module
from typing import Any, Protocol

from providers.errors import MissingExtra
from providers.secret import Secret
from providers.signer import Signer
from schemas.custody import RemoteKey

SIGNERS = {
    "aws-kms": "providers.aws.kms:AwsKmsSigner",
    "azure-key-vault": "providers.azure.keys:AzureKeySigner",
    "gcp-kms": "providers.gcp.kms:GcpKmsSigner",
    "pkcs11": "providers.pkcs11.signer:Pkcs11Signer",
}
"""Where the class of each kind is, as `module:Class`."""
EXTRAS = {"aws-kms": "aws", "azure-key-vault": "azure", "gcp-kms": "gcp", "pkcs11": "hsm"}
"""The optional dependencies that a kind needs."""


class SignerClass(Protocol):
    """A class of signers at one key service."""

    def open(self, settings: Any, /, *secret: Callable[[], Secret]) -> Signer:
        """Return the signer of a key; asks nothing yet. `secret` is one where the key names one."""
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


def open_signer(key: RemoteKey, secret: Callable[[], Secret] | None = None) -> Signer:
    """Return the signer of a key at a key service or in a token; asks nothing yet.

    `secret` gives the secret that `key.secret` names, when it is first needed.
    """
    given = (secret,) if secret is not None and key.secret is not None else ()
    return signer_class(key.kind).open(key.settings, *given)
