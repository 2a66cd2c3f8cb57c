"""A CA key as its owner had it, a whole file inside a sops file: opened when it first has to sign."""

from functools import cached_property

from providers.errors import Conflict
from providers.signer import KeyHolder, PrivateKey
from providers.sops.binary import Sops
from providers.x509.keys import decode_key_file


class KeyFileSigner(KeyHolder):
    """Holds an opened key in memory alone, from its first use on; `named` is whose it is, for people."""

    def __init__(self, named: str, ciphertext: bytes, sops: Sops) -> None:
        self._named = named
        self._ciphertext = ciphertext
        self._sops = sops

    def private_key(self) -> PrivateKey:
        """Return the key; raises what `Sops.decrypt` raises, and Conflict when it holds no usable key."""
        return self._key

    @cached_property
    def _key(self) -> PrivateKey:
        try:
            return decode_key_file(self._sops.decrypt(self._ciphertext))
        except ValueError as why:
            raise Conflict(
                f"the sops file with the key of {self._named} opens, but {why}"
            ) from None
