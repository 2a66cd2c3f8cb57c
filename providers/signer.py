"""Signers: whatever holds a CA key, and the way cryptography's builders are made to sign with one.

The signature scheme follows from the key alone, so that one key signs one message one way: RSA by
PKCS #1 v1.5 with SHA-256, 384 or 512 by size (RFC 8017), ECDSA with the nonce of RFC 6979 and the
hash of its curve's strength, Ed25519 as in RFC 8032, ML-DSA as in RFC 9881. All but the last give the same
signature each time.
"""

from abc import ABC, abstractmethod
from typing import Any, NoReturn, Protocol, TypeAlias, cast

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa

from providers.mldsa import PRIVATE, MlDsaPrivateKey, MlDsaPublicKey, size_of

PublicKey: TypeAlias = (
    rsa.RSAPublicKey | ec.EllipticCurvePublicKey | ed25519.Ed25519PublicKey | MlDsaPublicKey
)
PrivateKey: TypeAlias = (
    rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey | MlDsaPrivateKey
)
SignatureHash: TypeAlias = hashes.SHA256 | hashes.SHA384 | hashes.SHA512


class Signer(Protocol):
    """Holds a CA key: in memory, in a token, at a key service."""

    def public_key(self) -> PublicKey:
        """Return the public half."""
        ...

    def sign(self, data: bytes, /) -> bytes:
        """Sign by the key's one scheme, ECDSA as DER (RFC 3279 section 2.2.3); raise ProviderError."""
        ...


class KeyHolder(ABC):
    """A signer whose key is in this process, where builders may use it directly."""

    @abstractmethod
    def private_key(self) -> PrivateKey:
        """Return the key itself; raises ProviderError when it cannot be had."""

    def public_key(self) -> PublicKey:
        """Return the public half."""
        return self.private_key().public_key()

    def sign(self, data: bytes, /) -> bytes:
        """Sign by the key's one scheme."""
        return sign_with(self.private_key(), data)


class KeySigner(KeyHolder):
    """Signs with a key in memory."""

    def __init__(self, key: PrivateKey) -> None:
        self._key = key

    def private_key(self) -> PrivateKey:
        """Return the key itself."""
        return self._key


def signature_hash(key: PublicKey) -> SignatureHash | None:
    """Return the hash a key signs with; None for Ed25519 and ML-DSA, which have their own."""
    if isinstance(key, ed25519.Ed25519PublicKey | MlDsaPublicKey):
        return None
    size = key.key_size
    if isinstance(key, ec.EllipticCurvePublicKey):
        return _SHA2[0 if size <= 256 else 1 if size <= 384 else 2]
    return _SHA2[0 if size < 3072 else 1 if size < 4096 else 2]


_SHA2 = (hashes.SHA256(), hashes.SHA384(), hashes.SHA512())


def sign_with(key: PrivateKey, data: bytes) -> bytes:
    """Sign with a key in memory by its one scheme."""
    if isinstance(key, ed25519.Ed25519PrivateKey | MlDsaPrivateKey):
        return key.sign(data)
    algorithm = cast("SignatureHash", signature_hash(key.public_key()))
    if isinstance(key, ec.EllipticCurvePrivateKey):
        return key.sign(data, ec.ECDSA(algorithm, deterministic_signing=True))
    return key.sign(data, padding.PKCS1v15(), algorithm)


def builder_key(signer: Signer) -> PrivateKey:
    """Return what cryptography's builders take for a private key: the key itself, or a stand-in.

    A stand-in passes the bytes to be signed on to the signer and can do nothing else.
    """
    if isinstance(signer, KeyHolder):
        return signer.private_key()
    public = signer.public_key()
    if isinstance(public, rsa.RSAPublicKey):
        return _RsaStandIn(signer)
    if isinstance(public, ec.EllipticCurvePublicKey):
        return _EcStandIn(signer)
    if isinstance(public, MlDsaPublicKey):
        return cast("PrivateKey", _MLDSA_STAND_INS[size_of(public)](signer))
    return _Ed25519StandIn(signer)


class _StandIn:
    """A private key that is elsewhere. Builders name padding and hash; both follow from the key."""

    def __init__(self, signer: Signer) -> None:
        self._signer = signer

    def public_key(self) -> Any:
        return self._signer.public_key()

    def sign(self, data: Any, *_scheme: object) -> bytes:
        return self._signer.sign(bytes(data))

    @property
    def key_size(self) -> int:
        return int(self.public_key().key_size)

    @property
    def curve(self) -> ec.EllipticCurve:
        return cast("ec.EllipticCurve", self.public_key().curve)

    def _refuse(self, *_args: object, **_kwargs: object) -> NoReturn:
        raise TypeError("this key never leaves its signer")

    private_bytes = private_bytes_raw = private_numbers = _refuse
    decrypt = exchange = sign_mu = _refuse
    __copy__ = __deepcopy__ = _refuse


class _RsaStandIn(_StandIn, rsa.RSAPrivateKey):
    """An RSA key that is elsewhere."""


class _EcStandIn(_StandIn, ec.EllipticCurvePrivateKey):
    """An ECDSA key that is elsewhere."""


class _Ed25519StandIn(_StandIn, ed25519.Ed25519PrivateKey):
    """An Ed25519 key that is elsewhere."""


_MLDSA_STAND_INS = {
    size: type(f"_MlDsa{size}StandIn", (_StandIn, kind), {}) for size, kind in PRIVATE.items()
}
"""ML-DSA keys that are elsewhere, by parameter set."""
