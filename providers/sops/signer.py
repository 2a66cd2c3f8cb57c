"""A CA key kept as sops ciphertext, opened when it first has to sign."""

from functools import cached_property

from providers.errors import Conflict
from providers.secret import Secret
from providers.signer import KeyHolder, PrivateKey
from providers.sops.binary import Sops
from providers.x509.keys import decode_key


class SopsSigner(KeyHolder):
    """Holds an opened key in memory alone, from its first use on."""

    def __init__(self, ciphertext: bytes, sops: Sops) -> None:
        self._ciphertext = ciphertext
        self._sops = sops

    def private_key(self) -> PrivateKey:
        """Return the key; raises what `Sops.decrypt` raises, and Conflict when it holds no usable key."""
        return self._key

    @cached_property
    def _key(self) -> PrivateKey:
        return self._decoded(self._sops.decrypt(self._ciphertext))

    def _decoded(self, secret: Secret) -> PrivateKey:
        try:
            return decode_key(secret)
        except ValueError:
            raise Conflict("the sops file opens, but what it holds is no private key") from None
