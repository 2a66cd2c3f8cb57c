"""Keys: made, stored as PKCS #8 (RFC 5958), and told apart."""

import binascii
from typing import cast

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_der_private_key,
    load_der_public_key,
    load_pem_private_key,
)

from providers import mldsa
from providers.secret import Secret
from providers.signer import PrivateKey, PublicKey
from schemas.capabilities import RSA_SIZES
from schemas.certificate import Algorithm
from schemas.request import KeyType

_CURVES: dict[int, type[ec.EllipticCurve]] = {
    256: ec.SECP256R1,
    384: ec.SECP384R1,
    521: ec.SECP521R1,
}
_SUPPORTED_CURVES = tuple(_CURVES.values())
_RSA_EXPONENT = 65537


def generate_key(kind: KeyType) -> PrivateKey:
    """Return a new private key; raises ValueError for a kind that is not supported."""
    if kind.algorithm is Algorithm.ECDSA and kind.size in _CURVES:
        return ec.generate_private_key(_CURVES[kind.size]())
    if kind.algorithm is Algorithm.RSA and kind.size in RSA_SIZES:
        return rsa.generate_private_key(_RSA_EXPONENT, kind.size)
    if kind.algorithm is Algorithm.ED25519:
        return ed25519.Ed25519PrivateKey.generate()
    if kind.algorithm is Algorithm.ML_DSA:
        return mldsa.generate(kind.size)
    raise ValueError(f"{kind} keys are not supported")


def encode_key(key: PrivateKey) -> Secret:
    """Return a private key as PKCS #8 DER, unencrypted."""
    return Secret(key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption()))


def decode_key(der: Secret) -> PrivateKey:
    """Return a private key that `encode_key` wrote; raises ValueError for anything else.

    RSA keys are not validated again: that takes 28 ms, and certform reads only what it wrote.
    """
    try:
        key = load_der_private_key(der.reveal(), None, unsafe_skip_rsa_key_validation=True)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise ValueError("not a private key in PKCS #8 DER") from None
    if not isinstance(key, PrivateKey):
        raise ValueError("not a key of a kind that signs here")  # noqa: TRY004 - a value, not a type
    return key


def decode_key_file(content: Secret) -> PrivateKey:
    """Return the private key of a file that others made, in PEM or DER.

    Raises ValueError, which tells nothing of the content, for anything else.
    """
    data = content.reveal()
    load = load_pem_private_key if b"-----BEGIN" in data else load_der_private_key
    try:
        key = load(data, None)
    except TypeError:
        raise ValueError(
            "the key in it has a passphrase: take it off with `openssl pkey`"
        ) from None
    except (ValueError, UnsupportedAlgorithm):
        raise ValueError("it holds no private key in PEM or DER") from None
    if not isinstance(key, PrivateKey):
        raise ValueError("it holds no key of a kind that signs here")  # noqa: TRY004 - a value, not a type
    return key


def key_pem(der: Secret) -> Secret:
    """Return a PKCS #8 DER key as PEM (RFC 7468), the key itself not looked at."""
    return Secret(armoured("PRIVATE KEY", der.reveal()))


def armoured(label: str, der: bytes) -> bytes:
    """Return DER as PEM (RFC 7468)."""
    # 48 bytes are a line of 64 characters; b2a_base64 ends it
    lines = (binascii.b2a_base64(der[at : at + 48]) for at in range(0, len(der), 48))
    return b"".join(
        (f"-----BEGIN {label}-----\n".encode(), *lines, f"-----END {label}-----\n".encode())
    )


def spki(key: PublicKey) -> bytes:
    """Return the DER SubjectPublicKeyInfo (RFC 5280 section 4.1.2.7)."""
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def decode_spki(der: bytes) -> PublicKey:
    """Return the public key of a DER SubjectPublicKeyInfo; raises ValueError when it is malformed."""
    try:
        key = load_der_public_key(der)
    except UnsupportedAlgorithm:
        raise ValueError("the public key is of an unknown kind") from None
    except ValueError:
        raise ValueError("the public key cannot be read") from None
    return cast("PublicKey", key)


def key_type(key: PublicKey) -> tuple[Algorithm, int]:
    """Return a public key's algorithm and size; raises ValueError when weak or not supported."""
    if isinstance(key, ec.EllipticCurvePublicKey):
        if not isinstance(key.curve, _SUPPORTED_CURVES):
            raise ValueError(f"the curve {key.curve.name} is not supported")  # noqa: TRY004 - a value, not a type
        return Algorithm.ECDSA, key.key_size
    if isinstance(key, rsa.RSAPublicKey):
        size, exponent = key.key_size, key.public_numbers().e
        if size not in RSA_SIZES or exponent < _RSA_EXPONENT or exponent % 2 == 0:
            raise ValueError(f"an RSA key of {size} bits with exponent {exponent} is not supported")
        return Algorithm.RSA, size
    if isinstance(key, ed25519.Ed25519PublicKey):
        return Algorithm.ED25519, 256
    if isinstance(key, mldsa.MlDsaPublicKey):
        return Algorithm.ML_DSA, mldsa.size_of(key)
    raise ValueError("the public key is of an unknown kind")
