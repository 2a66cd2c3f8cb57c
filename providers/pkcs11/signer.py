"""A CA key in a token: the token gets a digest, and gives a signature that is verified before it is used."""

import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Self, TypeVar, cast

import pkcs11
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from pkcs11 import Attribute, Mechanism, ObjectClass, PrivateKey

from providers.calls import Calls
from providers.errors import Ambiguous, Conflict, Denied, NotFound, Unreachable
from providers.pkcs11 import public
from providers.pkcs11.errors import explain
from providers.pkcs11.tokens import shared
from providers.remote import RemoteSigner
from providers.secret import Secret
from providers.signer import PublicKey
from schemas.custody import Pkcs11Key
from schemas.pkcs11 import KeyUri

if TYPE_CHECKING:
    from pkcs11.types import SignMixin

PIN = "CERTFORM_PKCS11_PIN"
"""The variable that holds a token's user PIN where no document says where it is."""
_Answer = TypeVar("_Answer")
_DIGEST_INFOS = {
    32: bytes.fromhex("3031300d060960864801650304020105000420"),
    48: bytes.fromhex("3041300d060960864801650304020205000430"),
    64: bytes.fromhex("3051300d060960864801650304020305000440"),
}
"""What stands before a SHA-2 digest of so many octets in PKCS #1 v1.5 (RFC 8017 section 9.2)."""


def pin_of_environment() -> Secret:
    """Return the PIN from the environment; raises `Denied` without one."""
    pin = os.environ.get(PIN)
    if not pin:
        raise Denied(f"there is no PIN: set {PIN}, or name a sops file in pinSecretRef")
    return Secret(pin.encode())


class Pkcs11Signer(RemoteSigner):
    """Signs with a private key of a token. A token that was lost and is back signs on."""

    needs = "the token's user PIN, and a private key that may sign (CKA_SIGN)"

    def __init__(self, key: Pkcs11Key, pin: Callable[[], Secret]) -> None:
        super().__init__(f"the key {key.key}", Calls(explain, patience=0))
        self._module, self._uri, self._pin = key.module, KeyUri.parse(key.key), pin
        self._key: PrivateKey | None = None

    @classmethod
    def open(cls, settings: Pkcs11Key, pin: Callable[[], Secret] | None = None) -> Self:
        """Return the signer of a key; loads no module yet."""
        return cls(settings, pin or pin_of_environment)

    def sign(self, data: bytes, /) -> bytes:
        """Sign by the key's one scheme; raises ProviderError, and `Conflict` for a wrong answer."""
        return self._signed(data)

    def _fetch(self) -> PublicKey:
        return self._use(public.half_of)

    def _sign_digest(self, digest: bytes, /) -> bytes:
        if isinstance(self.public_key(), rsa.RSAPublicKey):
            whole = _DIGEST_INFOS[len(digest)] + digest
            return self._use(lambda key: _signature(key, whole, Mechanism.RSA_PKCS))
        plain = self._use(lambda key: _signature(key, digest, Mechanism.ECDSA))
        half = len(plain) // 2
        return encode_dss_signature(int.from_bytes(plain[:half]), int.from_bytes(plain[half:]))

    def _use(self, call: Callable[[PrivateKey], _Answer]) -> _Answer:
        try:
            return self._ask(lambda: call(self._held()))
        except Unreachable:
            self._key = None
            if self._module is not None:
                shared().lose(self._module)
            raise

    def _held(self) -> PrivateKey:
        if self._key is None:
            if self._module is None:
                raise Conflict("no document says which module reaches it: give it back its custody")
            session = shared().session(self._module, self._uri, self._pin)
            self._key = _usable(self._only(session.get_objects(self._wanted())))
        return self._key

    def _wanted(self) -> dict[Attribute, Any]:
        wanted: dict[Attribute, Any] = {Attribute.CLASS: ObjectClass.PRIVATE_KEY}
        if self._uri.label is not None:
            wanted[Attribute.LABEL] = self._uri.label
        if self._uri.id is not None:
            wanted[Attribute.ID] = self._uri.id
        return wanted

    def _only(self, found: Any) -> PrivateKey:
        keys = [key for key in found if isinstance(key, PrivateKey)]
        if not keys:
            raise NotFound("there is no such private key in the token")
        if len(keys) > 1:
            ids = ", ".join(f"id={_escaped(key[Attribute.ID])}" for key in keys)
            raise Ambiguous(f"{len(keys)} private keys of the token fit: {ids}; say which")
        return keys[0]


def _signature(key: PrivateKey, data: bytes, mechanism: Mechanism) -> bytes:
    made: bytes = cast("SignMixin", key).sign(data, mechanism=mechanism)
    return made


def _usable(key: PrivateKey) -> PrivateKey:
    """Return a key that signs and stays in its token; raise `Conflict` for another one."""
    if _says(key, Attribute.SIGN) is False:
        raise Conflict("the key is not for signing (CKA_SIGN)")
    if _says(key, Attribute.SENSITIVE) is False or _says(key, Attribute.EXTRACTABLE):
        raise Conflict(
            "the key can be read out of its token: make one that is sensitive and not extractable"
        )
    return key


def _says(key: PrivateKey, attribute: Attribute) -> Any:
    """Return what a key says of itself, None where the token does not tell."""
    try:
        return key[attribute]
    except pkcs11.AttributeTypeInvalid:
        return None


def _escaped(octets: bytes) -> str:
    return "".join(f"%{octet:02x}" for octet in octets)
