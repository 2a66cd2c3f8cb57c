"""Google Cloud KMS for keys that sign, over REST: GetPublicKey and AsymmetricSign, checksums and all.

https://cloud.google.com/kms/docs/reference/rest/v1/projects.locations.keyRings.cryptoKeys.cryptoKeyVersions
"""

import base64
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa, utils
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from wire import Request, Response, Wire

Key: TypeAlias = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey
PARENT = "projects/example-pki/locations/europe-west1/keyRings/ca/cryptoKeys"
_PATH = re.compile(r"/v1/(projects/.+/cryptoKeyVersions/\d+)(/publicKey|:asymmetricSign)")
_HASHES: Mapping[str, hashes.HashAlgorithm] = {
    "sha256": hashes.SHA256(),
    "sha384": hashes.SHA384(),
    "sha512": hashes.SHA512(),
}
_STATUS = {
    "INVALID_ARGUMENT": 400,
    "FAILED_PRECONDITION": 400,
    "PERMISSION_DENIED": 403,
    "NOT_FOUND": 404,
    "RESOURCE_EXHAUSTED": 429,
    "UNAVAILABLE": 503,
}


@dataclass(slots=True)
class Version:
    """One key version; `algorithm` is what it signs with, as `EC_SIGN_P256_SHA256`, or a new one's number."""

    algorithm: str
    key: Key = field(repr=False)
    state: str = "ENABLED"

    @property
    def hashed(self) -> str:
        """The field of a digest that its algorithm takes."""
        return self.algorithm.rpartition("_")[2].lower()


class Refusal(Exception):
    def __init__(self, status: str, message: str) -> None:
        super().__init__(message)
        self.response = refusal(status, message)


def refusal(status: str, message: str) -> Response:
    """Return an error as Google's APIs answer it (AIP-193)."""
    code = _STATUS[status]
    return _answer({"error": {"code": code, "message": message, "status": status}}, code)


@dataclass
class Kms:
    """The service. `denied` are permissions nobody has.

    `corrupt` spoils the checksums of so many answers, `wrong` lets every signature be one.
    """

    versions: dict[str, Version] = field(default_factory=dict)
    denied: set[str] = field(default_factory=set)
    corrupt: int = 0
    wrong: bool = False

    def make(self, name: str, algorithm: str, key: Key) -> str:
        """Add the first version of a key; return its name."""
        version = f"{PARENT}/{name}/cryptoKeyVersions/1"
        self.versions[version] = Version(algorithm, key)
        return version

    def wire(self) -> Wire:
        """Return the service's address, not yet served."""
        return Wire(self, _operation)

    def __call__(self, request: Request) -> Response:
        try:
            return _answer(self._serve(request))
        except Refusal as refused:
            return refused.response

    def _serve(self, request: Request) -> dict[str, object]:
        match = _PATH.fullmatch(request.path)
        if match is None:
            raise Refusal("NOT_FOUND", "there is no such method")
        name, verb = match[1], match[2]
        if verb == "/publicKey":
            return self._public_key(name, self._usable(name, "viewPublicKey"))
        return self._sign(name, self._usable(name, "useToSign"), json.loads(request.body))

    def _usable(self, name: str, action: str) -> Version:
        permission = f"cloudkms.cryptoKeyVersions.{action}"
        found = self.versions.get(name)
        if permission in self.denied or found is None:
            raise Refusal(
                "PERMISSION_DENIED",
                f"Permission '{permission}' denied on resource '{name}' (or it may not exist).",
            )
        if found.state != "ENABLED":
            raise Refusal(
                "FAILED_PRECONDITION", f"{name} is not enabled, current state is: {found.state}."
            )
        return found

    def _public_key(self, name: str, version: Version) -> dict[str, object]:
        pem = version.key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        return {
            "pem": pem.decode(),
            "algorithm": int(version.algorithm)
            if version.algorithm.isdigit()
            else version.algorithm,
            "pemCrc32c": self._checksum(pem),
            "name": name,
            "protectionLevel": "HSM",
        }

    def _sign(self, name: str, version: Version, asked: Mapping[str, object]) -> dict[str, object]:
        given = asked.get("digest")
        if not isinstance(given, dict) or list(given) != [version.hashed]:
            raise Refusal("INVALID_ARGUMENT", f"the digest must be of type {version.hashed}")
        digest = base64.b64decode(given[version.hashed])
        hashed = _HASHES[version.hashed]
        if len(digest) != hashed.digest_size:
            raise Refusal("INVALID_ARGUMENT", f"Digest length must be {hashed.digest_size} bytes")
        checked = "digestCrc32c" in asked
        if checked and int(str(asked["digestCrc32c"])) != crc32c(digest):
            raise Refusal("INVALID_ARGUMENT", "The checksum of the digest does not match.")
        signature = _signature(version, digest, hashed)
        told = signature[::-1] if self.wrong else signature
        return {
            "name": name,
            "signature": base64.b64encode(told).decode(),
            "signatureCrc32c": self._checksum(told),
            "verifiedDigestCrc32c": checked,
            "protectionLevel": "HSM",
        }

    def _checksum(self, data: bytes) -> str:
        """An int64 is text in JSON."""
        if self.corrupt:
            self.corrupt -= 1
            return str(crc32c(data) ^ 1)
        return str(crc32c(data))


def crc32c(data: bytes) -> int:
    """Return the CRC-32C of data, bit by bit (RFC 3720 appendix B.4)."""
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = (crc >> 1) ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


def _signature(version: Version, digest: bytes, hashed: hashes.HashAlgorithm) -> bytes:
    prehashed = utils.Prehashed(hashed)
    if isinstance(version.key, ec.EllipticCurvePrivateKey):
        return version.key.sign(digest, ec.ECDSA(prehashed))
    pss = padding.PSS(padding.MGF1(hashed), hashed.digest_size)
    scheme = pss if "PSS" in version.algorithm else padding.PKCS1v15()
    return version.key.sign(digest, scheme, prehashed)


def _operation(request: Request) -> str:
    match = _PATH.fullmatch(request.path)
    return (
        {"/publicKey": "GetPublicKey", ":asymmetricSign": "AsymmetricSign"}[match[2]]
        if match
        else ""
    )


def _answer(body: Mapping[str, object], status: int = 200) -> Response:
    return Response(status, json.dumps(body).encode(), {"Content-Type": "application/json"})
