"""The local-directory target: certificates as PEM files that a server on this host reads."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import ClassVar, Self, TypeVar

from providers.abilities import HeldTrust, RelabelRequest, Staged, TrustRequest
from providers.base import Installed, InstallRequest, TargetConfig
from providers.errors import Ambiguous, Conflict, Denied, ProviderError, Rejected, Unreachable
from providers.failpoints import reach
from providers.local import activation, handshake, observation, settling, staging, trust
from providers.local.folder import Folder, fault
from providers.local.layout import Place, Site
from providers.local.marker import Ground, Marker
from providers.local.ownership import private_attributes
from providers.pairing import Pairing
from providers.processes import spread
from providers.system import require_folders
from schemas.capabilities import LOCAL_DIRECTORY, Capabilities
from schemas.target import TargetSpec

_ELSEWHERE = (
    " If this host is not to have it, name those that do under `hosts` of the Target."
    " An old directory keeps its keys until you delete it."
)
Item = TypeVar("Item")
Result = TypeVar("Result")


class LocalDirectoryTarget:
    """One directory of this host; `providers.local.layout` says what is in it."""

    capabilities: ClassVar[Capabilities] = LOCAL_DIRECTORY

    def __init__(self, place: Place, spec: TargetSpec, directory: Path) -> None:
        self._place = place
        self._spec = spec
        self._directory = directory
        self._ground = Ground(place.location, Marker(place.owner, place.target))
        self._swept = False

    @classmethod
    def from_config(cls, config: TargetConfig, /) -> Self:
        """Make the target; reads nothing. Raises `Unreachable` on a system that it does not know."""
        require_folders()
        return cls(Place.of(config), config.spec, config.root)

    def confirm(self) -> None:
        """Raise `Unreachable` unless the directory carries our marker."""
        with self._reading() as root:
            if root is None:
                installed = f"certificates were installed in target {self._place.target}"
                raise self._ground.lost(installed, _ELSEWHERE)

    def observe(self) -> Sequence[Installed]:
        """Return every entry of the directory; nothing for one that is missing or empty."""
        with self._reading() as root:
            if root is None:
                return ()
            site = self._site(root)
            names = observation.names(root)
            return tuple(spread(lambda part: observation.observe(site, part), names))

    def install(self, request: InstallRequest, /) -> Installed:
        """Stage, switch, activate, verify and settle one object; what fails is undone."""
        staged = _only(self.stage([request]))
        installed = _only(self.switch([staged]))
        try:
            self.activate()
            installed = _only(self.verify([installed]))
        except ProviderError:
            self._undo(installed)
            raise
        self.settle([installed])
        return installed

    def remove(self, installed: Installed, /) -> None:
        """Delete an object of ours, keys too; raises `Conflict` for another than was observed."""
        with self._writing() as site:
            settling.remove(site, installed)
            site.root.sync()

    def withdraw(self, installed: Installed, /) -> None:
        """Take an object of ours out of sight, whole; raises as `remove` does."""
        with self._writing() as site:
            settling.withdraw(site, installed)

    def reinstate(self, installed: Installed, /) -> None:
        """Show again what was withdrawn."""
        with self._writing() as site:
            settling.reinstate(site, installed)

    def sweep(self) -> None:
        """Delete what a run that died left, or show it again where nothing of it is lost."""
        with self._reading() as root:
            if root is not None:
                self._sweep(root)

    def stage(self, requests: Sequence[InstallRequest], /) -> Sequence[Staged | ProviderError]:
        """Write every object where no reader looks; one sync makes all of them durable."""
        pairing = Pairing()
        first = {request.name: request for request in reversed(requests)}

        def one(site: Site, request: InstallRequest) -> str:
            if first[request.name] is not request:
                raise Conflict(f"{request.name} is to be installed twice at once")
            return staging.stage(site, pairing, request).token

        tokens = self._batch(requests, one, "local.stage-sync")
        return [
            Staged(request, token) if isinstance(token, str) else token
            for request, token in zip(requests, tokens, strict=True)
        ]

    def switch(self, staged: Sequence[Staged], /) -> Sequence[Installed | ProviderError]:
        """Show every staged object, each by one rename; `Ambiguous` if that may not be durable."""
        return self._batch(staged, staging.switch, "local.switch-sync", Ambiguous)

    def activate(self) -> None:
        """Run the target's `check` and `reload`; raises `Rejected` when one fails."""
        activation.activate(self._spec, self._directory)

    def verify(self, installed: Sequence[Installed], /) -> Iterable[Installed | ProviderError]:
        """Read back every file, then shake hands with the server where the target says so."""
        stored = self._read_back(installed)
        return stored if self._spec.verify is None else handshake.verify(self._spec.verify, stored)

    def _read_back(self, installed: Sequence[Installed]) -> Sequence[Installed | ProviderError]:
        try:
            with self._reading() as root:
                if root is None:
                    raise Unreachable(f"{self._place.location.path} is gone")
                return spread(_each(_stored, self._site(root)), installed)
        except ProviderError as error:
            return [error] * len(installed)

    def restore(self, installed: Installed, /) -> Installed | None:
        """Show the predecessor again, or nothing where nothing was; what is settled stays."""
        with self._writing() as site:
            restored = settling.restore(site, installed)
            site.root.sync()
            return restored

    def settle(self, installed: Sequence[Installed], /) -> None:
        """Delete generations the target does not keep; raises the first error, after all."""
        for result in self._batch(installed, settling.settle, "local.settle-sync"):
            if isinstance(result, ProviderError):
                raise result

    def relabel(self, request: RelabelRequest, /) -> Installed:
        """Rewrite an object's manifest with other labels."""
        with self._writing() as site:
            relabelled = settling.relabel(site, request)
            site.root.sync()
            return relabelled

    def observe_trust(self) -> Sequence[HeldTrust]:
        """Return every bundle of anchors in the directory."""
        with self._reading() as root:
            if root is None:
                return ()
            site, names = self._site(root), observation.names(root)
            return tuple(spread(lambda part: trust.observe(site, part), names))

    def install_trust(self, request: TrustRequest, /) -> HeldTrust:
        """Stage, switch, activate, read back and settle one bundle; what fails is undone."""
        token = _only(self._batch([request], trust.stage, "local.stage-sync"))

        def show(site: Site, name: str) -> Installed:
            return staging.show(site, name, token)

        shown = _only(self._batch([request.name], show, "local.switch-sync", Ambiguous))
        try:
            self.activate()
            held = _only(self._batch([shown], trust.stored, "local.verify-sync"))
        except ProviderError:
            self._undo(shown)
            raise
        self.settle([shown])
        return held

    def remove_trust(self, held: HeldTrust, /) -> None:
        """Take a bundle out of sight, ask the consumer, and delete it; what is refused comes back."""
        installed = trust.as_object(held)
        self.withdraw(installed)
        try:
            self.activate()
        except ProviderError as why:
            self.reinstate(installed)
            with suppress(ProviderError):
                self.activate()
            raise Rejected(f"{why} (it is back)") from None
        self.remove(installed)

    def _site(self, root: Folder) -> Site:
        return Site.of(root, self._place, private_attributes(self._place.settings))

    def _undo(self, installed: Installed) -> None:
        """Put the predecessor back and let the consumer take it; only the cause is reported."""
        with suppress(ProviderError):
            self.restore(installed)
            self.activate()

    @contextmanager
    def _reading(self) -> Iterator[Folder | None]:
        """Open the directory; whatever goes wrong while it is read makes all of it unknown."""
        try:
            with self._ground.opened() as root:
                yield root
        except OSError as error:
            raise Unreachable(str(fault(error, str(self._place.location.path)))) from None
        except (Denied, Ambiguous) as error:
            raise Unreachable(str(error)) from None

    @contextmanager
    def _writing(self) -> Iterator[Site]:
        """Open the directory to change it, made and marked where needed, leftovers swept once."""
        try:
            with self._ground.made() as root:
                self._sweep(root)
                yield self._site(root)
        except OSError as error:
            raise fault(error, str(self._place.location.path)) from None

    def _sweep(self, root: Folder) -> None:
        if not self._swept:
            settling.sweep(root)
            self._swept = True

    def _batch(
        self,
        items: Sequence[Item],
        step: Callable[[Site, Item], Result],
        point: str,
        doubt: type[ProviderError] | None = None,
    ) -> list[Result | ProviderError]:
        """Do a step for every item, then sync once; `doubt` is what a failed sync leaves behind."""
        results: list[Result | ProviderError] = []
        try:
            with self._writing() as site:
                results += spread(_each(step, site), items)
                reach(point)
                site.root.sync()
                return results
        except ProviderError as error:
            failure = doubt(str(error)) if doubt is not None and results else error
            return [failure] * len(items)


def _each(
    step: Callable[[Site, Item], Result], site: Site
) -> Callable[[Sequence[Item]], list[Result | ProviderError]]:
    """Return what does a step for every item of a part; one that fails does not stop the others."""
    return lambda items: [_attempt(step, site, item) for item in items]


def _attempt(
    step: Callable[[Site, Item], Result], site: Site, item: Item
) -> Result | ProviderError:
    try:
        return step(site, item)
    except OSError as error:
        return fault(error, str(site.place.location.path))
    except ProviderError as error:
        return error


def _stored(site: Site, installed: Installed) -> Installed:
    """Return what the files hold; raises `Rejected` when that is not what was installed."""
    reach("local.verify")
    found = observation.inspect(site, installed.name)
    if found is None or not observation.alike(found.installed, installed):
        raise Rejected(f"{installed.id} does not hold what was installed")
    if found.installed.drift:
        raise Rejected(f"{installed.id}: {', '.join(found.installed.drift)}")
    return found.installed


def _only(results: Iterable[Result | ProviderError]) -> Result:
    """Return the one result of a batch of one, or raise it."""
    (result,) = results
    if isinstance(result, ProviderError):
        raise result
    return result
