"""Signing requests (PKCS #10, RFC 2986) made by others: checked, and the key they ask for told."""

from typing import cast

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm

from providers.signer import PublicKey
from providers.x509.keys import key_type, spki
from schemas.request import KeyType


def requested_key(der: bytes) -> tuple[KeyType, bytes]:
    """Return the kind of key and the DER SubjectPublicKeyInfo of a signing request (DER).

    Raises ValueError when it cannot be read, was not signed by that key, or the key is weak.
    """
    try:
        request = x509.load_der_x509_csr(der)
        key = cast("PublicKey", request.public_key())
        algorithm, size = key_type(key)
        signed = request.is_signature_valid
    except (InvalidSignature, UnsupportedAlgorithm):
        raise ValueError("its key or signature is of an unknown kind") from None
    if not signed:
        raise ValueError("it is not signed by its own key")
    return KeyType(algorithm=algorithm, size=size), spki(key)
