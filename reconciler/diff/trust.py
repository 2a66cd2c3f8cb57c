"""What has to be trusted before anything hangs by a root: bundles that bring its anchor, in their places."""

from collections.abc import Iterator
from dataclasses import dataclass

from reconciler.diff.anchors import placement_of
from reconciler.diff.bundles import obstacle
from reconciler.diff.changes import change_id
from reconciler.diff.world import World
from reconciler.state import DesiredBundle, DesiredInstall
from schemas.plan import Action


@dataclass(frozen=True, slots=True)
class Waits:
    """What comes first: `requires` are ids of changes, planned or not.

    `missing` says in words which place stands in the way that nobody can look at; empty when none does.
    `ignored` says so of a place that is not waited for.
    """

    requires: tuple[str, ...] = ()
    missing: str = ""
    ignored: str = ""

    def told(self, message: str) -> str:
        """Return a message, with the place that is not waited for."""
        return f"{message}; {self.ignored}: it is not waited for" if self.ignored else message


def requirements(world: World, root: tuple[str, int]) -> Waits:
    """Return what must have the anchor of a root's generation before anything is issued below it."""
    anchors = _anchors(world, root)
    requires, missing = list[str](), list[str]()
    for bundle, install in _places(world, root[0]):
        if not anchors.isdisjoint(_verified(world, bundle, install)):
            continue
        if stands := _obstacle(world, bundle, install):
            missing.append(f"{bundle.address}@{install.target} {stands}")
        else:
            requires.append(change_id(Action.INSTALL, f"{bundle.address}@{install.target}"))
    return Waits(tuple(requires), missing[0] if missing else "")


def _places(world: World, root: str) -> Iterator[tuple[DesiredBundle, DesiredInstall]]:
    for bundle in world.desired.bundles.values():
        if root in bundle.authorities:
            yield from ((bundle, install) for install in bundle.installs)


def _anchors(world: World, root: tuple[str, int]) -> frozenset[str]:
    """The fingerprints of a generation: of whichever of its certificates, they are one key and one name."""
    name, generation = root
    return frozenset(
        issuance.sha256
        for issuance in world.authority(name).own(generation)
        if issuance.sha256 is not None and issuance.not_after > world.now
    )


def _verified(world: World, bundle: DesiredBundle, install: DesiredInstall) -> frozenset[str]:
    """What a place was last seen to hold, as the ledger has it, and holds still where that can be seen."""
    placement, held = placement_of(world, bundle, install), world.held(install)
    known = frozenset(placement.anchors if placement else ())
    if world.observation(install.target).status != "observed":
        return known
    return known.intersection(held.anchors if held and not held.drift else ())


def _obstacle(world: World, bundle: DesiredBundle, install: DesiredInstall) -> str:
    """Say why an anchor cannot be brought to a place by this run; empty when it can."""
    lacks = "does not have the anchor yet"
    if world.observation(install.target).status != "observed":
        return f"{lacks} and cannot be looked at from here"
    stands = obstacle(world, bundle, install)
    return f"{lacks}: {stands.message}" if stands else ""
