"""Places in memory as in ACM: objects go by their labels, and what cannot be changed takes a new object."""

from collections.abc import Sequence
from dataclasses import replace
from typing import ClassVar

from providers.abilities import AdoptRequest, RelabelRequest, Staged
from providers.base import NAME, Installed, InstallRequest
from providers.errors import InUse, ProviderError, Rejected
from providers.memory import MemoryTarget
from providers.memory_store import MemoryObject
from providers.x509.content import content
from schemas.capabilities import Capabilities, Fixed
from schemas.request import KeyType
from schemas.target import Plugin, TargetSpec

REGION = "box/north"
"""A place of a Target with several."""
CAPABILITIES = Capabilities(
    fixed=frozenset({Fixed.KEY_TYPE, Fixed.REMOVED_USAGES}),
    names_objects=False,
    shared_labels=True,
    adopts=True,
)
SPEC = TargetSpec(plugin=Plugin(kind="example.com/box", settings={}, capabilities=CAPABILITIES))


class NamelessTarget(MemoryTarget):
    """Of several objects with one label the newest goes by it; what is not ours goes by its identity."""

    capabilities: ClassVar[Capabilities] = CAPABILITIES

    def observe(self) -> Sequence[Installed]:
        self._name_again()
        return super().observe()

    def switch(self, staged: Sequence[Staged], /) -> Sequence[Installed | ProviderError]:
        try:
            return super().switch(staged)
        finally:
            self._name_again()

    def restore(self, installed: Installed, /) -> Installed | None:
        before = super().restore(installed)
        self._name_again()
        return before

    def remove(self, installed: Installed, /) -> None:
        shown = self._ours(installed)
        if shown is not None and shown.installed.used_by:
            raise InUse(f"{installed.id} is in use")
        super().remove(installed)
        self._name_again()

    def relabel(self, request: RelabelRequest, /) -> Installed:
        labelled = super().relabel(request)
        self._name_again()
        return self._now(labelled)

    def adopt(self, request: AdoptRequest, /) -> Installed:
        adopted = super().adopt(request)
        self._name_again()
        return self._now(adopted)

    def _now(self, installed: Installed) -> Installed:
        held = self.store.at(installed.id)
        assert held is not None
        return held.installed

    def _stage(self, request: InstallRequest) -> Staged:
        shown = self._shown(request)
        kept = shown.bundle if shown is not None and not request.replace else None
        if kept is not None and _key(kept.certificate) != _key(request.bundle.certificate):
            raise Rejected(f"{request.name}: the type of a key never changes here")
        return super()._stage(request)

    def _made(self, request: InstallRequest, shown: MemoryObject | None) -> MemoryObject:
        made = super()._made(request, shown)
        if shown is None or shown.installed.id != made.installed.id:
            return made
        labels = {**shown.installed.labels, **request.labels}  # those of others stay
        return replace(made, installed=replace(made.installed, labels=labels))

    def _name_again(self) -> None:
        """Call every object what its labels say; those of a store stand in the order of their age."""
        held = tuple(self.store.objects.values())
        ours = [each for each in held if each.installed.owned_by(self._owner)]
        newest = {_label(each): each.installed.id for each in ours}
        named = [each.called(self._called(each, newest)) for each in held]
        assert len({each.installed.id for each in named}) == len(named), "an identity came twice"
        self.store.objects = {each.installed.name: each for each in named}
        assert len(self.store.objects) == len(named), "a name came twice"

    def _called(self, each: MemoryObject, newest: dict[str, str]) -> str:
        if not each.installed.owned_by(self._owner):
            return each.installed.id
        label = _label(each)
        return label if newest[label] == each.installed.id else each.called(label).beside


def _label(each: MemoryObject) -> str:
    return each.installed.labels.get(NAME, each.installed.id)


def _key(certificate: bytes) -> KeyType | None:
    return content(certificate).key
