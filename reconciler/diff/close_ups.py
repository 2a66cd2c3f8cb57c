"""Which objects have to be looked at one by one, since what a listing tells of them is not enough."""

from collections.abc import Iterator

from providers.base import Installed
from reconciler.diff.world import World
from reconciler.state import DesiredInstall


def worth_inspecting(world: World) -> Iterator[tuple[str, Installed]]:
    """Yield what a new object stands beside, what is to go and is in use, and what is taken over."""
    for certificate in world.desired.certificates.values():
        for install in certificate.installs:
            yield from ((install.target, each) for each in _vague(world, install))
            found = world.installed(install)
            if found is not None and world.unchangeable(install, certificate.request):
                yield install.target, found
    for target, observation in world.observed.targets.items():
        for found in observation.installed.values():
            mine = found.used_by and found.owned_by(world.ledger.lineage.owner)
            if mine and (target, found.name) not in world.wanted_spots:
                yield target, found


def _vague(world: World, install: DesiredInstall) -> Iterator[Installed]:
    """Yield what is taken over, holds no certificate of ours, and is not told whole by a listing."""
    for found in world.adoptable(install):
        ours = found.serial in world.serials
        if not ours and (found.content is None or found.sha256 is None):
            yield found
