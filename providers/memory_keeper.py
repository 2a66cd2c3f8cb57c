"""A keeper of CA keys that is a dictionary: for tests of what drives one, and as the shortest example."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Self

from providers import x509
from providers.errors import NotFound, ProviderError
from providers.keeping import KeeperConfig
from providers.signer import KeySigner, PrivateKey
from providers.x509.ordering import authority_signing_request
from schemas.request import AuthorityRequest, KeyType


@dataclass(slots=True)
class Safe:
    """What a keeper has, which outlives it: keys by name, and each certificate with what is above it.

    `failures` are raised, one a call, before anything is done; `lost` ones afterwards.
    """

    keys: dict[str, PrivateKey] = field(default_factory=dict)
    installed: list[tuple[bytes, ...]] = field(default_factory=list)
    failures: list[ProviderError] = field(default_factory=list)
    lost: list[ProviderError] = field(default_factory=list)
    calls: Counter[str] = field(default_factory=Counter)


class MemoryKeeper:
    """Keeps keys in a safe."""

    def __init__(self, safe: Safe) -> None:
        self.safe = safe

    @classmethod
    def from_config(cls, _config: KeeperConfig, /) -> Self:
        """Make a keeper with a safe of its own."""
        return cls(Safe())

    def request(self, name: str, kind: KeyType, common_name: str, /) -> bytes:
        """Return a request of the key of a name, made now if there is none."""
        self._call("request")
        key = self.safe.keys.setdefault(name, x509.generate_key(kind))
        self._answer()
        asked = AuthorityRequest(generation=1, common_name=common_name, key=kind, duration=1)
        return authority_signing_request(asked, KeySigner(key))

    def install(self, certificate: bytes, above: Sequence[bytes], /) -> None:
        """Sign under a certificate from now on."""
        self._call("install")
        mine = {x509.spki(key.public_key()) for key in self.safe.keys.values()}
        if x509.facts(certificate).spki not in mine:
            raise NotFound("there is no key for the certificate")
        self.safe.installed.append((certificate, *above))
        self._answer()

    def _call(self, verb: str) -> None:
        self.safe.calls[verb] += 1
        if self.safe.failures:
            raise self.safe.failures.pop(0)

    def _answer(self) -> None:
        if self.safe.lost:
            raise self.safe.lost.pop(0)
