"""The keys of an Azure Key Vault, as far as they sign: GET a version, POST to its /sign.

https://learn.microsoft.com/rest/api/keyvault/keys/sign/sign and .../get-key/get-key
"""

import base64
import json
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa, utils
from keyvault_errors import Refusal, answer
from keyvault_tokens import Tokens
from wire import Request, Response, Tls, Wire

Key: TypeAlias = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey
_PATH = re.compile(r"/keys/([0-9a-zA-Z-]+)/([0-9a-f]{32})(/sign)?")
_CURVES = {"secp256r1": "P-256", "secp384r1": "P-384", "secp521r1": "P-521", "secp256k1": "P-256K"}
_HASHES: Mapping[str, hashes.HashAlgorithm] = {
    "256": hashes.SHA256(),
    "384": hashes.SHA384(),
    "512": hashes.SHA512(),
}
_OF_CURVES = {"P-256": "ES256", "P-384": "ES384", "P-521": "ES512", "P-256K": "ES256K"}


@dataclass(slots=True)
class Version:
    """One version of a key. `expires` is in seconds since 1970."""

    key: Key = field(repr=False)
    enabled: bool = True
    operations: tuple[str, ...] = ("sign", "verify")
    expires: int | None = None

    def allows(self, algorithm: str) -> bool:
        """Whether a key of its kind signs by an algorithm."""
        if isinstance(self.key, ec.EllipticCurvePrivateKey):
            return algorithm == _OF_CURVES[_CURVES[self.key.curve.name]]
        return re.fullmatch("[RP]S(256|384|512)", algorithm) is not None


@dataclass
class Vault:
    """The keys by name and version. `denied` are the permissions nobody has; `wrong` spoils signatures."""

    tls: Tls
    tokens: Tokens = field(default_factory=Tokens)
    versions: dict[tuple[str, str], Version] = field(default_factory=dict)
    denied: set[str] = field(default_factory=set)
    wrong: bool = False
    _wire: Wire | None = None

    def make(self, name: str, key: Key) -> tuple[str, str]:
        """Add a key; return its name and version."""
        which = (name, f"{len(self.versions) + 1:032x}")
        self.versions[which] = Version(key)
        return which

    def identifier(self, which: tuple[str, str]) -> str:
        """The identifier of a key version, while the vault is served."""
        return f"{self.wire().url}/keys/{which[0]}/{which[1]}"

    def wire(self) -> Wire:
        """The vault's address."""
        if self._wire is None:
            self._wire = Wire(self, _operation, self.tls)
        return self._wire

    def __call__(self, request: Request) -> Response:
        if fault := self.tokens.fault(request.headers.get("authorization", "")):
            return self.tokens.challenge(fault)
        try:
            return answer(self._serve(request))
        except Refusal as refusal:
            return refusal.response

    def _serve(self, request: Request) -> dict[str, object]:
        match = _PATH.fullmatch(request.path)
        if match is None or "api-version" not in request.query:
            raise Refusal(400, "BadParameter", "The request URI or its api-version is invalid.")
        which, signing = (match[1], match[2]), match[3] is not None
        self._permit("sign" if signing else "get")
        found = self.versions.get(which)
        if found is None:
            message = f"A key with (name/id) {which[0]}/{which[1]} was not found in this key vault."
            raise Refusal(404, "KeyNotFound", message)
        return self._sign(which, found, request) if signing else self._bundle(which, found)

    def _permit(self, permission: str) -> None:
        if permission in self.denied:
            action = {"get": "read", "sign": "sign/action"}[permission]
            message = (
                "Caller is not authorized to perform action on resource.\r\n"
                f"Action: 'Microsoft.KeyVault/vaults/keys/{action}'\r\n"
            )
            raise Refusal(403, "Forbidden", message, "ForbiddenByRbac")

    def _bundle(self, which: tuple[str, str], version: Version) -> dict[str, object]:
        kept = {
            "enabled": version.enabled,
            "created": 1,
            "updated": 1,
            "recoveryLevel": "Recoverable",
        }
        ends = {} if version.expires is None else {"exp": version.expires}
        jwk = {"kid": self.identifier(which), "key_ops": version.operations}
        return {"key": {**jwk, **_public(version.key)}, "attributes": {**kept, **ends}}

    def _sign(
        self, which: tuple[str, str], version: Version, request: Request
    ) -> dict[str, object]:
        asked = json.loads(request.body)
        algorithm, digest = str(asked["alg"]), _decoded(asked["value"])
        _require_usable(version)
        if not version.allows(algorithm):
            message = (
                f"Key and signing key mismatch: the algorithm {algorithm} is not supported by it"
            )
            raise Refusal(400, "BadParameter", message)
        hashed = _HASHES[algorithm[2:5]]
        if len(digest) != hashed.digest_size:
            message = f"Invalid length of 'value': {len(digest)}. {algorithm} requires {hashed.digest_size}."
            raise Refusal(400, "BadParameter", message)
        signature = _signature(version.key, digest, hashed, algorithm)
        told = signature[::-1] if self.wrong else signature
        return {"kid": self.identifier(which), "value": _encoded(told)}


def _require_usable(version: Version) -> None:
    if not version.enabled:
        message = "Operation sign is not allowed on a disabled key."
        raise Refusal(403, "Forbidden", message, "KeyDisabled")
    if version.expires is not None and version.expires < time.time():
        message = "Operation sign is not allowed on an expired key."
        raise Refusal(403, "Forbidden", message, "KeyExpired")
    if "sign" not in version.operations:
        message = "Operation sign is not permitted on this key."
        raise Refusal(403, "Forbidden", message, "KeyOperationForbidden")


def _signature(key: Key, digest: bytes, hashed: hashes.HashAlgorithm, algorithm: str) -> bytes:
    """Sign as the service does: ECDSA as r and s side by side (RFC 7518 section 3.4)."""
    prehashed = utils.Prehashed(hashed)
    if isinstance(key, ec.EllipticCurvePrivateKey):
        size = (key.key_size + 7) // 8
        r, s = utils.decode_dss_signature(key.sign(digest, ec.ECDSA(prehashed)))
        return r.to_bytes(size, "big") + s.to_bytes(size, "big")
    pss = padding.PSS(padding.MGF1(hashed), hashed.digest_size)
    return key.sign(digest, pss if algorithm.startswith("PS") else padding.PKCS1v15(), prehashed)


def _public(key: Key) -> dict[str, str]:
    if isinstance(key, rsa.RSAPrivateKey):
        told = key.public_key().public_numbers()
        return {"kty": "RSA", "n": _number(told.n, key.key_size // 8), "e": _number(told.e, 3)}
    size, point = (key.key_size + 7) // 8, key.public_key().public_numbers()
    return {
        "kty": "EC-HSM",
        "crv": _CURVES[key.curve.name],
        "x": _number(point.x, size),
        "y": _number(point.y, size),
    }


def _number(value: int, size: int) -> str:
    return _encoded(value.to_bytes(size, "big"))


def _encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def _decoded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _operation(request: Request) -> str:
    if "authorization" not in request.headers:
        return "Challenge"
    return "Sign" if request.path.endswith("/sign") else "GetKey"
