"""Bundles of trust anchors in a place in memory: the shortest example of the ability."""

from collections.abc import Sequence
from dataclasses import replace

from providers.abilities import HeldTrust, TrustRequest
from providers.anchors import by_fingerprint
from providers.base import TargetConfig
from providers.errors import Conflict, ProviderError, Rejected, Unreachable
from providers.memory_store import MemoryStore


class MemoryTrust:
    """What holds trust of a place in memory."""

    def __init__(self, config: TargetConfig, store: MemoryStore) -> None:
        self._name = config.name
        self._owner = config.owner
        self.store = store

    def activate(self) -> None:
        """Let the consumer load what is shown."""
        raise NotImplementedError

    def observe_trust(self) -> Sequence[HeldTrust]:
        """Return every bundle, or raise `Unreachable` when the store says so."""
        self.store.tell("observe_trust")
        if not self.store.reachable:
            raise Unreachable(f"{self._name} cannot be read")
        return tuple(self.store.trust[name] for name in sorted(self.store.trust))

    def install_trust(self, request: TrustRequest, /) -> HeldTrust:
        """Show a bundle, and tell the consumer; what that refuses is undone."""
        self.store.tell("install_trust")
        self.store.tell("install_trust", request.name)
        made = self._trusted(request)
        shown = self.store.trust.get(request.name)
        if shown != made:
            self._expect(request, shown)
        self.store.trust[request.name] = made
        try:
            self.activate()
            self.store.tell("verify_trust", request.name)
        except ProviderError:
            self._put_back(request.name, shown)
            raise
        return made

    def remove_trust(self, held: HeldTrust, /) -> None:
        """Remove a bundle of ours; raises `Conflict` for another than was observed."""
        self.store.tell("remove_trust")
        self.store.tell("remove_trust", held.name)
        shown = self.store.trust.get(held.name)
        if shown is None:
            return
        if not shown.owned_by(self._owner) or not _alike(shown, held):
            raise Conflict(f"{held.id} is not ours, or not what was observed")
        del self.store.trust[held.name]
        try:
            self.activate()
        except ProviderError:
            self.store.trust[held.name] = shown
            raise

    def _trusted(self, request: TrustRequest) -> HeldTrust:
        try:
            anchors = by_fingerprint(request.anchors)
        except ValueError:
            raise Rejected("the bundle holds PEM that cannot be read") from None
        if not anchors:
            raise Rejected("a bundle without anchors trusts nobody")
        id_ = f"memory:{self._name}/{request.name}"
        return HeldTrust(id_, request.name, dict(request.labels), anchors)

    def _expect(self, request: TrustRequest, shown: HeldTrust | None) -> None:
        if request.name in self.store.objects:
            raise Conflict(f"{request.name} is a certificate")
        before = request.predecessor
        if (before is None) != (shown is None):
            raise Conflict(f"{request.name} is not as it was observed")
        if shown and before and not (shown.owned_by(self._owner) and _alike(shown, before)):
            raise Conflict(f"{shown.id} is not ours, or not what was observed")

    def _put_back(self, name: str, shown: HeldTrust | None) -> None:
        del self.store.trust[name]
        if shown is not None:
            self.store.trust[name] = shown


def _alike(one: HeldTrust, other: HeldTrust) -> bool:
    return replace(one, drift=(), labels={}) == replace(other, drift=(), labels={})
