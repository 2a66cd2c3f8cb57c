"""A creation in a vault: a key was made there, and its certificate is to come."""

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

from azure.keyvault.certificates import CertificateOperation
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.x509 import (
    DNSName,
    ExtensionNotFound,
    SubjectAlternativeName,
    load_der_x509_csr,
)

from providers import x509
from providers.azure.errors import clean
from providers.errors import Ambiguous
from providers.signer import PublicKey
from schemas.request import KeyType

UNKNOWN = "Unknown"
"""The issuer of what is signed outside of the vault."""


@dataclass(frozen=True, slots=True)
class Creation:
    """Its signing request (DER, RFC 2986), who is to issue it, and how far that has come."""

    issuer: str
    status: str
    request: bytes
    detail: str = ""
    error: str = ""

    @classmethod
    def told(cls, found: CertificateOperation) -> "Creation":
        """Return what the SDK tells of it."""
        return cls(
            issuer=str(found.issuer_name or ""),
            status=found.status or "",
            request=bytes(found.csr or b""),
            detail=clean(found.status_details),
            error=clean(found.error.message or found.error.code) if found.error else "",
        )

    @classmethod
    def answered(cls, answer: Mapping[str, Any]) -> "Creation":
        """Return what the vault answers to the request for it; raises `Ambiguous`."""
        try:
            return cls(
                issuer=answer["issuer"]["name"],
                status=answer["status"],
                request=base64.b64decode(answer["csr"]),
                detail=clean(answer.get("status_details")),
            )
        except (KeyError, TypeError, binascii.Error):
            raise Ambiguous("the vault's answer could not be read") from None

    @property
    def under_way(self) -> bool:
        """Whether the certificate is still to come."""
        return self.status.lower() == "inprogress"

    @property
    def failed(self) -> bool:
        """Whether it ended without a certificate."""
        return not self.under_way and self.status.lower() != "completed"

    @property
    def waits_for_us(self) -> bool:
        """Whether it is for somebody outside of the vault to sign it."""
        return self.under_way and self.issuer == UNKNOWN

    @property
    def public_key(self) -> PublicKey | None:
        """The key's public half, None where the request cannot be read."""
        try:
            return cast("PublicKey", load_der_x509_csr(self.request).public_key())
        except (ValueError, UnsupportedAlgorithm):
            return None

    @property
    def dns_names(self) -> set[str]:
        """The names that are asked for, none where the request cannot be read."""
        try:
            asked = load_der_x509_csr(self.request).extensions
            names = asked.get_extension_for_class(SubjectAlternativeName).value
        except (ValueError, UnsupportedAlgorithm, ExtensionNotFound):
            return set()
        return set(names.get_values_for_type(DNSName))

    def is_for(self, certificate: bytes) -> bool:
        """Whether a certificate (DER) is for the key that waits."""
        key = self.public_key
        return key is not None and x509.spki(key) == x509.facts(certificate).spki

    def is_like(self, wanted: KeyType) -> bool:
        """Whether the key that waits is of a kind."""
        key = self.public_key
        try:
            return key is not None and x509.key_type(key) == (wanted.algorithm, wanted.size)
        except ValueError:
            return False
