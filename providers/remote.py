"""CA keys at key services: only a digest goes there, and what comes back is verified before it is used."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from functools import cached_property
from typing import TypeVar, cast

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding

from providers.calls import Calls
from providers.errors import Conflict, Denied, ProviderError
from providers.mldsa import MlDsaPublicKey
from providers.signer import PublicKey, SignatureHash, Signer, builder_key, signature_hash
from providers.x509.keys import key_type

Answer = TypeVar("Answer")


class RemoteSigner(ABC):
    """Signs at a key service. `named` says which key it is, as people know it; `needs`, which permissions.

    A service that failed once, after all patience, is not asked again by the same signer: a run that
    signs thousands would wait as often. What a signer is asked to sign twice has two signatures.
    """

    needs: str

    def __init__(self, named: str, calls: Calls) -> None:
        self.named = named
        self._calls = calls
        self._failure: ProviderError | None = None

    @abstractmethod
    def _fetch(self) -> PublicKey:
        """Ask for the public half; raise `Conflict` for a key that cannot sign as its kind has to.

        ValueError is for one that cannot be read.
        """

    @abstractmethod
    def _sign_digest(self, digest: bytes, /) -> bytes:
        """Let the key sign a digest by its one scheme, ECDSA as DER; raise ProviderError."""

    def _ask(self, call: Callable[[], Answer], /) -> Answer:
        """Call the service, again where that may help: a signature that was lost did no harm."""
        try:
            return self._calls.read(call)
        except ProviderError as why:
            what = f"; it takes {self.needs}" if isinstance(why, Denied) else ""
            why.args = (f"{self.named}: {why}{what}",)
            raise

    @cached_property
    def _public(self) -> PublicKey:
        try:
            found = self._fetch()
            key_type(found)
        except ValueError as why:
            raise Conflict(f"{self.named} is of no use to a CA: {why}") from None
        return found

    def public_key(self) -> PublicKey:
        """Return the public half, asked for once; raises what the service's refusal is explained as."""
        return self._public

    def sign(self, data: bytes, /) -> bytes:
        """Sign by the key's one scheme; raises ProviderError, and `Conflict` for a wrong answer."""
        if self._failure is not None:
            raise self._failure
        try:
            return self._signed(data)
        except ProviderError as why:
            self._failure = why
            raise

    def _signed(self, data: bytes) -> bytes:
        public = self.public_key()
        hasher = hashes.Hash(_hash(public))
        hasher.update(data)
        signature = self._sign_digest(hasher.finalize())
        if not verifies(public, signature, data):
            raise Conflict(f"{self.named} answered with a signature that its public key refuses")
        return signature


def _hash(key: PublicKey) -> SignatureHash:
    return cast("SignatureHash", signature_hash(key))


def verifies(key: PublicKey, signature: bytes, data: bytes) -> bool:
    """Whether a signature over data is one by the key's one scheme."""
    try:
        if isinstance(key, ed25519.Ed25519PublicKey | MlDsaPublicKey):
            key.verify(signature, data)
        elif isinstance(key, ec.EllipticCurvePublicKey):
            key.verify(signature, data, ec.ECDSA(_hash(key)))
        else:
            key.verify(signature, data, padding.PKCS1v15(), _hash(key))
    except InvalidSignature:
        return False
    return True


def prove(signer: Signer) -> None:
    """Let a key sign a request for itself (RFC 2986), so that no certificate is made for one that cannot.

    Raises what the signer raises.
    """
    request = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([]))
    request.sign(builder_key(signer), signature_hash(signer.public_key()))
