"""Bundles of trust anchors: what each place is to hold, and the installs that takes."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from providers.base import NAME, SPEC
from reconciler.chains import Generation
from reconciler.checks import Finding
from reconciler.diff.anchors import (
    Anchor,
    Stock,
    is_compromised,
    named_anchors,
    others_of,
    placement_of,
    standing,
    stock_of,
)
from reconciler.diff.changes import blocked, change, change_id
from reconciler.diff.takeovers import is_untaken
from reconciler.diff.world import World
from reconciler.state import DesiredBundle, DesiredInstall
from schemas.plan import Action, Change, Reason


@dataclass(frozen=True, slots=True)
class _Supply:
    """What a Bundle may hold now, and the changes of this plan that issue more of it."""

    bundle: DesiredBundle
    stock: Stock
    coming: tuple[Change, ...]


def coming_generations(
    world: World, bundle: DesiredBundle, planned: Collection[str]
) -> frozenset[Generation]:
    """Return the generations of a Bundle's roots that a plan issues; `planned` are ids of its changes."""
    return frozenset(generation for generation, id_ in _issues(world, bundle) if id_ in planned)


def _issues(world: World, bundle: DesiredBundle) -> Iterator[tuple[Generation, str]]:
    """Yield the generations that documents ask for, each with the change that would issue it."""
    for name in bundle.authorities:
        asked = world.desired.authorities[name]
        yield (name, asked.request.generation), change_id(Action.ISSUE, f"authority/{name}")
        if asked.existing is not None and is_untaken(world, asked):
            yield (name, asked.existing.generation), change_id(Action.ADOPT, f"authority/{name}")
        if asked.standby is not None:
            number = asked.standby.generation
            yield (name, number), change_id(Action.ISSUE, f"standby/{name}-g{number}")


def bundle_changes(world: World, changes: Sequence[Change]) -> Iterator[Change]:
    """Yield the installs that Bundles need; `changes` are those of the CAs in this plan."""
    planned = {step.id: step for step in changes}
    for bundle in world.desired.bundles.values():
        coming = tuple(planned[id_] for _, id_ in _issues(world, bundle) if id_ in planned)
        stock = stock_of(world, bundle, coming_generations(world, bundle, planned))
        supply = _Supply(bundle, stock, coming)
        if not supply.stock.wanted and not supply.stock.needed and not coming:
            message = f"none of its anchors is issued yet: {', '.join(bundle.authorities)}"
            yield blocked(bundle.address, Reason.PENDING, message, source=bundle.source)
            continue
        for install in bundle.installs:
            if world.observation(install.target).status == "observed":
                yield from _install(world, supply, install)


def obstacle(world: World, bundle: DesiredBundle, install: DesiredInstall) -> Finding | None:
    """Say what keeps a Bundle out of a place that can be looked at; None when nothing does."""
    held, certificate = world.held(install), world.observation(install.target).installed
    advice = "choose another objectName"
    if found := certificate.get(install.name):
        ours = found.owned_by(world.ledger.lineage.owner)
        whose = f"holds certificate/{found.labels.get(NAME)}" if ours else "is not certform's"
        move = "" if ours else "move it away, or "
        return Finding(Reason.OCCUPIED, f"{found.id} {whose}; {move}{advice}")
    if held is None:
        return None
    if not held.owned_by(world.ledger.lineage.owner):
        message = f"{held.id} is not certform's; move it away, or {advice}"
        return Finding(Reason.OCCUPIED, message)
    if held.labels.get(NAME) != bundle.name:
        other = f"{held.id} holds bundle/{held.labels.get(NAME)}"
        return Finding(Reason.OCCUPIED, f"{other}; {advice}")
    return None


def _install(world: World, supply: _Supply, install: DesiredInstall) -> Iterator[Change]:
    bundle, target = supply.bundle, world.desired.targets[install.target]
    address = f"{bundle.address}@{install.target}"
    if taken := obstacle(world, bundle, install):
        yield blocked(address, taken.reason, taken.message, source=bundle.source)
        return
    need = bundle_need(world, bundle, install, supply.stock)
    if need is None and supply.coming:
        need = Finding(Reason.ANCHORS_CHANGED, "follows the new certificate")
    if need is None:
        return
    held = world.held(install)
    names = _names(world, bundle)
    stay = _staying(world, supply, install)
    yield change(
        address,
        Action.INSTALL,
        need.reason,
        "; ".join((need.message, *_told(stay))),
        identity={
            "anchors": _identity(world, bundle),
            "target": target.digest,
            "name": install.name,
            "labels": dict(bundle.labels),
        },
        requires=tuple(step.id for step in supply.coming),
        source=bundle.source,
        before=_before(held.anchors, names) if held else None,
        after={"name": install.name, "anchors": sorted({*_asked_for(world, bundle), *stay})},
        due=_is_due(world, supply, install, need),
        outside=need.outside,
    )


