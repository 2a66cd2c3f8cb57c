"""CA keys in Google Cloud KMS: a digest is signed there, with checksums both ways.

https://cloud.google.com/kms/docs/create-validate-signatures and .../docs/data-integrity-guidelines
"""

from collections.abc import Callable
from functools import cached_property
from typing import Self, cast

from cryptography.hazmat.primitives.serialization import load_pem_public_key
from google.api_core.client_options import ClientOptions
from google.cloud import kms_v1

from providers.calls import Calls
from providers.errors import Conflict, Transient
from providers.gcp.checksum import crc32c
from providers.gcp.errors import explain
from providers.remote import RemoteSigner
from providers.signer import PublicKey
from schemas.custody import GcpKmsKey

_TIMEOUT = 30.0
_DIGESTS = {
    "EC_SIGN_P256_SHA256": "sha256",
    "EC_SIGN_P384_SHA384": "sha384",
    "RSA_SIGN_PKCS1_2048_SHA256": "sha256",
    "RSA_SIGN_PKCS1_4096_SHA512": "sha512",
}
"""The algorithms that sign as a CA of its key's kind does, and the digest that each takes."""


def connected(settings: GcpKmsKey) -> kms_v1.KeyManagementServiceClient:
    """Return a client with the application default credentials; raises what finding these raises."""
    endpoint = settings.endpoint
    options = ClientOptions(api_endpoint=endpoint) if endpoint else None
    return kms_v1.KeyManagementServiceClient(transport="rest", client_options=options)


class GcpKmsSigner(RemoteSigner):
    """Signs with one version of a key; `connect` makes the client when it is first needed."""

    needs = (
        "cloudkms.cryptoKeyVersions.viewPublicKey and .useToSign on the key"
        " (roles/cloudkms.signerVerifier)"
    )

    def __init__(
        self,
        key: GcpKmsKey,
        connect: Callable[[], kms_v1.KeyManagementServiceClient],
        calls: Calls,
    ) -> None:
        super().__init__(f"the key {key.key}", calls)
        self._key, self._connect = key.key, connect

    @classmethod
    def open(cls, settings: GcpKmsKey) -> Self:
        """Return the signer of a key; asks nothing yet."""
        return cls(settings, lambda: connected(settings), Calls(explain))

    @cached_property
    def _client(self) -> kms_v1.KeyManagementServiceClient:
        return self._connect()

    @cached_property
    def _described(self) -> kms_v1.PublicKey:
        return self._ask(self._get_public_key)

    def _get_public_key(self) -> kms_v1.PublicKey:
        found = self._client.get_public_key(name=self._key, retry=None, timeout=_TIMEOUT)
        if found.pem_crc32c != crc32c(found.pem.encode()):
            raise Transient("its public key did not arrive whole")
        return found

    def _fetch(self) -> PublicKey:
        found = self._described
        # what the client library does not know yet is a bare number
        algorithm = getattr(found.algorithm, "name", str(found.algorithm))
        if algorithm not in _DIGESTS:
            known = ", ".join(_DIGESTS)
            raise Conflict(f"{self.named} signs by {algorithm}; a CA's key is one of {known}")
        if found.name != self._key:
            raise Conflict(f"{self.named} was asked for, and {found.name} answered")
        return cast("PublicKey", load_pem_public_key(found.pem.encode()))

    def _sign_digest(self, digest: bytes, /) -> bytes:
        request = kms_v1.AsymmetricSignRequest(
            name=self._key,
            digest=kms_v1.Digest({_DIGESTS[self._described.algorithm.name]: digest}),
            digest_crc32c=crc32c(digest),
        )
        return self._ask(lambda: self._asymmetric_sign(request))

    def _asymmetric_sign(self, request: kms_v1.AsymmetricSignRequest) -> bytes:
        answer = self._client.asymmetric_sign(request, retry=None, timeout=_TIMEOUT)
        if not answer.verified_digest_crc32c or answer.name != self._key:
            raise Transient("the digest did not arrive whole")
        if answer.signature_crc32c != crc32c(answer.signature):
            raise Transient("its signature did not arrive whole")
        return bytes(answer.signature)
