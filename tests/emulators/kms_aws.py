"""AWS KMS for keys that sign: moto's, with signatures, states and refusals as the service has them.

moto hashes a digest once more, signs with disabled keys and answers GetPublicKey without KeySpec and ARN.
https://docs.aws.amazon.com/kms/latest/APIReference/API_Sign.html, API_GetPublicKey.html
"""

import base64
import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from aws_emulator import AwsEmulator
from aws_errors import Refusal, invalid
from aws_moto import account_of
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa, utils
from moto.kms.models import kms_backends
from wire import Request, Response, Service

_HASHES: Mapping[str, hashes.HashAlgorithm] = {
    "256": hashes.SHA256(),
    "384": hashes.SHA384(),
    "512": hashes.SHA512(),
}
_MOST_RAW = 4096


@contextmanager
def serving() -> Iterator[tuple[AwsEmulator, "Kms"]]:
    """Serve AWS with this KMS in it until the end of the context."""
    emulator = AwsEmulator()
    kms = Kms(emulator.moto)
    emulator.services["kms"] = kms
    with emulator.running():
        yield emulator, kms


@dataclass
class Kms:
    """The service; `moto` does what needs no correction. `wrong` spoils every signature."""

    moto: Service
    wrong: bool = False

    def __call__(self, request: Request) -> Response:
        match request.headers["x-amz-target"].rpartition(".")[2]:
            case "Sign":
                return _answer(self._sign(request))
            case "GetPublicKey":
                return _answer(_public_key(request))
        return self.moto(request)

    def _sign(self, request: Request) -> dict[str, object]:
        asked = json.loads(request.body)
        key, algorithm = _usable(request, asked["KeyId"]), asked["SigningAlgorithm"]
        if key.key_usage != "SIGN_VERIFY" or algorithm not in key.signing_algorithms:
            why = f"{key.arn} key usage is {key.key_usage}: {algorithm} is not valid for it."
            raise Refusal("InvalidKeyUsageException", why)
        message = base64.b64decode(asked["Message"])
        hashed = _HASHES[algorithm[-3:]]
        digest = _digest(message, asked.get("MessageType", "RAW"), hashed, algorithm)
        signature = _signature(key.private_key.private_key, digest, hashed, algorithm)
        told = signature[::-1] if self.wrong else signature
        return {
            "KeyId": key.arn,
            "Signature": base64.b64encode(told).decode(),
            "SigningAlgorithm": algorithm,
        }


def _public_key(request: Request) -> dict[str, object]:
    key = _usable(request, json.loads(request.body)["KeyId"])
    if key.key_spec == "SYMMETRIC_DEFAULT":
        raise Refusal("UnsupportedOperationException", f"{key.arn} is not an asymmetric key.")
    return {
        "KeyId": key.arn,
        "KeySpec": key.key_spec,
        "CustomerMasterKeySpec": key.key_spec,
        "KeyUsage": key.key_usage,
        "SigningAlgorithms": key.signing_algorithms,
        "PublicKey": base64.b64encode(key.private_key.public_key()).decode(),
    }


def _usable(request: Request, key_id: str) -> Any:
    found = _key(request, key_id)
    if found is None:
        raise Refusal("NotFoundException", f"Key '{key_id}' does not exist")
    if found.key_state == "Disabled":
        raise Refusal("DisabledException", f"{found.arn} is disabled.")
    if found.key_state != "Enabled":
        raise Refusal("KMSInvalidStateException", f"{found.arn} is pending deletion.")
    return found


def _key(request: Request, key_id: str) -> Any:
    """Return moto's key, None where the account has none of that name in the region."""
    scope = re.search(r"Credential=([^/]+)/\d+/([^/]+)/", request.headers["authorization"])
    assert scope is not None
    account, region = account_of(scope[1]), scope[2]
    return next(
        (k for k in kms_backends[account][region].keys.values() if key_id in (k.arn, k.id)), None
    )


def _digest(message: bytes, kind: str, hashed: hashes.HashAlgorithm, algorithm: str) -> bytes:
    if kind == "DIGEST":
        if len(message) != hashed.digest_size:
            raise invalid(f"Digest is invalid length for algorithm {algorithm}.")
        return message
    if len(message) > _MOST_RAW:
        raise invalid(
            "1 validation error detected: Value at 'message' failed to satisfy constraint: "
            "Member must have length less than or equal to 4096"
        )
    hasher = hashes.Hash(hashed)
    hasher.update(message)
    return hasher.finalize()


def _signature(key: Any, digest: bytes, hashed: hashes.HashAlgorithm, algorithm: str) -> bytes:
    prehashed = utils.Prehashed(hashed)
    if isinstance(key, rsa.RSAPrivateKey):
        pss = padding.PSS(padding.MGF1(hashed), hashed.digest_size)
        scheme = pss if "PSS" in algorithm else padding.PKCS1v15()
        return key.sign(digest, scheme, prehashed)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    return key.sign(digest, ec.ECDSA(prehashed))


def _answer(body: Mapping[str, object]) -> Response:
    kind = {"content-type": "application/x-amz-json-1.1"}
    return Response(200, json.dumps(body).encode(), kind)
