"""A CA key as its owner had it, a whole file inside a sops file: opened when it first has to sign."""

from providers.errors import Conflict
from providers.secret import Secret
from providers.signer import PrivateKey
from providers.sops.binary import Sops
from providers.sops.signer import SopsSigner
from providers.x509.keys import decode_key_file


class KeyFileSigner(SopsSigner):
    """A key in a file that somebody else wrote; `named` is whose it is, for people."""

    def __init__(self, named: str, ciphertext: bytes, sops: Sops) -> None:
        super().__init__(ciphertext, sops)
        self._named = named

    def _decoded(self, secret: Secret) -> PrivateKey:
        try:
            return decode_key_file(secret)
        except ValueError as why:
            raise Conflict(
                f"the sops file with the key of {self._named} opens, but {why}"
            ) from None
