"""The trust config beside our certificates: the anchors and intermediates of what was installed.

It only grows here. An update carries the etag of what was read, and is refused when that is stale.
https://cloud.google.com/certificate-manager/docs/trust-configs
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from cryptography.x509 import load_der_x509_certificate
from google.cloud import certificate_manager_v1 as api

from providers import x509
from providers.base import OWNER, Bundle
from providers.errors import Conflict, Rejected
from providers.failpoints import reach
from providers.gcp.ownership import belongs
from providers.gcp.service import Service

_ROUNDS = 4
"""How often an update is tried that others are faster than."""


@dataclass(frozen=True, slots=True)
class Trust:
    """One trust config, by its full name."""

    service: Service
    owner: str
    path: str

    def find(self) -> Any | None:
        """Return it, None when it is not there."""
        return self.service.find(self.service.client.get_trust_config, self.path)

    def hold(self, bundle: Bundle) -> None:
        """Add what a bundle is trusted by, unless it is there; raises `Rejected` for one that is not ours."""
        for _ in range(_ROUNDS):
            found = self._ours()
            if _holds(found, bundle):
                return
            try:
                self._extend(found, bundle)
            except Conflict:
                continue  # somebody else was faster: read again
            reach("gcp.trusted")
            return
        raise Conflict(f"{self.path} is changed by others all the time; apply again")

    def incomplete(self, resources: Iterable[Any]) -> Mapping[str, tuple[str, ...]]:
        """Say, by full name, for which certificates it does not hold what is above them."""
        held = _Held.by(self.find())
        lacking = (each.name for each in resources if not held.covers(each.pem_certificate))
        return dict.fromkeys(lacking, ("the trust config does not hold what it is trusted by",))

    def _ours(self) -> Any | None:
        found = self.find()
        if found is not None and not belongs(found.labels, self.owner):
            raise Rejected(f"{self.path} is not ours: choose another `trustConfig`")
        return found

    def _extend(self, found: Any | None, bundle: Bundle) -> None:
        def look() -> Any | None:
            now = self._ours()
            return now if _holds(now, bundle) else None

        self.service.settle(lambda: self._put(found, _extended(found, bundle)), look, self.path)

    def _put(self, found: Any | None, store: Any) -> None:
        client = self.service.client
        if found is None:
            parent, _, name = self.path.rsplit("/", 2)
            config = api.TrustConfig(
                name=self.path, labels={OWNER: self.owner}, trust_stores=[store]
            )
            new = api.CreateTrustConfigRequest(
                parent=parent, trust_config_id=name, trust_config=config
            )
            self.service.change(client.create_trust_config, new)
        else:
            config = api.TrustConfig(name=self.path, etag=found.etag, trust_stores=[store])
            change = api.UpdateTrustConfigRequest(
                trust_config=config, update_mask={"paths": ["trust_stores"]}
            )
            self.service.change(client.update_trust_config, change)


@dataclass(frozen=True, slots=True)
class _Held:
    """What a trust config holds; what anchors issued is asked once for all that lies below."""

    anchors: tuple[bytes, ...]
    above: frozenset[bytes]
    _anchored: dict[bytes, bool] = field(default_factory=dict)

    @classmethod
    def by(cls, found: Any | None) -> "_Held":
        stores = found.trust_stores if found is not None else []
        anchors = (each for store in stores for each in _ders(store.trust_anchors))
        above = (each for store in stores for each in _ders(store.intermediate_cas))
        return cls(tuple(anchors), frozenset(above))

    def covers(self, pem: str) -> bool:
        """Whether a leaf's chain is held, up to an anchor."""
        leaf, *chain = x509.split_pem(pem.encode())
        top = chain[-1] if chain else leaf
        if top not in self._anchored:
            self._anchored[top] = any(_issued(top, anchor) for anchor in self.anchors)
        return self._anchored[top] and self.above.issuperset(chain)


def _issued(child: bytes, issuer: bytes) -> bool:
    try:
        return x509.is_issued_by(*map(load_der_x509_certificate, (child, issuer)))
    except ValueError:  # it cannot be read
        return False


def _ders(held: Iterable[Any]) -> Iterator[bytes]:
    return (der for each in held for der in x509.split_pem(each.pem_certificate.encode()))


def _extended(found: Any | None, bundle: Bundle) -> Any:
    """Return the one trust store there can be, with a bundle's anchors and intermediates in it."""
    stores = found.trust_stores if found is not None else []
    anchors = [each for store in stores for each in store.trust_anchors]
    above = [each for store in stores for each in store.intermediate_cas]
    return api.TrustConfig.TrustStore(
        trust_anchors=[*anchors, *_new(api.TrustConfig.TrustAnchor, anchors, bundle.anchors)],
        intermediate_cas=[*above, *_new(api.TrustConfig.IntermediateCA, above, bundle.chain)],
    )


def _new(kind: Any, held: Iterable[Any], pems: Iterable[bytes]) -> list[Any]:
    known = set(_ders(held))
    return [kind(pem_certificate=pem.decode()) for pem in pems if x509.to_der(pem) not in known]


def _holds(found: Any | None, bundle: Bundle) -> bool:
    return found is not None and list(found.trust_stores) == [_extended(found, bundle)]
