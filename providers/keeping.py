"""The contract of who makes a CA key, keeps it, and signs with it by itself. Beside `providers.signer`.

A **keeper** is asked for a signing request of a key, and handed the certificate that a CA of ours made of
it; certform signs nothing with that key. Both verbs may be repeated: a key is known by the name that it was
asked for with, and one that is there already is no other. Every failure is a
`providers.errors.ProviderError`.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol, Self

from providers.issuing import no_secrets
from providers.secret import Secret
from schemas.custody import MountedKey
from schemas.request import KeyType
from schemas.secrets import SecretReference


@dataclass(frozen=True, slots=True)
class KeeperConfig:
    """What a keeper is made from; `secret` and `files` are as in `providers.issuing.IssuerConfig`."""

    custody: MountedKey
    secret: Callable[[SecretReference], Secret] = no_secrets
    files: Mapping[str, bytes] = field(default_factory=dict)


class Keeper(Protocol):
    """Makes, keeps and uses CA keys."""

    @classmethod
    def from_config(cls, config: KeeperConfig, /) -> Self:
        """Make the keeper; reads nothing and connects nowhere."""
        ...

    def request(self, name: str, kind: KeyType, common_name: str, /) -> bytes:
        """Return a signing request (DER) of the key of a name, which is made if there is none."""
        ...

    def install(self, certificate: bytes, above: Sequence[bytes], /) -> None:
        """Hand over the certificate (DER) of a key and those above it, its issuer's first.

        Returns once it is what the keeper was seen to sign under; again is no error.
        """
        ...