def _staying(world: World, supply: _Supply, install: DesiredInstall) -> list[str]:
    """Name the anchors that stay which documents do not ask for: as long as something may need them.

    When what somebody else may sign below goes, its own removal tells.
    """
    kept = supply.stock.at(standing(world, supply.bundle, install)).values()
    earlier = (a for a in kept if a.sha256 in supply.stock.earlier)
    return sorted(a.name for a in earlier if not (a.root and is_compromised(world, a.root)))


def _told(stay: Sequence[str]) -> Iterator[str]:
    if stay:
        one = "stays until nothing hangs by it"
        several = "stay until nothing hangs by them"
        yield f"{', '.join(stay)} {one if len(stay) == 1 else several}"


def bundle_need(
    world: World, bundle: DesiredBundle, install: DesiredInstall, stock: Stock
) -> Finding | None:
    """Say what keeps a place from holding the anchors that it should; None when nothing does."""
    held, placement = world.held(install), placement_of(world, bundle, install)
    seen = frozenset(placement.anchors if placement else ())
    if held is None:
        undone = bool(seen) and not world.is_elsewhere(install.target)
        return Finding(Reason.NOT_FOUND, "nothing is installed there", outside=undone)
    if held.drift:
        return Finding(Reason.DRIFTED, "; ".join(held.drift), outside=True)
    there = frozenset(held.anchors)
    wanted = stock.at(standing(world, bundle, install)).keys()
    if there != wanted:
        return Finding(Reason.ANCHORS_CHANGED, _differing(world, bundle, there, frozenset(wanted)))
    if dict(held.labels) != world.bundle_labels(bundle, install.target):
        return Finding(Reason.LABELS_CHANGED, "its labels are not those wanted")
    if there != seen:
        return Finding(Reason.UNVERIFIED, "installed, but not yet read back")
    return None


def _differing(
    world: World, bundle: DesiredBundle, there: frozenset[str], wanted: frozenset[str]
) -> str:
    names = _names(world, bundle)
    lacks = sorted(names.get(key, key[:16]) for key in wanted - there)
    drops = sorted(names.get(key, key[:16]) for key in there - wanted)
    told = (("without", lacks), ("no longer to hold", drops))
    return "; ".join(f"{words} {', '.join(some)}" for words, some in told if some)


def _before(anchors: Mapping[str, bytes], names: Mapping[str, str]) -> dict[str, object]:
    return {"anchors": sorted(names.get(key, key[:16]) for key in anchors)}


def _identity(world: World, bundle: DesiredBundle) -> list[object]:
    """What documents ask for: of ours by name, since what is not issued yet has no fingerprint."""
    ours = [list(generation) for generation, _ in _issues(world, bundle)]
    return [*sorted(ours), *sorted(anchor.sha256 for anchor in others_of(bundle))]


def _asked_for(world: World, bundle: DesiredBundle) -> Iterator[str]:
    yield from (f"{name}-g{number}" for (name, number), _ in _issues(world, bundle))
    yield from (_called(anchor) for anchor in others_of(bundle))


def _called(anchor: Anchor) -> str:
    """Return what an anchor of others is called where it is reviewed: a subject is anybody's to choose."""
    return f"{anchor.name} (SHA-256 {anchor.sha256})"


def _names(world: World, bundle: DesiredBundle) -> Mapping[str, str]:
    theirs = {anchor.sha256: _called(anchor) for anchor in others_of(bundle)}
    return {**named_anchors(world, bundle), **theirs}


def _is_due(world: World, supply: _Supply, install: DesiredInstall, need: Finding) -> bool:
    """Whether time alone asks for an install: what it brings was reviewed when that was issued."""
    if not all(step.due for step in supply.coming) or need.outside:
        return False
    if need.reason is Reason.LABELS_CHANGED:
        return False
    return _is_wanted_as_before(world, supply.bundle, install)


def _is_wanted_as_before(world: World, bundle: DesiredBundle, install: DesiredInstall) -> bool:
    """Whether the same Bundle was wanted in a place already, as the base has it, or as it was installed."""
    placement, held = placement_of(world, bundle, install), world.held(install)
    if world.base is None:
        same = held is None or held.labels.get(SPEC) == bundle.digest
        return placement is not None and same
    former = world.base.bundles.get(bundle.name)
    if former is None or world.is_elsewhere(install.target):
        return False
    wanted = any((i.target, i.name) == (install.target, install.name) for i in former.installs)
    same = former.digest == bundle.digest and former.labels == bundle.labels
    return wanted and same and _asks_alike(world, bundle) and _is_made_alike(world, install)


def _is_made_alike(world: World, install: DesiredInstall) -> bool:
    """Whether a target makes of what is installed what the base has it make of it."""
    if world.base is None:
        return True
    before, now = (each.targets[install.target].spec for each in (world.base, world.desired))
    return now.installs_like(before) and now.tags == before.tags


def _asks_alike(world: World, bundle: DesiredBundle) -> bool:
    """Whether the base asks for the same generations of its roots."""
    if world.base is None:
        return True
    before, now = world.base.authorities, world.desired.authorities
    return all(
        name in before
        and before[name].request.generation == now[name].request.generation
        and before[name].standby == now[name].standby
        for name in bundle.authorities
    )
