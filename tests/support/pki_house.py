"""A small house of CAs, every key made once a session."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from key_kinds import P256

from providers import x509
from providers.signer import KeySigner, PrivateKey
from schemas.authority import NameConstraints
from schemas.certificate import Algorithm, Usage
from schemas.request import AuthorityRequest, KeyType, LeafRequest

NOW = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)


@dataclass(frozen=True)
class Made:
    """A CA that was signed, its key, and the certificates above it."""

    der: bytes
    above: tuple[bytes, ...]
    signer: KeySigner

    @property
    def authority(self) -> x509.IssuingAuthority:
        return x509.IssuingAuthority.load(self.der, self.above)


class House:
    """Makes keys, CAs and what is to be signed below them."""

    now = NOW

    def __init__(self) -> None:
        self._keys: dict[tuple[Algorithm, int], PrivateKey] = {}

    def key(self, kind: KeyType = P256) -> PrivateKey:
        """One key of each kind: what is tested does not care whose it is."""
        found = self._keys.get((kind.algorithm, kind.size))
        if found is None:
            found = self._keys[kind.algorithm, kind.size] = x509.generate_key(kind)
        return found

    def authority_request(self, name: str, parent: str | None, **changes: Any) -> AuthorityRequest:
        return AuthorityRequest(
            **{
                "issuer": parent,
                "issuer_generation": 1 if parent else None,
                "generation": 1,
                "common_name": f"{name} G1",
                "key": P256,
                "duration": 86400 * 3650,
                **changes,
            }
        )

    def leaf_request(self, **changes: Any) -> LeafRequest:
        return LeafRequest(
            **{
                "issuer": "issuing",
                "issuer_generation": 1,
                "dns_names": ("web.example.com",),
                "usages": (Usage.SERVER_AUTH,),
                "key": P256,
                "duration": 86400 * 90,
                **changes,
            }
        )

    def tbs(self, request: LeafRequest | AuthorityRequest, **changes: Any) -> x509.ToBeSigned:
        start, end = x509.validity(NOW, request.duration)
        said = {
            "request": request,
            "serial": x509.new_serial(),
            "not_before": start,
            "not_after": end,
            "spki": x509.spki(self.key(request.key).public_key()),
        }
        return x509.ToBeSigned(**{**said, **changes})

    def root(self, **changes: Any) -> Made:
        return self._made(self.authority_request("Root", None, **changes), None)

    def below(self, parent: Made, name: str = "Issuing", **changes: Any) -> Made:
        return self._made(self.authority_request(name, "root", **changes), parent)

    def constrained(self, constraints: NameConstraints) -> Made:
        return self.below(self.root(), name_constraints=constraints)

    def _made(self, request: AuthorityRequest, parent: Made | None) -> Made:
        signer = KeySigner(self.key(request.key))
        tbs = self.tbs(request)
        der = x509.sign(
            tbs, parent.authority if parent else None, parent.signer if parent else signer
        )
        return Made(der, (parent.der, *parent.above) if parent else (), signer)
