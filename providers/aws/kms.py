"""CA keys in AWS KMS: a digest is signed there, since a message may have no more than 4096 bytes.

https://docs.aws.amazon.com/kms/latest/APIReference/API_Sign.html
"""

from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING, Self

from providers.aws.errors import explain
from providers.aws.sessions import CONFIG, Access, shared
from providers.calls import Calls
from providers.errors import Conflict
from providers.remote import RemoteSigner
from providers.signer import PublicKey
from providers.x509.keys import decode_spki
from schemas.custody import AwsKmsKey

if TYPE_CHECKING:
    from mypy_boto3_kms.client import KMSClient
    from mypy_boto3_kms.literals import SigningAlgorithmSpecType
    from mypy_boto3_kms.type_defs import GetPublicKeyResponseTypeDef

_SCHEMES: "dict[str, SigningAlgorithmSpecType]" = {
    "ECC_NIST_P256": "ECDSA_SHA_256",
    "ECC_NIST_P384": "ECDSA_SHA_384",
    "ECC_NIST_P521": "ECDSA_SHA_512",
    "RSA_2048": "RSASSA_PKCS1_V1_5_SHA_256",
    "RSA_3072": "RSASSA_PKCS1_V1_5_SHA_384",
    "RSA_4096": "RSASSA_PKCS1_V1_5_SHA_512",
}
"""How a CA of each kind of key signs."""


def connected(settings: AwsKmsKey) -> "KMSClient":
    """Return a client of the key's region, as whoever may use the key; asks nothing yet."""
    region = settings.region
    client: KMSClient = shared().client(
        Access(region, settings.role, settings.external_id),
        lambda session: session.client("kms", region_name=region, config=CONFIG),
    )
    return client


class AwsKmsSigner(RemoteSigner):
    """Signs with an asymmetric key; `connect` makes the client when it is first needed."""

    needs = "kms:GetPublicKey and kms:Sign on the key"

    def __init__(self, key: AwsKmsKey, connect: "Callable[[], KMSClient]", calls: Calls) -> None:
        super().__init__(f"the key {key.key}", calls)
        self._key, self._connect = key.key, connect

    @classmethod
    def open(cls, settings: AwsKmsKey) -> Self:
        """Return the signer of a key; asks nothing yet."""
        return cls(settings, lambda: connected(settings), Calls(explain))

    @cached_property
    def _client(self) -> "KMSClient":
        return self._connect()

    @cached_property
    def _scheme(self) -> "SigningAlgorithmSpecType":
        return _SCHEMES[self._described["KeySpec"]]

    @cached_property
    def _described(self) -> "GetPublicKeyResponseTypeDef":
        return self._ask(lambda: self._client.get_public_key(KeyId=self._key))

    def _fetch(self) -> PublicKey:
        found = self._described
        spec, usage = found["KeySpec"], found["KeyUsage"]
        if usage != "SIGN_VERIFY" or spec not in _SCHEMES:
            known = ", ".join(_SCHEMES)
            raise Conflict(
                f"{self.named} is a {spec} key for {usage}; a CA's key is for SIGN_VERIFY, one of {known}"
            )
        if found["KeyId"] != self._key:
            raise Conflict(f"{self.named} was asked for, and {found['KeyId']} answered")
        return decode_spki(found["PublicKey"])

    def _sign_digest(self, digest: bytes, /) -> bytes:
        return self._ask(
            lambda: self._client.sign(
                KeyId=self._key,
                Message=digest,
                MessageType="DIGEST",
                SigningAlgorithm=self._scheme,
            )
        )["Signature"]
