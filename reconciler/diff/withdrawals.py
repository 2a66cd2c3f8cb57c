"""What leaves the places that hold trust: anchors that nothing hangs by, bundles that nobody asks for."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from providers.abilities import HeldTrust
from providers.base import NAME
from reconciler.address import spot
from reconciler.chains import Generation
from reconciler.diff.anchors import Anchor, Stock, is_compromised, standing, stock_of
from reconciler.diff.bundles import coming_generations, obstacle
from reconciler.diff.changes import blocked, change, change_id
from reconciler.diff.hanging import replacing, uses
from reconciler.diff.world import World
from reconciler.ledger.trust import TrustPlacement, TrustRecord
from reconciler.state import Desired, DesiredBundle, DesiredInstall
from schemas.plan import Action, Change, Reason
from schemas.scalars import format_duration, format_instant

_TOLD = 3
"""How many of those that an anchor takes down its message names; the change lists all."""
Planned = Mapping[str, Sequence[Change]]
"""Changes by what they belong to."""


@dataclass(frozen=True, slots=True)
class _Leave:
    """How an anchor may go: `requires` first, or tries `follows` first; `lost` goes down with it.

    `relieved` tells that what takes its place comes in this plan, or may.
    """

    message: str
    due: bool = False
    requires: tuple[str, ...] = ()
    follows: tuple[str, ...] = ()
    lost: tuple[str, ...] = ()
    relieved: bool = False


def withdrawal_changes(world: World, planned: Planned) -> Iterator[Change]:
    """Yield the removal of each anchor of an earlier generation, from each place that it may leave now."""
    ids = {step.id for steps in planned.values() for step in steps}
    for bundle in world.desired.bundles.values():
        coming = coming_generations(world, bundle, ids)
        stock = stock_of(world, bundle, coming)
        for anchor in stock.earlier.values():
            follows = anchor.root and (stock.succeeds(anchor.root) or _comes(anchor.root, coming))
            leave = _leave(world, bundle, anchor, planned) if follows else None
            for install in bundle.installs if leave else ():
                if leave and _holds(world, bundle, install, anchor):
                    yield _withdraw(world, bundle, install, anchor, leave)


def _comes(root: Generation, coming: Collection[Generation]) -> bool:
    return any(name == root[0] for name, _ in coming)


def _holds(world: World, bundle: DesiredBundle, install: DesiredInstall, anchor: Anchor) -> bool:
    held = world.held(install)
    ours = held is not None and held.labels.get(NAME) == bundle.name
    return ours and anchor.sha256 in standing(world, bundle, install)


def _leave(world: World, bundle: DesiredBundle, anchor: Anchor, planned: Planned) -> _Leave | None:
    """Say how an anchor may go, None when it has to stay; nothing is told of what stays."""
    root = anchor.root
    if root is None:
        return None
    if anchor.compromised or is_compromised(world, root):
        return _compromised(world, anchor, root, planned)
    since = _idle_since(world, bundle, anchor)
    if since is None or since + bundle.overlap > world.now or any(True for _ in uses(world, root)):
        return None
    message = f"nothing hangs by it since {format_instant(since)}"
    return _Leave(message, due=_is_time(world, bundle, since))


def _idle_since(world: World, bundle: DesiredBundle, anchor: Anchor) -> datetime | None:
    record = world.ledger.trust.get(bundle.name)
    return record.replaced.get(anchor.sha256) if record else None


def _is_time(world: World, bundle: DesiredBundle, since: datetime) -> bool:
    """Whether the `overlap` of the base would have the anchor gone by now as well."""
    if world.base is None:
        return True
    former = world.base.bundles.get(bundle.name)
    return former is not None and since + former.overlap <= world.now


def _compromised(world: World, anchor: Anchor, root: Generation, planned: Planned) -> _Leave | None:
    """Let an anchor go that somebody else may sign below, once all that hangs by it is replaced."""
    every = [(use, replacing(use, planned)) for use in uses(world, root)]
    first = tuple(dict.fromkeys(id_ for _, ids in every for id_ in ids))
    told = tuple(_revocations(root, planned))
    left = [use for use, ids in every if not ids]
    if not left:
        message = "its generation is compromised"
        return _Leave(message, anchor.compromised, first, told, relieved=True)
    if not _is_immediate(world.desired, root):
        return None
    lost = tuple(use.where for use in left if use.target) or tuple(use.where for use in left)
    message = f"OUTAGE of {_several(lost)}: its generation is compromised"
    due = anchor.compromised and (world.base is None or _is_immediate(world.base, root))
    return _Leave(message, due, (), (*first, *told), lost, relieved=True)


def _revocations(root: Generation, planned: Planned) -> Iterator[str]:
    """Yield the changes that revoke a generation of a root: the ledger says so before any place does."""
    for steps in planned.values():
        for step in steps:
            of = step.address.partition("#")[0]
            if step.action is Action.REVOKE and of == f"authority/{root[0]}":
                yield step.id


def _is_immediate(documents: Desired, root: Generation) -> bool:
    return any(
        (each.authority, each.generation) == root and each.immediate
        for each in documents.revocations
    )


def _several(addresses: Sequence[str]) -> str:
    more = len(addresses) - _TOLD
    return ", ".join(addresses[:_TOLD]) + (f" and {more} more" if more > 0 else "")


def _withdraw(
    world: World, bundle: DesiredBundle, install: DesiredInstall, anchor: Anchor, leave: _Leave
) -> Change:
    here = f"{bundle.address}@{install.target}"
    held = world.held(install)
    waits = leave.relieved or bool(held and held.drift)
    arrival = (change_id(Action.INSTALL, here),) if waits else ()
    return change(
        f"{here}#{anchor.name}",
        Action.REMOVE,
        Reason.ANCHOR_WITHDRAWN,
        leave.message,
        identity={"sha256": anchor.sha256, "name": install.name},
        requires=(*leave.requires, *arrival),
        follows=leave.follows,
        source=bundle.source,
        before={"anchor": anchor.name, "sha256": anchor.sha256, "name": install.name},
        after={"outage": list(leave.lost)} if leave.lost else None,
        due=leave.due,
    )


def held_changes(world: World) -> Iterator[Change]:
    """Yield the removal of bundles that no document asks for, and of what the ledger has left of them."""
    wanted = {(i.target, i.name) for b in world.desired.bundles.values() for i in b.installs}
    there: set[tuple[str, str]] = set()
    for target, observation in world.observed.targets.items():
        for held in observation.trust.values():
            there.add((target, held.name))
            if held.owned_by(world.ledger.lineage.owner) and (target, held.name) not in wanted:
                yield _remove(world, target, held)
    for record in world.ledger.trust.values():
        for placement in record.placements:
            place = (placement.target, placement.object_name)
            if place not in there and not _is_wanted(world, record.name, place):
                yield from _left_behind(world, record.name, placement)


def _is_wanted(world: World, name: str, place: tuple[str, str]) -> bool:
    bundle = world.desired.bundles.get(name)
    return bundle is not None and any((i.target, i.name) == place for i in bundle.installs)


def _remove(world: World, target: str, held: HeldTrust) -> Change:
    name = held.labels.get(NAME, "")
    record, bundle = world.ledger.trust.get(name), world.desired.bundles.get(name)
    here = tuple(i for i in bundle.installs if i.target == target) if bundle else ()
    # beside the same bundle under another name, only its own name tells it from the place
    own = f"bundle/{name}@{target}:{held.name}"
    address = own if here else spot(name, target, held.name, "bundle")
    if record is None or record.placement(target, held.name) is None:
        message = f"{held.id} has our label, but the ledger does not know it: remove it by hand"
        return blocked(address, Reason.OCCUPIED, message)
    if bundle and any(obstacle(world, bundle, install) for install in here):
        message = f"bundle/{name} takes its place under another name and is blocked"
        return blocked(address, Reason.BLOCKED_BY, message, source=bundle.source)
    return change(
        address,
        Action.REMOVE,
        Reason.WITHDRAWN if bundle else Reason.ORPHANED,
        f"no longer wanted in {target}" if bundle else "no longer in the documents",
        identity={"bundle": name, "name": held.name},
        requires=tuple(change_id(Action.INSTALL, f"bundle/{name}@{i.target}") for i in here),
        before={"name": held.name},
    )


def _left_behind(world: World, name: str, placement: TrustPlacement) -> Iterator[Change]:
    """Yield what becomes of a placement whose bundle was not seen and is not wanted."""
    address = spot(name, placement.target, placement.object_name, "bundle")
    if placement.target not in world.desired.targets:
        message = f"Target {placement.target} left the documents with this in it: bring it back"
        yield blocked(address, Reason.TARGET_GONE, message)
    elif world.observation(placement.target).status == "observed":
        yield change(
            address,
            Action.FORGET,
            Reason.ORPHANED,
            "gone already",
            identity={"gone": placement.object_name},
            before={"name": placement.object_name},
        )


def noted(world: World, *, due: bool = False) -> Iterator[TrustRecord]:
    """Yield each Bundle's record that does not tell yet which of its anchors nothing hangs by.

    The ledger alone says so, and what is seen does not, so that a run can tell at its end what a plan would.
    `due` leaves out what an edit alone gives up: when that began, too, is for a review to say.
    """
    if not world.ledger.trust:
        return
    seen = {name: replace(each, installed={}) for name, each in world.observed.targets.items()}
    settled = replace(world, observed=replace(world.observed, targets=seen))
    for bundle in world.desired.bundles.values():
        record = world.ledger.trust.get(bundle.name)
        if record is None:
            continue
        held = {key for placement in record.placements for key in placement.anchors}
        replaced = {
            anchor.sha256: record.replaced.get(anchor.sha256, world.now)
            for anchor in _idle(settled, stock_of(settled, bundle))
            if anchor.sha256 in held
            and (anchor.sha256 in record.replaced or not (due and _is_given_up(world, anchor)))
        }
        if replaced != record.replaced:
            yield record.model_copy(update={"replaced": replaced})


def _idle(world: World, stock: Stock) -> Iterator[Anchor]:
    """Yield the anchors that documents do not ask for and nothing hangs by, as far as anybody can tell."""
    for anchor in stock.earlier.values():
        follows = anchor.root and stock.succeeds(anchor.root)
        if follows and not (anchor.root and any(True for _ in uses(world, anchor.root))):
            yield anchor


def _is_given_up(world: World, anchor: Anchor) -> bool:
    """Whether a generation that nobody used yet is asked for by the base, and not by the documents.

    An earlier one is left by what takes its place, and that was reviewed when it was issued.
    """
    if world.base is None or anchor.root is None:
        return False
    (name, number), before = anchor.root, world.base.authorities
    asked = (before[name].request, before[name].standby) if name in before else ()
    later = number > world.desired.authorities[name].request.generation
    return later and any(request.generation == number for request in asked if request)


def note_changes(world: World) -> Iterator[Change]:
    """Yield a change where it is still to be noted since when nothing hangs by an anchor.

    The run that replaces the last certificate notes it; only one that died on its way left it undone.
    """
    due = {record.name: record for record in noted(world, due=True)}
    for record in noted(world):
        bundle = world.desired.bundles[record.name]
        yield change(
            bundle.address,
            Action.CONFIGURE,
            Reason.ANCHOR_WITHDRAWN,
            f"an anchor that nothing hangs by goes after {format_duration(bundle.overlap)}",
            identity={"replaced": sorted(record.replaced)},
            source=bundle.source,
            due=due.get(record.name) == record,
        )
