"""CA keys in an Azure Key Vault or a managed HSM: a digest is signed there.

https://learn.microsoft.com/azure/key-vault/keys/about-keys-details
"""

from collections.abc import Callable
from enum import Enum
from functools import cached_property
from typing import Any, Self, cast

from azure.core.credentials import TokenCredential
from azure.keyvault.keys import KeyClient, KeyType, KeyVaultKey
from azure.keyvault.keys.crypto import CryptographyClient, SignatureAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from providers.azure.connection import options
from providers.azure.credentials import credentials
from providers.azure.errors import explain
from providers.calls import Calls
from providers.errors import Conflict
from providers.remote import RemoteSigner
from providers.signer import PublicKey
from providers.x509.keys import key_type
from schemas.certificate import Algorithm
from schemas.custody import AzureKey

_CURVES: dict[str, ec.EllipticCurve] = {
    "P-256": ec.SECP256R1(),
    "P-384": ec.SECP384R1(),
    "P-521": ec.SECP521R1(),
}
_SCHEMES = {
    (Algorithm.ECDSA, 256): SignatureAlgorithm.es256,
    (Algorithm.ECDSA, 384): SignatureAlgorithm.es384,
    (Algorithm.ECDSA, 521): SignatureAlgorithm.es512,
    (Algorithm.RSA, 2048): SignatureAlgorithm.rs256,
    (Algorithm.RSA, 3072): SignatureAlgorithm.rs384,
    (Algorithm.RSA, 4096): SignatureAlgorithm.rs512,
}
"""How a CA of each kind of key signs."""


def connected(settings: AzureKey) -> KeyClient:
    """Return a client of the key's vault; asks nothing yet."""
    return KeyClient(
        settings.vault,
        cast("TokenCredential", credentials().of(settings.tenant)),
        **options(verify_challenge_resource=settings.verify_challenge_resource),
    )


class AzureKeySigner(RemoteSigner):
    """Signs with one version of a key; `connect` makes the client when it is first needed."""

    needs = "the permissions get and sign on keys (the role Key Vault Crypto User, on this key)"

    def __init__(self, key: AzureKey, connect: Callable[[], KeyClient], calls: Calls) -> None:
        super().__init__(f"the key {key.key}", calls)
        self._key, self._connect = key, connect

    @classmethod
    def open(cls, settings: AzureKey) -> Self:
        """Return the signer of a key; asks nothing yet."""
        return cls(settings, lambda: connected(settings), Calls(explain))

    @cached_property
    def _client(self) -> KeyClient:
        return self._connect()

    @cached_property
    def _signing(self) -> CryptographyClient:
        return self._client.get_cryptography_client(self._key.name, key_version=self._key.version)

    def _fetch(self) -> PublicKey:
        found = self._ask(lambda: self._client.get_key(self._key.name, self._key.version))
        if not found.properties.enabled or "sign" not in (found.key_operations or ()):
            raise Conflict(f"{self.named} is disabled, or its operations do not include sign")
        return _public(found)

    def _sign_digest(self, digest: bytes, /) -> bytes:
        public = self.public_key()
        scheme = _SCHEMES[key_type(public)]
        signature = self._ask(lambda: self._signing.sign(scheme, digest)).signature
        return signature if isinstance(public, rsa.RSAPublicKey) else _as_der(signature)


def _public(found: KeyVaultKey) -> PublicKey:
    """Return the public half as the vault tells it (RFC 7517); raises ValueError for a key we cannot use."""
    jwk: Any = found.key
    if jwk.kty in (KeyType.rsa, KeyType.rsa_hsm):
        return rsa.RSAPublicNumbers(_number(jwk.e), _number(jwk.n)).public_key()
    curve = _CURVES.get(jwk.crv or "")
    if curve is None:
        words = (word.value if isinstance(word, Enum) else word for word in (jwk.kty, jwk.crv))
        raise ValueError(f"its type is {' '.join(filter(None, words))}")
    return ec.EllipticCurvePublicNumbers(_number(jwk.x), _number(jwk.y), curve).public_key()


def _number(value: bytes) -> int:
    return int.from_bytes(value, "big")


def _as_der(signature: bytes) -> bytes:
    """Return a signature of r and s side by side (RFC 7518 section 3.4) as DER (RFC 3279)."""
    half = len(signature) // 2
    return encode_dss_signature(_number(signature[:half]), _number(signature[half:]))
