"""A target that is a dictionary: for tests of what drives targets, and as the shortest example of one.

It has every optional ability. The store outlives the target, as a real place would.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import ClassVar, Self, TypeVar

from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import CertificateSigningRequestBuilder, Name

from providers import x509
from providers.abilities import AdoptRequest, KeyRequest, RelabelRequest, Staged
from providers.base import OWNER, Bundle, Installed, InstallRequest, TargetConfig
from providers.errors import Conflict, NotFound, ProviderError, Rejected, Unreachable
from providers.memory_store import MemoryObject, MemoryStore
from providers.memory_trust import MemoryTrust
from providers.pairing import Pair, Pairing
from providers.signer import signature_hash
from schemas.capabilities import Capabilities

_CHANGED, _UNCHANGED = "changed", "unchanged"
_UNFINISHED = "its removal was not finished"
Item = TypeVar("Item")
Result = TypeVar("Result")


class MemoryTarget(MemoryTrust):
    """A place in memory."""

    capabilities: ClassVar[Capabilities] = Capabilities(
        output_formats=("CombinedPEM",), makes_keys=True, adopts=True, holds_trust=True
    )

    @classmethod
    def from_config(cls, config: TargetConfig, /) -> Self:
        """Make a target with an empty store of its own."""
        return cls(config, MemoryStore())

    def observe(self) -> Sequence[Installed]:
        """Return every object, or raise `Unreachable` when the store says so."""
        self.store.tell("observe")
        if not self.store.reachable:
            raise Unreachable(f"{self._name} cannot be read")
        return tuple(_as_seen(self.store.objects[name]) for name in sorted(self.store.objects))

    def install(self, request: InstallRequest, /) -> Installed:
        """Stage, switch, activate, verify and settle one object; what fails is undone."""
        self.store.tell("install")
        self.store.tell("install", request.name)
        installed = _only(self.switch([_only(self.stage([request]))]))
        try:
            self.activate()
            installed = _only(self.verify([installed]))
        except ProviderError:
            self.restore(installed)
            raise
        self.settle([installed])
        return installed

    def remove(self, installed: Installed, /) -> None:
        """Remove an object of ours; raises `Conflict` for another than was observed."""
        self.store.tell("remove")
        self.store.tell("remove", installed.name)
        shown = self._ours(installed)
        if shown is not None:
            del self.store.objects[shown.installed.name]

    def withdraw(self, installed: Installed, /) -> None:
        """Let the consumer load it no more; raises `Conflict` for another than was observed."""
        self._hide("withdraw", installed, withdrawn=True)

    def reinstate(self, installed: Installed, /) -> None:
        """Let the consumer load again what was withdrawn."""
        self._hide("reinstate", installed, withdrawn=False)

    def stage(self, requests: Sequence[InstallRequest], /) -> Sequence[Staged | ProviderError]:
        """Keep every object aside."""
        return self._each("stage", requests, lambda request: request.name, self._stage)

    def switch(self, staged: Sequence[Staged], /) -> Sequence[Installed | ProviderError]:
        """Show every object that was kept aside."""
        return self._each("switch", staged, lambda each: each.request.name, self._switch)

    def activate(self) -> None:
        """Let the consumer load what is shown."""
        self.store.tell("activate")
        self.store.served = {
            name: each.installed.sha256
            for name, each in self.store.objects.items()
            if not each.withdrawn
        }

    def verify(self, installed: Sequence[Installed], /) -> Iterable[Installed | ProviderError]:
        """Compare what the consumer has loaded."""
        return self._each("verify", installed, lambda each: each.name, self._verify)

    def restore(self, installed: Installed, /) -> Installed | None:
        """Show the predecessor again, or nothing where nothing was; what is settled stays as it is."""
        self.store.tell("restore")
        shown = self._ours(installed)
        if shown is None:
            raise Conflict(f"{installed.id} is gone, so its predecessor cannot be put back")
        if shown.settled:
            return shown.installed
        before = shown.predecessor
        del self.store.objects[shown.installed.name]
        if before is None:
            return None
        left = self.store.at(before.installed.id)  # it stays beside what supersedes it
        if left is not None:
            del self.store.objects[left.installed.name]
        self.store.objects[before.installed.name] = before
        return before.installed

    def settle(self, installed: Sequence[Installed], /) -> None:
        """Forget predecessors."""
        self.store.tell("settle")
        for each in installed:
            shown = self.store.objects.get(each.name)
            if shown is None or not _alike(shown.installed, each):
                raise Conflict(f"{each.id} is not what was verified, so its predecessor stays")
            self.store.objects[each.name] = replace(shown, predecessor=None, settled=True)
            if shown.bundle is not None and self._waits_for(each.name, shown.bundle):
                del self.store.keys[each.name]

    def relabel(self, request: RelabelRequest, /) -> Installed:
        """Replace an object's labels."""
        self.store.tell("relabel")
        shown = self._ours(request.installed)
        if shown is None:
            raise Conflict(f"{request.installed.id} is gone, so it cannot be labelled")
        installed = replace(shown.installed, labels=dict(request.labels))
        self.store.objects[installed.name] = replace(shown, installed=installed)
        return installed

    def adopt(self, request: AdoptRequest, /) -> Installed:
        """Label an object that somebody else made; what was adopted already is labelled again."""
        self.store.tell("adopt")
        self.store.tell("adopt", request.name)
        known = [each for each in self.store.objects.values() if each.installed.id == request.id]
        if not known:
            raise NotFound(f"{request.id} is not there")
        before = known[0].installed
        if before.labels.get(OWNER, self._owner) != self._owner:
            raise Conflict(f"{request.id} is another owner's")
        request.check(before.serial, before.sha256)
        if before.name != request.name and request.name in self.store.objects:
            raise Conflict(f"there is another object called {request.name}")
        labels = {**before.labels, **request.labels}
        installed = replace(before, name=request.name, labels=labels)
        del self.store.objects[before.name]
        self.store.objects[request.name] = replace(known[0], installed=installed)
        return installed

    def make_key(self, request: KeyRequest, /) -> bytes:
        """Return a signing request; the same key is asked for until a certificate for it is installed."""
        self.store.tell("make_key")
        self.store.tell("make_key", request.name)
        key, wanted = self.store.keys.get(request.name), request.request.key
        if key is None or x509.key_type(key.public_key()) != (wanted.algorithm, wanted.size):
            key = self.store.keys[request.name] = x509.generate_key(wanted)
        hashing = signature_hash(key.public_key())
        made = CertificateSigningRequestBuilder().subject_name(Name(())).sign(key, hashing)
        return made.public_bytes(Encoding.DER)

    def _waits_for(self, name: str, bundle: Bundle) -> bool:
        """Whether a certificate is for the key that was made here last and waits."""
        key = self.store.keys.get(name)
        return key is not None and x509.facts(bundle.certificate).spki == x509.spki(
            key.public_key()
        )

    def _stage(self, request: InstallRequest) -> Staged:
        shown = self._shown(request)
        made = self._made(request, shown)
        if request.name in self.store.trust:
            raise Conflict(f"{made.installed.id} is a bundle of anchors")
        if shown is not None and _as_seen(shown) == made.installed:
            return Staged(request, _UNCHANGED)
        if request.predecessor is None and shown is not None:
            raise Conflict(f"{made.installed.id} is there already")
        if request.predecessor is not None and (
            shown is None or not _alike(shown.installed, request.predecessor)
        ):
            raise Conflict(f"{made.installed.id} is not what was observed")
        if shown is not None and not shown.installed.owned_by(self._owner):
            raise Conflict(f"{made.installed.id} is not ours")
        if request.bundle.private_key is None and not self._waits_for(request.name, request.bundle):
            raise Conflict(f"{made.installed.id}: no key for this certificate waits there")
        self.store.staged[request.name] = replace(made, predecessor=shown, settled=False)
        return Staged(request, _CHANGED)

    def _switch(self, staged: Staged) -> Installed:
        name = staged.request.name
        if staged.token == _CHANGED:
            made = self.store.staged.pop(name)
            self.store.make_room(made)
            self.store.objects[name] = made
        return self.store.objects[name].installed

    def _verify(self, installed: Installed) -> Installed:
        shown = self._ours(installed)
        served = self.store.served.get(shown.installed.name) if shown else None
        if shown is None or served != installed.sha256:
            raise Rejected(f"{installed.id}: {served} is served")
        return shown.installed

    def _shown(self, request: InstallRequest) -> MemoryObject | None:
        """What stands there, which may go by a former name."""
        before = request.predecessor
        return self.store.objects.get(before.name if before else request.name)

    def _made(self, request: InstallRequest, shown: MemoryObject | None) -> MemoryObject:
        bundle = request.bundle
        pair = Pairing().check(bundle)
        there = shown.installed if shown else None
        if request.replace and there is not None and there.sha256 != pair.sha256:
            there = None
        installed = Installed(
            id=there.id if there else self._new_id(request.name, pair),
            name=request.name,
            labels=dict(request.labels),
            serial=pair.serial,
            sha256=pair.sha256,
            not_after=pair.not_after,
            trust=pair.trust,
            dns_name=pair.dns_name,
            output_formats=request.output_formats,
            keystores=request.keystores.digest,
            used_by=there.used_by if there else (),
        )
        return MemoryObject(installed, bundle)

    def _new_id(self, name: str, pair: Pair) -> str:
        """An identity of its own, where what was superseded keeps the name's."""
        id_ = f"memory:{self._name}/{name}"
        return id_ if self.store.at(id_) is None else f"{id_}~{pair.serial}"

    def _hide(self, verb: str, installed: Installed, *, withdrawn: bool) -> None:
        self.store.tell(verb)
        self.store.tell(verb, installed.name)
        shown = self._ours(installed)
        if shown is not None:
            self.store.objects[shown.installed.name] = replace(shown, withdrawn=withdrawn)

    def _ours(self, installed: Installed) -> MemoryObject | None:
        """Return the object that was observed, None when gone; raises `Conflict` for any other."""
        shown = self.store.at(installed.id)
        if shown is None:
            return None
        if not shown.installed.owned_by(self._owner) or not _alike(shown.installed, installed):
            raise Conflict(f"{installed.id} is not ours, or not what was observed")
        return shown

    def _each(
        self,
        verb: str,
        items: Sequence[Item],
        name: Callable[[Item], str],
        step: Callable[[Item], Result],
    ) -> list[Result | ProviderError]:
        self.store.tell(verb)
        results: list[Result | ProviderError] = []
        for item in items:
            try:
                self.store.tell(verb, name(item))
                results.append(step(item))
            except ProviderError as error:
                results.append(error)
        return results


def _as_seen(each: MemoryObject) -> Installed:
    if each.withdrawn:
        return replace(each.installed, drift=(*each.installed.drift, _UNFINISHED))
    return each.installed


def _alike(one: Installed, other: Installed) -> bool:
    return (one.id, one.serial, one.sha256) == (other.id, other.serial, other.sha256)


def _only(results: Iterable[Result | ProviderError]) -> Result:
    (result,) = results
    if isinstance(result, ProviderError):
        raise result
    return result
